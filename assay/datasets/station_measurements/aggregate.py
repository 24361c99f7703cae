"""Values to one for each station, calendar date and series."""

from __future__ import annotations

from typing import Literal

import polars as pl

from assay.errors import Unprocessable
from assay.figures.exact import exact_sums

Aggregate = Literal["mean", "median", "sum", "min", "max", "first", "last", "count"]

KEYS = ["station", "date", "pcode"]


def aggregate(rows: pl.LazyFrame, how: Aggregate) -> pl.DataFrame:
    """Return station, date, pcode and value of `rows`, which have them, `date_time`, `row` and `result`, none null.

    The value is a double, for `count` an integer. The median of an even number of results is half the sum of the two in
    the middle. Independent of the order in which rows are taken, and so is not the order of the result. Raises
    Unprocessable result_out_of_range where a sum is beyond the doubles.
    """
    if how in ("mean", "sum"):
        values = exact_sums(rows, "result", KEYS).with_columns(pl.col(how).alias("value"))
    elif how in ("first", "last"):
        values = at_an_end(rows, last=how == "last")
    else:
        result = pl.col("result")
        simple = {"median": median(result), "min": result.min(), "max": result.max(), "count": pl.len().cast(pl.Int64)}
        values = rows.group_by(KEYS).agg(simple[how].alias("value")).collect(engine="streaming")
    if how != "count":
        # -0.0 equals 0.0, so which of the two a minimum gives depends on the order; Polars skips an added 0.0.
        value = pl.col("value")
        values = values.with_columns(pl.when(value == 0).then(0.0).otherwise(value).alias("value"))
        beyond = values.filter(~pl.col("value").is_finite())
        if beyond.height:
            station, date, pcode = beyond.sort(KEYS).select(KEYS).row(0)
            raise Unprocessable(
                "result_out_of_range",
                f"The {how} of {pcode} at {station} on {date} is beyond what a double holds.",
                "Check the results of that day, or choose another aggregate.",
            )
    return values.select(*KEYS, "value")


def median(result: pl.Expr) -> pl.Expr:
    """The median: Polars' own is low + (high - low) / 2, which rounds twice and overflows between both signs."""
    low, high = result.quantile(0.5, "lower"), result.quantile(0.5, "higher")
    total = low + high
    return pl.when(total.is_finite()).then(total / 2).otherwise(low / 2 + high / 2)


def at_an_end(rows: pl.LazyFrame, *, last: bool, value: str = "result") -> pl.DataFrame:
    """The first or the last `value` by time of day; among equal times the first or the last row of the input."""
    ends = pl.Expr.max_by if last else pl.Expr.min_by
    return (
        rows.group_by(*KEYS, "date_time")
        .agg(ends(pl.col(value), "row").alias("value"))
        .group_by(KEYS)
        .agg(ends(pl.col("value"), "date_time"))
        .collect(engine="streaming")
    )
