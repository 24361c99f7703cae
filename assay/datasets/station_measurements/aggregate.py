"""Results to one value for each station, calendar date and parameter code."""

from __future__ import annotations

from typing import Literal

import polars as pl

from assay.errors import Unprocessable
from assay.figures.exact import exact_sums

Aggregate = Literal["mean", "median", "sum", "min", "max", "first", "last", "count"]

_KEYS = ["station", "date", "pcode"]


def aggregate(usable: pl.LazyFrame, how: Aggregate) -> pl.DataFrame:
    """Return station, date, pcode and value, sorted; the value is a double, for `count` an integer.

    The median of an even number of results is half the sum of the two in the middle. Independent of the order in which
    rows are taken. Raises Unprocessable result_out_of_range where a sum is beyond the doubles.
    """
    rows = usable.with_columns(pl.col("date_time").dt.date().alias("date"))
    if how in ("mean", "sum"):
        values = exact_sums(rows, "result", _KEYS).with_columns(pl.col(how).alias("value"))
    elif how in ("first", "last"):
        values = _at_an_end(rows, last=how == "last")
    else:
        result = pl.col("result")
        simple = {"median": _median(result), "min": result.min(), "max": result.max(), "count": pl.len().cast(pl.Int64)}
        values = rows.group_by(_KEYS).agg(simple[how].alias("value")).collect(engine="streaming")
    if how != "count":
        # -0.0 equals 0.0, so which of the two a minimum gives depends on the order; Polars skips an added 0.0.
        value = pl.col("value")
        values = values.with_columns(pl.when(value == 0).then(0.0).otherwise(value).alias("value"))
        beyond = values.filter(~pl.col("value").is_finite())
        if beyond.height:
            station, date, pcode = beyond.sort(_KEYS).select(_KEYS).row(0)
            raise Unprocessable(
                "result_out_of_range",
                f"The {how} of {pcode} at {station} on {date} is beyond what a double holds.",
                "Check the results of that day, or choose another aggregate.",
            )
    return values.select(*_KEYS, "value").sort(_KEYS).cast({"station": pl.String, "pcode": pl.String})


def _median(result: pl.Expr) -> pl.Expr:
    """Polars' own is low + (high - low) / 2, which rounds twice and overflows between values of both signs."""
    low, high = result.quantile(0.5, "lower"), result.quantile(0.5, "higher")
    total = low + high
    return pl.when(total.is_finite()).then(total / 2).otherwise(low / 2 + high / 2)


def _at_an_end(rows: pl.LazyFrame, *, last: bool) -> pl.DataFrame:
    """The first or the last by time of day; among equal times the first or the last row of the input."""
    ends = pl.Expr.max_by if last else pl.Expr.min_by
    return (
        rows.group_by(*_KEYS, "date_time")
        .agg(ends(pl.col("result"), "row").alias("value"))
        .group_by(_KEYS)
        .agg(ends(pl.col("value"), "date_time"))
        .collect(engine="streaming")
    )
