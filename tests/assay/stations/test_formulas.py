"""The parser of derived columns: what it reads, and what it refuses."""

from __future__ import annotations

import polars as pl
import pytest

from assay.datasets.station_measurements.formulas import MAX_DEPTH, MAX_LENGTH, parse

KNOWN = {"Data 1": 3.0, "Data 18": 5.0, "NO3-N": 7.0, "NO3": 11.0, "a*b": 2.0, "00010": 13.0, "x": None, "zero": 0.0}


def value_of(text: str) -> float | None:
    row = pl.DataFrame({name: pl.Series([value], dtype=pl.Float64) for name, value in KNOWN.items()})
    value: float | None = row.select(parse(text, KNOWN).value.alias("value")).item()
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Data 1 - Data 18", -2.0), ("Data 18 - Data 1 - Data 1", -1.0), ("Data 1 + Data 18 * 2", 13.0),
        ("(Data 1+Data 18)*2", 16.0), ("Data 18/Data 1/2", 5 / 6), ("-Data 1 - -Data 18", 2.0), ("NO3-N + NO3", 18.0),
        ("NO3 -N3", None), ('"a*b" * 1.5', 3.0), ("'NO3' - NO3-N", 4.0), ('"00010" / 2', 6.5), ("1e-3 * NO3", 0.011),
        (".5*Data 18", 2.5), ("x + 1", None), ("Data 1 / zero", None), ("Data 1 / (zero * 2)", None),
        ("zero / Data 1", 0.0),
    ],
)  # fmt: skip
def test_formulas_are_arithmetic_over_names(text: str, value: float | None) -> None:
    if text == "NO3 -N3":
        assert parse(text, KNOWN).names == ("NO3", "N3")
    else:
        assert value_of(text) == value


def test_the_longest_name_is_taken_and_one_that_is_not_known_reaches_to_the_next_sign() -> None:
    assert parse("Data 18 - Data 2 / other code", KNOWN).names == ("Data 18", "Data 2", "other code")
    assert parse("Data 180", KNOWN).names == ("Data 180",)


@pytest.mark.parametrize("known", [False, True])
def test_a_divisor_of_zero_is_told(known: bool) -> None:
    row = pl.DataFrame({"Data 1": [3.0], "zero": [0.0 if known else None]}, schema_overrides={"zero": pl.Float64})
    assert row.select(parse("Data 1 / zero", KNOWN).divides_by_zero.alias("zero")).item() is known


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "something is missing at character 1"),
        ("()", "something is missing at character 2"),
        ("* Data 1", "something is missing at character 1"),
        ("Data 1 +", "something is missing at character 9"),
        ("Data 1 ** 2", "something is missing at character 9"),
        ("1 + 2", "names no parameter"),
        ("(Data 1", "a parenthesis is not closed"),
        ("Data 1)", r"'\)' can't be read at character 7"),
        ("Data 1 Data 18", "'Data 18' can't be read at character 8"),
        ("Data 1 2", "'2' can't be read at character 8"),
        ("2 Data 1", "'Data 1' can't be read at character 3"),
        ("__import__('os')", "can't be read at character 11"),
        ("'Data 1", "a quote is not closed"),
        ("00010 / 2", "is a number and a parameter"),
        ("(" * (MAX_DEPTH + 1) + "Data 1" + ")" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} deep"),
        ("Data 1" + " + 1" * MAX_LENGTH, f"at most {MAX_LENGTH} are read"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text, KNOWN)
