"""What a result says: values and bounds, as laboratories write them into the result or beside it."""

from __future__ import annotations

import polars as pl
import pytest

from assay.datasets.station_measurements.marks import Marks
from assay.datasets.station_measurements.results import OPTIONAL, with_meaning

_PLAIN = Marks()


def meant(cells: dict[str, str], marks: Marks = _PLAIN) -> dict[str, object]:
    roles = [role for role in OPTIONAL if role in cells]
    columns = {name: pl.Series([cells.get(name)], dtype=pl.String) for name in ("result", *roles)}
    return with_meaning(pl.LazyFrame(columns), roles, marks).collect().row(0, named=True)


@pytest.mark.parametrize(
    ("result", "sign", "value"),
    [
        ("4.1", 0, 4.1), ("<0.5", -1, 0.5), ("< 0.5", -1, 0.5), ("≤0.5", -2, 0.5), ("<=0.5", -2, 0.5),
        (">2419.6", 1, 2419.6), (">= 50", 2, 50.0), ("0.5 U", -1, 0.5), ("0.5U", -1, 0.5), ("<0.5 U", -1, 0.5),
        ("ND(0.5)", -1, 0.5), ("nd < 0.5", -1, 0.5), ("1e-3", 0, 0.001), ("<1e-3", -1, 0.001),
        ("ND", -1, None), ("N.D.", -1, None), ("n.n.", -1, None), ("U", -1, None), ("BDL", -1, None),
        ("<LOD", -1, None),
        ("< MDL", -1, None), ("<RL", -1, None), ("Not detected", -1, None), ("*Non-detect", -1, None),
        ("below detection limit", -1, None), ("TNTC", 1, None),
        ("12 J", 0, 12.0), ("~12", 0, 12.0), ("E 3.4", 0, 3.4), ("3.4 E", 0, 3.4),
    ],
)  # fmt: skip
def test_a_result_is_a_value_or_a_bound(result: str, sign: int, value: float | None) -> None:
    row = meant({"result": result})
    assert (row["sign"], row["value"]) == (sign, value)
    assert row["estimated"] == (result in ("12 J", "~12", "E 3.4", "3.4 E"))


@pytest.mark.parametrize(
    "result", ["soon", "1.2.3", "<1.2.3", "Ice", "12*", "inf", "<", "J", "1-2", "Eqp", "1e", "<1.5E"]
)
def test_what_says_neither_is_not_taken_for_one(result: str) -> None:
    row = meant({"result": result})
    assert (row["sign"], row["value"]) == (0, None)


def test_a_bound_may_have_a_decimal_comma() -> None:
    row = meant({"result": "<0,5"}, Marks(","))
    assert (row["sign"], row["value"]) == (-1, 0.5)


@pytest.mark.parametrize(
    ("cells", "sign", "value", "by_limit"),
    [
        ({"result": "0.5", "qualifier": "<"}, -1, 0.5, False),
        ({"result": "0.5", "qualifier": ">"}, 1, 0.5, False),
        ({"result": "0.5", "qualifier": "UJ"}, -1, 0.5, False),
        ({"result": "0.5", "qualifier": "J, U"}, -1, 0.5, False),
        ({"result": "4", "qualifier": "J"}, 0, 4.0, False),
        ({"result": "0", "qualifier": "U"}, -1, None, False),
        ({"result": "0", "qualifier": "U", "detection_limit": "0.2"}, -1, 0.2, True),
        ({"result": "0.1", "qualifier": "U", "detection_limit": "0.2"}, -1, 0.2, True),
        ({"result": "0.1", "qualifier": "<", "detection_limit": "0.2"}, -1, 0.1, False),
        ({"result": "<0.3", "qualifier": "U", "detection_limit": "0.2"}, -1, 0.3, False),
        ({"result": "ND", "detection_limit": "0.2"}, -1, 0.2, True),
        ({"result": "<LOQ", "detection_limit": "0.2", "quantitation_limit": "0.6"}, -1, 0.6, True),
        ({"condition": "Not Detected", "detection_limit": "0.05"}, -1, 0.05, True),
        ({"condition": "Present Above Quantification Limit", "result": "9"}, 1, 9.0, False),
        ({"condition": "Not Detected"}, -1, None, False),
        ({"detection_limit": "0.2"}, 0, None, False),
        ({"qualifier": "<"}, 0, None, False),
        ({"qualifier": "<", "detection_limit": "0.2"}, -1, 0.2, True),
        ({"qualifier": "U"}, -1, None, False),
        ({"result": "0.7", "detection_limit": "0.2"}, 0, 0.7, False),
        ({"result": "0.5", "censored": "TRUE"}, -1, 0.5, False),
        ({"result": "0.5", "censored": "lt"}, -1, 0.5, False),
        ({"result": "0.5", "censored": "nc"}, 0, 0.5, False),
        ({"result": "0.5", "censored": "0"}, 0, 0.5, False),
    ],
)
def test_what_stands_beside_a_result_counts(
    cells: dict[str, str], sign: int, value: float | None, by_limit: bool
) -> None:
    row = meant(cells)
    assert (row["sign"], row["value"], row["by_limit"]) == (sign, value, by_limit)


@pytest.mark.parametrize(("qualifier", "flag"), [("XQ", "XQ"), ("B", "B"), ("J", None), ("A, e", None), ("<", None)])
def test_a_qualifier_that_is_not_known_is_told(qualifier: str, flag: str | None) -> None:
    row = meant({"result": "4", "qualifier": qualifier})
    assert (row["sign"] != 0, row["value"], row["flag"]) == (qualifier == "<", 4.0, flag)
