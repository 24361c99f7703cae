"""What the rows are: refused, missing cells, values and bounds, duplicates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.datasets.station_measurements.rows import REASONS

MISSING_ALERT = 0.2
ROWS_LISTED = 1000
FLAGS_LISTED = 20
# Rows that are looked at together for duplicates: bounds the memory, at one more pass for each so many rows.
_ROWS_A_PASS = 10_000_000
_MEASUREMENT = ["station", "date_time", "pcode"]
_SAID = ["result", "sign"]


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
class Duplicates:
    """Rows that say the same measurement again; the first of each does not count. At most 1,000 rows are listed.

    Identical rows have the same station, date, time, parameter and result as an earlier one; a conflicting row is the
    first with its result where an earlier row has another. No row is both, and all stay in the analysis.
    """

    identical: int
    identical_rows: list[int]
    conflicting: int
    conflicting_rows: list[int]


def refusals(rows: pl.LazyFrame) -> list[Refusal]:
    """Count the rows that carry a reason, in the order of REASONS."""
    refused = rows.filter(pl.col("reason").is_not_null())
    counts = dict(refused.group_by("reason").len().collect(engine="streaming").iter_rows())
    reasons = []
    for reason in (reason for reason in REASONS if reason in counts):
        first = refused.filter(pl.col("reason") == reason).select("row").head(ROWS_LISTED).collect(engine="streaming")
        reasons.append(Refusal(reason, counts[reason], first["row"].to_list(), first.height))
    return reasons


def missing(columns: tuple[str, ...], filled: list[int], rows: int) -> list[Missing]:
    """Tell the share of blank cells of each column, in the columns' order."""
    return [
        Missing(name, rows - count, round((rows - count) / rows, 6), (rows - count) / rows >= MISSING_ALERT)
        for name, count in zip(columns, filled, strict=True)
    ]


def results(usable: pl.LazyFrame) -> pl.DataFrame:
    """Count for each station and series what its results are, sorted by both.

    Columns: station, pcode, rows; values; below and above, bounds of each kind; unknown, those of them without a
    number; estimated values; by_limit, bounds that are from a column of limits.
    """
    sign = pl.col("sign")
    counts = usable.group_by("station", "pcode").agg(
        pl.len().alias("rows"),
        (sign == 0).sum().alias("values"),
        (sign < 0).sum().alias("below"),
        (sign > 0).sum().alias("above"),
        pl.col("result").is_null().sum().alias("unknown"),
        pl.col("estimated", "by_limit").sum(),
    )
    named = counts.collect(engine="streaming").cast({"station": pl.String, "pcode": pl.String})
    return named.sort("station", "pcode")


def unknown_flags(usable: pl.LazyFrame) -> list[tuple[str, int]]:
    """The qualifiers that are not known, the most frequent first, and how many rows have each; at most 20."""
    counts = usable.filter(pl.col("flag").is_not_null()).group_by("flag").len().collect(engine="streaming")
    return list(counts.sort(["len", "flag"], descending=[True, False]).head(FLAGS_LISTED).iter_rows())


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
        same = part.group_by(*_MEASUREMENT, *_SAID).agg(pl.len(), first).filter(pl.col("len") > 1)
        apart = part.group_by(_MEASUREMENT).agg(first, pl.struct(_SAID).n_unique().alias("different"))
        apart = apart.filter(pl.col("different") > 1)
        for name, groups, on in (("identical", same, [*_MEASUREMENT, *_SAID]), ("conflicting", apart, _MEASUREMENT)):
            again = part.join(groups.select(*on, "first"), on=on)
            if name == "conflicting":
                again = again.group_by(*_MEASUREMENT, *_SAID, "first").agg(pl.col("row").min())
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
    needed = usable.select("row", *_MEASUREMENT, *_SAID)
    if twice.is_empty():
        return needed.head(0).collect(engine="streaming")
    # A bound without a number equals another such, which a null does not.
    known = pl.col("result").fill_null(float("nan"))
    return needed.filter(hashed.is_in(twice.implode())).with_columns(known).collect(engine="streaming")
