"""Results far from the others of their station and parameter, by the modified z-score.

z = 0.6745 (x - median) / MAD, and |z| > 3.5 is an outlier (B. Iglewicz and D. Hoaglin, How to Detect and Handle
Outliers, 1993). MAD is the median of the distances from the median. Neither moves much with the outliers themselves,
unlike a mean and a standard deviation, by which no z of n values is above (n - 1) / sqrt(n).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

OUTLIER_Z = 3.5
# Of 10 values without an outlier 1 in 60 is beyond it, of 5 values 1 in 19: docs/decisions/station-results.md.
LEAST_VALUES = 10
OUTLIERS_LISTED = 100
SERIES_LISTED = 1000
_CONSISTENT = 0.6745
_SERIES = ["station", "pcode"]


@dataclass(frozen=True)
class Outlier:
    """One result, and its modified z-score."""

    row: int
    date: str
    result: float
    z: float


@dataclass(frozen=True)
class Outliers:
    """The outliers of one station and series; at most 100 are listed, the first in input order."""

    station: str
    pcode: str
    values: int
    median: float
    mad: float
    count: int
    listed: list[Outlier]


@dataclass(frozen=True)
class Judged:
    """All outliers, and how many pairs of station and series were judged.

    `too_few` have less than 10 values, and `no_spread` a MAD of 0: more than half of their values are equal. Neither is
    judged. `series` has those with outliers, at most 1,000, those with the most first.
    """

    count: int
    judged: int
    too_few: int
    no_spread: int
    series: list[Outliers]


def judge(usable: pl.LazyFrame) -> Judged:
    """Find the outliers among the values; bounds are neither judged nor counted. The order of the rows is no matter."""
    values = usable.filter(pl.col("sign") == 0)
    centres = (
        values.group_by(_SERIES)
        .agg(pl.len().alias("n"), pl.col("result").median().alias("median"))
        .collect(engine="streaming")
    )
    enough = centres.filter(pl.col("n") >= LEAST_VALUES)
    apart = (pl.col("result") - pl.col("median")).abs()
    near = values.join(enough.lazy(), on=_SERIES).select("row", *_SERIES, "date_time", "result", "median", apart=apart)
    spreads = near.group_by(_SERIES).agg(pl.col("apart").median().alias("mad")).collect(engine="streaming")
    spread = enough.join(spreads, on=_SERIES).filter(pl.col("mad") > 0, pl.col("mad").is_finite())
    z = _CONSISTENT * ((pl.col("result") - pl.col("median")) / pl.col("mad"))
    outliers = (
        near.join(spread.lazy().select(*_SERIES, "mad"), on=_SERIES)
        .with_columns(z.alias("z"), pl.col("date_time").dt.date().cast(pl.String).alias("date"))
        .filter(pl.col("z").abs() > OUTLIER_Z)
        .select(*_SERIES, "row", "date", "result", "z")
        .collect(engine="streaming")
        .sort("row")
    )
    counts = outliers.group_by(_SERIES).len("count").join(spread, on=_SERIES)
    counts = counts.cast(dict.fromkeys(_SERIES, pl.String)).sort(["count", *_SERIES], descending=[True, False, False])
    listed = (
        outliers.group_by(_SERIES, maintain_order=True).head(OUTLIERS_LISTED).cast(dict.fromkeys(_SERIES, pl.String))
    )
    by_series = listed.partition_by(_SERIES, as_dict=True, include_key=False)
    series = [
        Outliers(
            station, pcode, n, middle, mad, count, [Outlier(*row) for row in by_series[station, pcode].iter_rows()]
        )
        for station, pcode, n, middle, mad, count in counts.head(SERIES_LISTED)
        .select(*_SERIES, "n", "median", "mad", "count")
        .iter_rows()
    ]
    return Judged(outliers.height, spread.height, centres.height - enough.height, enough.height - spread.height, series)
