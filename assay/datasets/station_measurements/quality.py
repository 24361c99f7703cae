"""What is to be said about the data: rows refused, cells missing, outliers, duplicates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.datasets.station_measurements.rows import REASONS
from assay.figures.exact import exact_sums

MISSING_ALERT = 0.2
OUTLIER_Z = 3.0
OUTLIER_ALERT = 10
ROWS_LISTED = 1000
OUTLIERS_LISTED = 100
# Rows that are looked at together for duplicates: bounds the memory, at one more pass for each so many rows.
_ROWS_A_PASS = 10_000_000
_MEASUREMENT = ["station", "date_time", "pcode"]


@dataclass(frozen=True)
class Refusal:
    """Rows refused for one reason; at most 1,000 of their numbers, the first."""

    reason: str
    count: int
    rows: list[int]
    rows_listed: int


@dataclass(frozen=True)
class Missing:
    """Blank cells of one input column among the rows read."""

    column: str
    count: int
    rate: float
    alert: bool


@dataclass(frozen=True)
class Outlier:
    """One result and how many standard deviations it lies from the mean of its parameter code."""

    row: int
    station: str
    result: float
    z: float


@dataclass(frozen=True)
class Outliers:
    """The results of one parameter code with |z| > 3, z by the mean and sample standard deviation of all its rows.

    At most 100 are listed, the first in input order. `std` is None where there are fewer than 3 rows.
    """

    pcode: str
    rows: int
    mean: float | None
    std: float | None
    count: int
    alert: bool
    listed: list[Outlier]


@dataclass(frozen=True)
class Duplicates:
    """Rows that say the same measurement again; the first of each does not count. At most 1,000 rows are listed.

    Identical rows have the same station, date, time, code and result as an earlier one; a conflicting row is the first
    with its result where an earlier row has another. No row is both, and all stay in the analysis.
    """

    identical: int
    identical_rows: list[int]
    conflicting: int
    conflicting_rows: list[int]


def refusals(rows: pl.LazyFrame) -> list[Refusal]:
    """Count the rows that carry a reason, in the order of REASONS."""
    refused = rows.filter(pl.col("reason").is_not_null())
    counts = dict(refused.group_by("reason").len().collect(engine="streaming").iter_rows())
    found = []
    for reason in (reason for reason in REASONS if reason in counts):
        first = refused.filter(pl.col("reason") == reason).select("row").head(ROWS_LISTED).collect(engine="streaming")
        found.append(Refusal(reason, counts[reason], first["row"].to_list(), first.height))
    return found


def missing(columns: tuple[str, ...], filled: list[int], rows: int) -> list[Missing]:
    """Tell the share of blank cells of each column, in the columns' order."""
    return [
        Missing(name, rows - count, round((rows - count) / rows, 6), (rows - count) / rows >= MISSING_ALERT)
        for name, count in zip(columns, filled, strict=True)
    ]


