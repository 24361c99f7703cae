"""Results of a day to one value where some are bounds, such as <0.5: what a user chose is put in their place.

`half`, `limit` and `zero` take half the bound, the bound or nothing for what lies below it; `exclude` leaves such
results out; `km` is the Kaplan-Meier estimate. What lies above a bound is taken as the bound, but for `exclude`. A day
of nothing but bounds stays one: <0.5, or ND where no bound is known. docs/decisions/station-results.md says why.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from assay.datasets.station_measurements.aggregate import KEYS, Aggregate, aggregate, at_an_end
from assay.datasets.station_measurements.kaplan_meier import kaplan_meier

Censored = Literal["half", "limit", "zero", "exclude", "km"]
OF_KM = ("mean", "median", "sum", "count")
"""The aggregates that a Kaplan-Meier estimate gives."""

_MARKS = {-2: "≤", -1: "<", 1: ">", 2: "≥"}


def by_day(usable: pl.LazyFrame, how: Aggregate, policy: Censored, *, has_bounds: bool) -> pl.DataFrame:
    """Return station, date, pcode, value and sign, sorted by the first three.

    `value` is a double, for `count` an integer; with a `sign` (as in results.py) it is the bound, null where none is
    known. Where `exclude` leaves nothing of a day, and the day is no bound either, value is null and sign 0.
    """
    rows = usable.with_columns(pl.col("date_time").dt.date().alias("date"))
    if not has_bounds:
        values = aggregate(rows, how).with_columns(pl.lit(0, pl.Int8).alias("sign"))
    elif how == "count":
        counted = rows.group_by(KEYS).agg(
            (pl.col("sign") == 0).sum().cast(pl.Int64) if policy == "exclude" else pl.len().cast(pl.Int64).alias("sign")
        )
        values = (
            counted.rename({"sign": "value"}).with_columns(pl.lit(0, pl.Int8).alias("sign")).collect(engine="streaming")
        )
    else:
        days = _days(rows)
        values = _at_an_end(rows, days, how, policy) if how in ("first", "last") else _together(rows, days, how, policy)
    return values.select(*KEYS, "value", "sign").sort(KEYS).cast({"station": pl.String, "pcode": pl.String})


def as_text(value: pl.Expr, sign: pl.Expr) -> pl.Expr:
    """Write a value as it stands in a table: 4.1, <0.5, or ND where nothing was detected and no bound is known."""
    mark = sign.replace_strict(_MARKS, default="", return_dtype=pl.String)
    unknown = pl.when(sign < 0).then(pl.lit("ND")).when(sign > 0).then(pl.lit("TNTC"))
    return pl.when(value.is_not_null()).then(pl.concat_str(mark, value.cast(pl.String))).otherwise(unknown)


def _days(rows: pl.LazyFrame) -> pl.DataFrame:
    """Count the values and bounds of the days that have bounds; `alone` are those of one kind and no value."""
    sign, known = pl.col("sign"), pl.col("result").is_not_null()
    days = rows.group_by(KEYS).agg(
        (sign == 0).sum().alias("plain"),
        (sign < 0).sum().alias("left"),
        (sign > 0).sum().alias("right"),
        ((sign < 0) & known).sum().alias("left known"),
        pl.when(sign > 0).then(pl.col("result")).max().alias("highest bound"),
        (sign.abs() == 2).any().alias("loose"),
    )
    one_kind = (pl.col("left") > 0) != (pl.col("right") > 0)
    return (
        days.filter(pl.col("left") + pl.col("right") > 0)
        .with_columns(((pl.col("plain") == 0) & one_kind).alias("alone"))
        .collect(engine="streaming")
    )


def _at_an_end(rows: pl.LazyFrame, days: pl.DataFrame, how: Aggregate, policy: Censored) -> pl.DataFrame:
    """The first or last result of each day as it is, a bound or a value; `exclude` takes a value where there is one."""
    if policy == "exclude":
        with_values = days.lazy().filter(pl.col("plain") > 0).select(*KEYS, pl.lit(value=True).alias("has values"))
        has_values = pl.col("has values").fill_null(value=False)
        rows = rows.join(with_values, on=KEYS, how="left").filter((pl.col("sign") == 0) | ~has_values)
    ends = at_an_end(rows, last=how == "last", value="row").rename({"value": "row"})
    at_end = rows.join(ends.lazy(), on=[*KEYS, "row"]).select(*KEYS, pl.col("result").alias("value"), "sign")
    # A row of a wide table may have several times of a day, but no parameter twice.
    return at_end.unique(KEYS, keep="first").collect(engine="streaming")


def _together(rows: pl.LazyFrame, days: pl.DataFrame, how: Aggregate, policy: Censored) -> pl.DataFrame:
    alone = pl.col("alone").fill_null(value=False)
    joined = rows.join(days.lazy().select(*KEYS, "alone", "plain", "left known"), on=KEYS, how="left")
    estimated = pl.DataFrame()
    if policy == "km":
        of_km = (pl.col("plain") > 0) & (pl.col("left known") > 0)
        estimated = _kaplan_meier_of_days(joined.filter(of_km & pl.col("result").is_not_null()), how)
        joined = joined.filter(~of_km.fill_null(value=False))
    result = pl.col("result")
    taken = pl.when((pl.col("sign") == 0) | alone).then(result).otherwise(_in_its_place(policy))
    values = aggregate(joined.with_columns(taken.alias("result")).filter(result.is_not_null()), how)
    values = values.join(days, on=KEYS, how="full", coalesce=True).with_columns(_sign(how, policy).alias("sign"))
    if estimated.height:
        values = values.select(*KEYS, "value", "sign").join(estimated, on=KEYS, how="anti")
        return pl.concat([values, estimated.cast(values.schema)])
    return values


def _in_its_place(policy: Censored) -> pl.Expr:
    """The number that is taken for a bound beside values; null for none."""
    result = pl.col("result")
    nothing = pl.lit(None, pl.Float64)
    if policy == "exclude":
        return nothing
    # Half of a bound below 0 would lie above it.
    left = {
        "half": pl.when(result > 0).then(result / 2).otherwise(result),
        "zero": pl.when(result > 0).then(0.0).otherwise(result.fill_null(0.0)),
    }
    return pl.when(pl.col("sign") < 0).then(left.get(policy, result)).otherwise(result)


def _sign(how: Aggregate, policy: Censored) -> pl.Expr:
    """The sign of a day's value: that of its bounds where it has no value, or of what lies above where it says most."""
    loose = pl.when("loose").then(2).otherwise(1)
    left = pl.col("left") > 0
    above = pl.col("highest bound").is_not_null() & ~left & pl.lit(policy != "exclude")
    if how == "max":
        above &= pl.col("value") == pl.col("highest bound")
    elif how not in ("mean", "sum"):
        above = pl.lit(value=False)
    sign = pl.when("alone").then(pl.when(left).then(-loose).otherwise(loose)).when(above).then(loose).otherwise(0)
    return sign.fill_null(0).cast(pl.Int8)


def _kaplan_meier_of_days(rows: pl.LazyFrame, how: Aggregate) -> pl.DataFrame:
    """The estimate for each day that has values and bounds below; a bound above stands for a value."""
    sorted_rows = rows.select(*KEYS, "result", "sign").sort(KEYS).collect(engine="streaming")
    if not sorted_rows.height:
        return pl.DataFrame()
    groups = sorted_rows.group_by(KEYS, maintain_order=True).len()
    ends = groups["len"].cum_sum().to_list()
    results: npt.NDArray[np.float64] = sorted_rows["result"].to_numpy()
    is_bound = (sorted_rows["sign"] < 0).to_numpy()
    values, signs, start = [], [], 0
    for end in ends:
        part, bound = results[start:end], is_bound[start:end]
        mean, middle, is_below = kaplan_meier(part[~bound], part[bound])
        values.append({"mean": mean, "sum": mean * (end - start)}.get(how, middle))
        signs.append(-1 if how == "median" and is_below else 0)
        start = end
    return groups.select(KEYS).with_columns(pl.Series("value", values), pl.Series("sign", signs, pl.Int8))
