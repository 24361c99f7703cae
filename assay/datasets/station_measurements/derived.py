"""Columns that a user adds to the tables: formulas over the values of a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assay.datasets.station_measurements.formulas import Formula, parse
from assay.datasets.station_measurements.series import Arrangement, Series
from assay.datasets.station_measurements.units import unit_in
from assay.errors import Unprocessable

_DAY = ["station", "date"]


@dataclass(frozen=True)
class Derived:
    """What became of one formula.

    `missing` are its names that the data do not have; the column is blank then. `bounds` and `zero` count the days that
    have no value because an operand is a bound such as <0.5, or because of a divisor of 0. `units` are those of its
    operands where they differ and are added, which nothing converts.
    """

    name: str
    formula: str
    values: int = 0
    bounds: int = 0
    zero: int = 0
    missing: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


def with_derived(
    values: pl.DataFrame, formulas: Mapping[str, str], arrangement: Arrangement
) -> tuple[pl.DataFrame, list[Derived]]:
    """Add the rows of each formula to `values` (see censored.py), and its series to the arrangement.

    A formula may use those before it. Raises Unprocessable invalid_parameters for one that can't be read, or whose name
    or operand is not a single series.
    """
    outcomes = []
    for name, text in formulas.items():
        if arrangement.found(name):
            raise _refused(name, "the data have a parameter of that name")
        known = {word for one in arrangement.series.values() for word in (one.label, one.code)}
        try:
            formula = parse(text, known)
        except ValueError as error:
            raise _refused(name, str(error)) from error
        keys = {word: _key(name, word, arrangement) for word in formula.names}
        missing = tuple(word for word, key in keys.items() if key is None)
        arrangement.series[name] = Series(name, unit_in(name), name)
        if missing:
            outcomes.append(Derived(name, text, missing=missing))
            continue
        operands = {word: key for word, key in keys.items() if key is not None}
        rows, outcome = _rows(values, name, text, formula, operands)
        units = tuple(dict.fromkeys(arrangement.series[key].unit for key in operands.values()))
        outcomes.append(Derived(*outcome, units=units if formula.adds and len(units) > 1 else ()))
        values = pl.concat([values, rows.cast(values.schema)])
    return values.sort(*_DAY, "pcode"), outcomes


def _rows(
    values: pl.DataFrame, name: str, text: str, formula: Formula, operands: Mapping[str, str]
) -> tuple[pl.DataFrame, tuple[str, str, int, int, int]]:
    """Compute one formula for every day that has all operands."""
    used = values.filter(pl.col("pcode").is_in([*operands.values()]))
    plain = used.with_columns(pl.when(pl.col("sign") == 0).then(pl.col("value")).alias("value"))
    days = plain.pivot(on="pcode", index=_DAY, values="value")
    there = [pl.col(key) if key in days.columns else pl.lit(None, pl.Float64) for key in operands.values()]
    days = days.select(*_DAY, *(column.alias(word) for word, column in zip(operands, there, strict=True)))
    computed = days.select(*_DAY, formula.value.alias("value"), formula.divides_by_zero.alias("zero"))
    finite = computed.filter(pl.col("value").is_finite())
    bounds = used.filter(pl.col("sign") != 0).select(pl.struct(_DAY).n_unique()).item()
    rows = finite.select(*_DAY, pl.lit(name).alias("pcode"), "value", pl.lit(0, pl.Int8).alias("sign"))
    return rows, (name, text, finite.height, bounds, int(computed["zero"].sum()))


def _key(name: str, word: str, arrangement: Arrangement) -> str | None:
    """The series that a name in a formula means; None where the data have none."""
    keys = arrangement.found(word)
    if len(keys) > 1:
        labels = " and ".join(arrangement.series[key].label for key in keys)
        raise _refused(name, f"{word} is {labels}, which are kept apart: name one of them in quotes")
    return keys[0] if keys else None


def _refused(name: str, why: str) -> Unprocessable:
    return Unprocessable(
        "invalid_parameters",
        f"The derived column {name!r} can't be computed: {why}.",
        'Write it as in {"Data 18": "Data 2 - Data 7"}: parameter codes, numbers, + - * / and parentheses.',
    )
