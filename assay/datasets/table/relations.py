"""How columns hang together: correlations of numbers, associations of categories, and one with the other.

All sums are taken in one thread and over the rows in their order, a fixed number of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from assay.datasets.table import limits
from assay.datasets.table.column import Profile
from assay.datasets.table.counts import scan
from assay.datasets.table.numbers import less
from assay.types import Kind

Matrix = npt.NDArray[np.float64]
Square = tuple[tuple[float | None, ...], ...]

# So many rows of 40 columns fit a core's cache.
_CHUNK = 4_096
_READ = 262_144
_DIGITS = 6


@dataclass(frozen=True)
class Relation:
    """One measure for each pair of a row and a column; None where it is not defined (too few rows, or no spread).

    `rows` were compared; where these are not all of the table's, `exact` is not set.
    """

    down: tuple[str, ...]
    across: tuple[str, ...]
    values: Square
    rows: int
    exact: bool


@dataclass(frozen=True)
class Relations:
    """`pearson` and `spearman` are from -1 to 1, `cramers_v` and `correlation_ratio` from 0 to 1.

    `left_out` names columns beyond the limit of those that are compared.
    """

    pearson: Relation
    spearman: Relation
    cramers_v: Relation
    correlation_ratio: Relation
    left_out: tuple[str, ...]


def relations(
    path: Path,
    columns: Sequence[Profile],
    rows: int,
    progress: Callable[[float], None],
    most: int = limits.RELATION_ROWS,
) -> Relations:
    """Compare the columns of a Parquet file pair by pair, each pair over the rows in which both are filled."""
    usable = [column for column in columns if column.extent.distinct > 1]
    numbers = [one for one in usable if one.is_number and one.spread and one.spread.std]
    groups = [one for one in usable if _is_category(one)]
    left_out = (*numbers[limits.MAX_RELATED :], *groups[limits.MAX_RELATED :])
    numbers, groups = numbers[: limits.MAX_RELATED], groups[: limits.MAX_RELATED]
    frame = scan(path)
    progress(0.0)
    pearson = _correlations(_standardised(frame, numbers, rows), len(numbers))
    progress(0.4)
    every = max(1, -(-rows // most))
    sample = frame.select(sorted({str(one.position - 1) for one in (*numbers, *groups)})).gather_every(every)
    held = sample.collect(engine="streaming")
    ranks = [_ranks(held[str(one.position - 1)]) for one in numbers]
    figures = [_centred(held[str(one.position - 1)], one) for one in numbers]
    spearman = _correlations(_chunks(ranks), len(ranks))
    progress(0.6)
    codes = [_codes(held[str(one.position - 1)]) for one in groups]
    crossed = tuple(
        tuple(1.0 if i == j else _cramers_v(one, other) for j, other in enumerate(codes)) for i, one in enumerate(codes)
    )
    progress(0.8)
    ratio = tuple(tuple(_correlation_ratio(code, series) for code in codes) for series in figures)
    named, grouped = tuple(one.name for one in numbers), tuple(one.name for one in groups)
    exact = every == 1
    return Relations(
        pearson=Relation(named, named, pearson, rows, exact=True),
        spearman=Relation(named, named, spearman, held.height if numbers else rows, exact),
        cramers_v=Relation(grouped, grouped, crossed, held.height if groups else rows, exact),
        correlation_ratio=Relation(named, grouped, ratio, held.height if numbers and groups else rows, exact),
        left_out=tuple(one.name for one in left_out),
    )


def _is_category(column: Profile) -> bool:
    few = 2 <= column.extent.distinct <= limits.MAX_CATEGORIES
    if column.type.kind is Kind.BOOLEAN:
        return few
    is_text = column.type.kind is Kind.TEXT
    return few and (is_text or column.meaning.name == "flag") and column.extent.distinct < column.filled


def _standardised(frame: pl.LazyFrame, columns: Sequence[Profile], rows: int) -> Iterator[Matrix]:
    """Give the columns as z-scores, a chunk of rows at a time: columns down, NaN where blank or infinite."""
    if not columns:
        return
    names = [str(one.position - 1) for one in columns]
    stds = np.array([[one.spread.std or 1.0 if one.spread else 1.0] for one in columns])
    wanted = frame.select(names)
    for start in range(0, rows, _READ):
        part = wanted.slice(start, _READ).collect(engine="streaming")
        block = np.stack(
            [_centred(part[name], one).fill_null(np.nan).to_numpy() for name, one in zip(names, columns, strict=True)]
        )
        block[~np.isfinite(block)] = np.nan
        for at in range(0, block.shape[1], _CHUNK):
            yield block[:, at : at + _CHUNK] / stds


def _centred(series: pl.Series, column: Profile) -> pl.Series:
    """A column's values without their mean, as doubles: nearby ones stay apart, however far from 0 they are.

    Half of them where they are no whole numbers: the difference of two doubles may be beyond the doubles.
    """
    extent, spread = column.extent, column.spread
    mean = spread.mean if spread and spread.mean is not None else 0.0
    if series.dtype.is_integer() and isinstance(extent.least, int) and isinstance(extent.greatest, int):
        there = series.is_not_null()
        centre = min(max(round(mean), extent.least), extent.greatest)
        apart = less(series.fill_null(centre).to_numpy(), centre, extent.least, extent.greatest)
        return pl.select(pl.when(there).then(pl.Series(apart))).to_series()
    return series.cast(pl.Float64) * 0.5 - mean * 0.5


def _ranks(series: pl.Series) -> pl.Series:
    """Average ranks of a column's finite values, about 0 and at most 1 in size."""
    if series.dtype.is_float():
        series = pl.select(pl.when(series.is_finite()).then(series)).to_series()
    n = max(series.count(), 1)
    return (series.rank("average") - (n + 1) / 2) / n


