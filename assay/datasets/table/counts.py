"""Each column's different values and how often each stands there: what nearly every other figure is derived from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh

from assay.datasets.table import limits

# One of so many values is kept, by its hash, to estimate how many there are.
_HASHED = 64


@dataclass(frozen=True)
class Extent:
    """How much there is in a column: `rows` cells, `filled` ones, and `distinct` values among these.

    `least` and `greatest` are the ends of its values as numbers: days since 1970 for a date, microseconds since then
    for a moment, nanoseconds for a time of day; None for texts. `step` is the constant difference between the whole
    number, day or moment of one row and the next's, where there is one and it is not 0. Where `exact` is not set,
    `distinct` is an estimate, and so is everything that is derived from the column's counts; the rest is exact always.
    """

    rows: int
    filled: int
    distinct: int
    exact: bool
    least: int | float | None = None
    greatest: int | float | None = None
    step: int | None = None


@dataclass(frozen=True)
class Counts:
    """The different values of a column, none of them null, and how often each occurs (as many `counts` as `values`).

    Numbers, dates and times ascend; texts are in no order. Of a column whose extent is not exact they are those of an
    even sample of the rows.
    """

    extent: Extent
    values: pl.Series
    counts: npt.NDArray[np.int64]

    @property
    def counted(self) -> int:
        """How many filled cells the counts stand for: all of them, or those of the sample."""
        return int(self.counts.sum())

    @property
    def ordered(self) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
        """The values as numbers, ascending, as `Extent` has them."""
        whole = self.values.to_physical()
        return whole.cast(pl.Float64 if whole.dtype.is_float() else pl.Int64).to_numpy()


@dataclass(frozen=True)
class Bounds:
    """From which size on a column is no longer counted in one piece, and what is done then (see limits.py)."""

    text_rows: int = limits.EXACT_TEXT_ROWS
    number_rows: int = limits.EXACT_NUMBER_ROWS
    distinct: int = limits.MAX_DISTINCT
    sample_rows: int = limits.SAMPLE_ROWS
    block_cells: int = limits.BLOCK_CELLS


def scan(path: Path) -> pl.LazyFrame:
    """Scan a Parquet file whose columns are then called "0", "1", ...: a name such as `^a.*$` means more to Polars."""
    frame = pl.scan_parquet(path, glob=False)
    return frame.rename({name: str(at) for at, name in enumerate(frame.collect_schema())})


def counted_columns(path: Path, rows: int, bounds: Bounds | None = None) -> Iterator[Counts]:
    """Count the columns of a Parquet file of `rows` rows, one after the other; several short ones are read at once."""
    bounds = bounds or Bounds()
    frame = scan(path)
    types = frame.collect_schema().dtypes()
    block = max(1, bounds.block_cells // max(rows, 1))
    for start in range(0, len(types), block):
        wanted = [str(at) for at in range(start, min(start + block, len(types)))]
        large = rows > (bounds.text_rows if types[start] == pl.String else bounds.number_rows)
        if len(wanted) == 1 and large:
            yield _counts_of_large(frame.select(wanted), types[start], rows, bounds)
        else:
            for series in frame.select(wanted).collect(engine="streaming"):
                yield counts_of(series)


def counts_of(series: pl.Series) -> Counts:
    """Count a column that is in memory; NaN counts as blank."""
    if series.dtype.is_float():
        series = series.fill_nan(None)
    rows, filled = series.len(), series.len() - series.null_count()
    if series.dtype in (pl.String, pl.Boolean):
        table = series.value_counts(name="count").drop_nulls(series.name)
        table = table.sort(series.name) if series.dtype == pl.Boolean else table
        extent = Extent(rows, filled, table.height, exact=True)
        return Counts(extent, table[series.name], table["count"].cast(pl.Int64).to_numpy())
    # To sort numbers and see where they change is faster than to group them, and takes less memory. 0.0 is -0.0.
    whole = series.to_physical()
    plain = (whole + 0.0 if series.dtype.is_float() else whole.cast(pl.Int64)).drop_nulls().sort().to_numpy()
    starts = np.flatnonzero(np.concatenate(([True], plain[1:] != plain[:-1]))) if filled else np.empty(0, np.int64)
    counts = np.diff(starts, append=filled).astype(np.int64)
    step = _step(whole.cast(pl.Int64), plain) if len(counts) == rows > 1 and not series.dtype.is_float() else None
    least, greatest = (plain[0].item(), plain[-1].item()) if filled else (None, None)
    extent = Extent(rows, filled, len(counts), exact=True, least=least, greatest=greatest, step=step)
    return Counts(extent, pl.Series(series.name, plain[starts]).cast(series.dtype), counts)


def _step(whole: pl.Series, ascending: npt.NDArray[np.int64]) -> int | None:
    """The constant difference between neighbours of a column whose values all differ."""
    step = int(whole[1]) - int(whole[0])
    if int(ascending[-1]) - int(ascending[0]) != abs(step) * (len(ascending) - 1):
        return None
    if len(ascending) == 2:  # where the difference may be beyond 64 bits
        return step
    return step if (whole.diff().drop_nulls() == step).all() else None


def _counts_of_large(column: pl.LazyFrame, dtype: pl.DataType, rows: int, bounds: Bounds) -> Counts:
    """Count the one column of a frame that is too long to be held: as a stream where few values differ, else a sample.

    Which values differ is estimated by those whose hash ends in zeros, so that the estimate is the same at each run.
    """
    column = column.select(
        (pl.all().fill_nan(None) + 0.0 if dtype.is_float() else pl.all()).name.map(lambda _: "value")
    )
    value = pl.col("value")
    kept = column.filter(_hash(pl.col("value")) % _HASHED == 0)
    distinct = int(kept.select(value.n_unique()).collect(engine="streaming").item()) * _HASHED
    whole = value if dtype == pl.String else value.to_physical()
    filled, least, greatest = (
        column.select(value.count(), whole.min().alias("least"), whole.max().alias("greatest"))
        .collect(engine="streaming")
        .row(0)
    )
    ends = {} if dtype == pl.String else {"least": least, "greatest": greatest}
    if distinct <= bounds.distinct:
        table = column.drop_nulls().group_by("value").len().collect(engine="streaming")
        table = table if dtype == pl.String else table.sort("value")
        extent = Extent(rows, filled, table.height, exact=True, **ends)
        return Counts(extent, table["value"], table["len"].cast(pl.Int64).to_numpy())
    sample = counts_of(column.gather_every(-(-rows // bounds.sample_rows)).collect(engine="streaming")["value"])
    distinct = min(max(distinct, sample.extent.distinct), filled)
    return Counts(Extent(rows, filled, distinct, exact=False, **ends), sample.values, sample.counts)


def _hash(value: pl.Expr) -> pl.Expr:
    # The package registers the namespace on every expression, and typing cannot see it.
    return cast("plh.NonCryptographicHashingNameSpace", value.cast(pl.String).nchash).wyhash()  # type: ignore[attr-defined]