def outliers(usable: pl.LazyFrame) -> dict[str, Outliers]:
    """Find the results far from the mean of their parameter code. The same whatever the order of the rows.

    Everything is computed on results divided by a power of two near the greatest of their code, so that no square
    leaves the range of the doubles.
    """
    size = usable.group_by("pcode").agg(pl.col("result").abs().max().alias("size")).collect(engine="streaming")
    scales = size.select("pcode", pl.col("size").map_elements(_scale, return_dtype=pl.Float64).alias("scale"))
    scaled = usable.join(scales.lazy(), on="pcode").with_columns((pl.col("result") / pl.col("scale")).alias("x"))
    x = pl.col("x")
    sums = exact_sums(scaled, "x", ["pcode"], [(x.min() == x.max()).alias("constant")])
    means = sums.select("pcode", "n", "constant", "mean")
    apart = scaled.join(means.lazy(), on="pcode").with_columns((x - pl.col("mean")).alias("apart"))
    squares = exact_sums(apart.with_columns(pl.col("apart") ** 2), "apart", ["pcode"]).select("pcode", "sum")
    spread = (pl.col("sum") / (pl.col("n") - 1)).sqrt()
    std = pl.when(pl.col("n") >= 3).then(pl.when(pl.col("constant")).then(0.0).otherwise(spread))
    stats = means.join(squares, on="pcode").join(scales, on="pcode").with_columns(std.alias("std"))
    z = pl.col("apart") / pl.col("std")
    far = (
        apart.join(stats.lazy().select("pcode", "std"), on="pcode")
        .filter(pl.col("std") > 0)
        .with_columns(z.alias("z"))
        .filter(pl.col("z").abs() > OUTLIER_Z)
        .select("pcode", "row", "station", "result", "z")
        .collect(engine="streaming")
        .sort("row")
        .partition_by("pcode", as_dict=True, include_key=False)
    )
    found = {}
    for pcode, n, mean, scale, deviation in (
        stats.select("pcode", "n", "mean", "scale", "std").sort("pcode").iter_rows()
    ):
        rows = far.get((pcode,), pl.DataFrame())
        listed = [Outlier(*row) for row in rows.head(OUTLIERS_LISTED).iter_rows()]
        found[pcode] = Outliers(
            pcode, n, mean * scale, None if deviation is None else _finite(deviation * scale), rows.height,
            rows.height >= OUTLIER_ALERT, listed,
        )  # fmt: skip
    return found


def duplicates(usable: pl.LazyFrame, rows: int) -> Duplicates:
    """Find rows that repeat or contradict an earlier one, a share of the moments at a time."""
    passes = -(-rows // _ROWS_A_PASS) or 1
    counts = {"identical": 0, "conflicting": 0}
    listed: dict[str, list[int]] = {"identical": [], "conflicting": []}
    # A prime, so that days and hours don't all fall into the same pass.
    share = pl.col("date_time").dt.epoch("s") % 1_000_003 % passes
    for number in range(passes):
        part = _suspects(usable.filter(share == number) if passes > 1 else usable)
        first = pl.col("row").min().alias("first")
        result = pl.col("result")
        same = part.group_by(*_MEASUREMENT, "result").agg(pl.len(), first).filter(pl.col("len") > 1)
        apart = part.group_by(_MEASUREMENT).agg(first, result.min().alias("least"), result.max().alias("greatest"))
        apart = apart.filter(pl.col("least") != pl.col("greatest"))
        for name, groups, on in (("identical", same, [*_MEASUREMENT, "result"]), ("conflicting", apart, _MEASUREMENT)):
            again = part.join(groups.select(*on, "first"), on=on)
            if name == "conflicting":
                again = again.group_by(*_MEASUREMENT, "result", "first").agg(pl.col("row").min())
            again = again.filter(pl.col("row") != pl.col("first"))
            counts[name] += again.height
            listed[name] = sorted([*listed[name], *again["row"].bottom_k(ROWS_LISTED)])[:ROWS_LISTED]
    return Duplicates(counts["identical"], listed["identical"], counts["conflicting"], listed["conflicting"])


def _suspects(usable: pl.LazyFrame) -> pl.DataFrame:
    """The rows that may not be alone with their station, time and code: a hash of the three occurs more than once.

    To sort the hashes takes a tenth of the time and memory of groups, and in most files hardly a row is left.
    """
    hashed = pl.struct(_MEASUREMENT).hash()
    hashes = np.sort(usable.select(hashed.alias("hash")).collect(engine="streaming")["hash"].to_numpy())
    twice = pl.Series(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    if twice.is_empty():
        return usable.head(0).collect(engine="streaming")
    return usable.filter(hashed.is_in(twice.implode())).collect(engine="streaming")


def _scale(size: float) -> float:
    """The power of two below `size`; 1 for 0."""
    return math.ldexp(1.0, math.frexp(size)[1] - 1) if size else 1.0


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