def _chunks(columns: Sequence[pl.Series]) -> Iterator[Matrix]:
    if not columns:
        return
    block = np.stack([series.fill_null(np.nan).to_numpy() for series in columns])
    for at in range(0, block.shape[1], _CHUNK):
        yield block[:, at : at + _CHUNK]


def _correlations(chunks: Iterator[Matrix], size: int) -> Square:
    """Pearson's r of each pair, over the rows in which both are numbers: chunks have columns down, NaN where blank."""
    n, x, xx, xy = (np.zeros((size, size)) for _ in range(4))
    for chunk in chunks:
        there = ~np.isnan(chunk)
        if there.all():
            sums = chunk.sum(axis=1)[:, None]
            n += chunk.shape[1]
            x += sums
            xx += (chunk * chunk).sum(axis=1)[:, None]
            _add_products(xy, chunk, chunk, symmetric=True)
            continue
        filled, ones = np.where(there, chunk, 0.0), there.astype(np.float64)
        _add_products(n, ones, ones, symmetric=True)
        _add_products(x, filled, ones)
        _add_products(xx, filled * filled, ones)
        _add_products(xy, filled, filled, symmetric=True)
    safe = np.maximum(n, 1.0)
    own, other = xx - x * x / safe, xx.T - x.T * x.T / safe
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        r = (xy - x * x.T / safe) / np.sqrt(own * other)
    # What is left of a sum that cancels is no spread.
    tiny = (own <= 1e-12 * np.maximum(xx, 1e-300)) | (other <= 1e-12 * np.maximum(xx.T, 1e-300))
    r[tiny | (n < 2) | ~np.isfinite(r)] = np.nan
    return tuple(tuple(_rounded(float(value)) for value in row) for row in np.clip(r, -1, 1))


def _add_products(total: Matrix, left: Matrix, right: Matrix, *, symmetric: bool = False) -> None:
    """Add the sums of products of each two rows. Not by BLAS, whose sums depend on its threads and the processor."""
    for at in range(len(left)):
        start = at if symmetric else 0
        sums = (left[at] * right[start:]).sum(axis=1)
        total[at, start:] += sums
        if symmetric:
            total[at + 1 :, at] += sums[1:]


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, _DIGITS) + 0.0


@dataclass(frozen=True)
class _Codes:
    """A column of categories as numbers from 0 to `size` - 1; -1 where blank."""

    codes: npt.NDArray[np.int64]
    size: int


def _codes(series: pl.Series) -> _Codes:
    names = series.cast(pl.String)
    known = names.drop_nulls().unique().sort()
    codes = names.cast(pl.Enum(known)).to_physical().cast(pl.Int64).fill_null(-1)
    return _Codes(codes.to_numpy(), len(known))


def _cramers_v(one: _Codes, other: _Codes) -> float | None:
    """Cramér's V, not corrected for bias: the root of chi squared / (n (min(rows, columns) - 1)).

    H. Cramér, Mathematical Methods of Statistics, 1946, section 21.9.
    """
    both = (one.codes >= 0) & (other.codes >= 0)
    cells = np.bincount(one.codes[both] * other.size + other.codes[both], minlength=one.size * other.size)
    table = cells.reshape(one.size, other.size).astype(np.float64)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return None
    expected = table.sum(axis=1)[:, None] * table.sum(axis=0)[None, :] / table.sum()
    squared = float(((table - expected) ** 2 / expected).sum())
    return _rounded(min(1.0, float(np.sqrt(squared / (table.sum() * (min(table.shape) - 1))))))


def _correlation_ratio(groups: _Codes, numbers: pl.Series) -> float | None:
    """The correlation ratio, eta: the root of the share of a number's variance that lies between the groups.

    K. Pearson, On the general theory of skew correlation and non-linear regression, 1905.
    """
    values = numbers.fill_null(np.nan).to_numpy()
    both = (groups.codes >= 0) & np.isfinite(values)
    code, values = groups.codes[both], values[both]
    if len(values) < 2:
        return None
    size = float(np.abs(values).max())
    scaled = values / size if size > 0 else values
    scaled = scaled - scaled.mean()
    total = float((scaled * scaled).sum())
    counts = np.bincount(code, minlength=groups.size)
    filled = counts > 0
    if total <= 0 or filled.sum() < 2:
        return None
    sums = np.bincount(code, weights=scaled, minlength=groups.size)
    between = float((sums[filled] ** 2 / counts[filled]).sum())
    return _rounded(min(1.0, float(np.sqrt(between / total))))
