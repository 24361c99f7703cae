"""Figures of numbers, dates and times, all from ascending values and their counts.

Sums, means and quantiles are exact and rounded once: to the nearest double, and of whole numbers beyond 2**53 to the
nearest whole number. No sum depends on the number of threads: the order of the values is fixed, and numpy adds pairwise
in one thread.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from assay.datasets.table import limits
from assay.figures.exact import ratio, weighted

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

QUANTILES = tuple(Fraction(percent, 100) for percent in (1, 5, 25, 50, 75, 95, 99))
OUTLIER_Z = 3.0
OUTLIER_IQR = 1.5


@dataclass(frozen=True)
class Spread:
    """Figures of the finite values; None where there are too few for one, or where no double holds it.

    `std` is that of a sample (n - 1), `quantiles` are of type 7 (linear; Hyndman and Fan 1996) at QUANTILES,
    `skewness` and `kurtosis` (in excess of the normal's 0) those of the population.
    """

    finite: int
    infinite: int
    sum: float | int | None
    mean: float | int | None
    std: float | None
    skewness: float | None
    kurtosis: float | None
    quantiles: tuple[float | int, ...]
    zeros: int
    negative: int


@dataclass(frozen=True)
class Outliers:
    """How many values lie far off: more than OUTLIER_Z standard deviations from the mean, and outside Tukey's fences.

    The fences are OUTLIER_IQR interquartile ranges below the first and above the third quartile; where half of the
    values or more are equal there is no range, and no fence.
    """

    z: int | None
    low_fence: float | int | None
    high_fence: float | int | None
    iqr: int | None


@dataclass(frozen=True)
class Bins:
    """A histogram of equal widths: `counts[i]` values from `edges[i]` up to `edges[i + 1]`, the last edge included.

    Edges of whole numbers that no double holds are whole numbers, and their widths differ by one at most.
    """

    edges: tuple[float | int, ...]
    counts: tuple[int, ...]


def finite(values: Numbers, counts: Whole) -> tuple[Numbers, Whole]:
    """Leave out what is infinite."""
    if values.dtype.kind != "f":
        return values, counts
    kept = np.isfinite(values)
    return values[kept], counts[kept]


def spread(values: Numbers, counts: Whole) -> Spread:
    """Compute the figures of ascending values, some of which may be infinite."""
    total = int(counts.sum())
    values, counts = finite(values, counts)
    n = int(counts.sum())
    zeros, negative = int(counts[values == 0].sum()), int(counts[values < 0].sum())
    if not n:
        return Spread(0, total, None, None, None, None, None, (), 0, 0)
    # A power of two loses no digit, and what is at most 1 overflows in no power.
    scale = 2.0 ** min(math.frexp(max(abs(float(values[0])), abs(float(values[-1]))))[1], 1023)
    added: int | float
    mean: int | float
    if values.dtype.kind == "i":
        added = _whole_sum(values, counts)
        mean = _nearest(Fraction(added, n), whole=True)
        offs = (
            less(values.astype(np.int64, copy=False), added // n, int(values[0]), int(values[-1])) - added % n / n
        ) / scale
    else:
        real = values.astype(np.float64, copy=False)
        added, mean = weighted(real, counts)
        offs = (real - mean) / scale if abs(mean) < _LARGE else real / scale - mean / scale
    squares = offs * offs
    weighed = squares * counts
    second = float(np.sum(weighed))
    std = _held(math.sqrt(second / (n - 1)) * scale) if n > 1 else None
    skewness = kurtosis = None
    if second > 0 and n > 2:
        variance = second / n
        skewness = _held(float(np.sum(weighed * offs)) / n / variance**1.5) if variance**1.5 > 0 else None
        kurtosis = _held(float(np.sum(weighed * squares)) / n / variance**2 - 3) if variance**2 > 0 else None
    up_to = np.cumsum(counts)
    whole = values.dtype.kind == "i"
    at = tuple(_nearest(_quantile(values, up_to, q), whole=whole) for q in QUANTILES)
    total_sum = added if isinstance(added, int) else _held(added)
    return Spread(n, total - n, total_sum, mean, std, skewness, kurtosis, at, zeros, negative)


_LARGE = 2.0**1000


def _whole_sum(values: Numbers, counts: Whole) -> int:
    # In two halves, so that neither sum is beyond 64 bits.
    upper = values.astype(np.int64) >> 32
    high, low = int(np.sum(upper * counts)), int(np.sum((values - (upper << 32)).astype(np.int64) * counts))
    return (high << 32) + low


def less(values: Whole, centre: int, least: int, greatest: int) -> npt.NDArray[np.float64]:
    """Subtract `centre` from whole numbers of 64 bits before they become doubles, which lose digits beyond 2**53.

    All of them, and `centre`, lie between `least` and `greatest`.
    """
    if greatest - least < 2**63:
        return (values - np.int64(centre)).astype(np.float64)
    return values.astype(np.float64) - float(centre)


def _held(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _nearest(number: Fraction, *, whole: bool) -> float | int:
    """The nearest double, infinite beyond them; in a column of `whole` numbers beyond 2**53 the nearest of these."""
    if whole and abs(number) > 2**53:
        return round(number)
    return ratio(number.numerator, number.denominator)


def _quantile(values: Numbers, up_to: Whole, q: Fraction) -> Fraction:
    """The quantile of type 7: at h = (n - 1) q between the values of rank floor(h) and the next, in proportion.

    `values` ascend and are finite; `up_to` are their cumulated counts.
    """
    place = (int(up_to[-1]) - 1) * q
    below = math.floor(place)
    low, high = (
        Fraction(values[np.searchsorted(up_to, rank, side="right")].item())
        for rank in (below, min(below + 1, int(up_to[-1]) - 1))
    )
    return low + (high - low) * (place - below)


def outliers(values: Numbers, counts: Whole, figures: Spread) -> Outliers:
    """Count what lies far off among ascending values."""
    values, counts = finite(values, counts)
    up_to = np.cumsum(counts)
    whole = values.dtype.kind == "i"

    def outside(low: Fraction, high: Fraction) -> int:
        # Beside whole numbers a bound of the same kind: they would become doubles beside a double.
        first = _of_64_bits(math.ceil(low)) if whole else _nearest(low, whole=False)
        last = _of_64_bits(math.floor(high)) if whole else _nearest(high, whole=False)
        places = np.searchsorted(values, first, side="left"), np.searchsorted(values, last, side="right")
        below, within = (int(up_to[place - 1]) if place else 0 for place in places)
        return below + int(up_to[-1]) - within

    z = None
    if figures.mean is not None and figures.std:
        mean = Fraction(figures.sum, figures.finite) if isinstance(figures.sum, int) else Fraction(figures.mean)
        far = Fraction(OUTLIER_Z) * Fraction(figures.std)
        z = outside(mean - far, mean + far)
    if not figures.finite:
        return Outliers(z, None, None, None)
    first, third = (_quantile(values, up_to, q) for q in (Fraction(1, 4), Fraction(3, 4)))
    fences = first - Fraction(OUTLIER_IQR) * (third - first), third + Fraction(OUTLIER_IQR) * (third - first)
    low, high = (_nearest(fence, whole=whole) for fence in fences)
    if third <= first or not math.isfinite(low) or not math.isfinite(high):
        return Outliers(z, None, None, None)
    return Outliers(z, low, high, outside(*fences))


def _of_64_bits(number: int) -> np.int64:
    return np.int64(min(max(number, -(2**63)), 2**63 - 1))


def histogram(values: Numbers, counts: Whole, bins: int = limits.BINS) -> Bins:
    """Count ascending values in bins of equal width; a range of few whole numbers has a bin for each of them."""
    values, counts = finite(values, counts)
    if not len(values):
        return Bins((), ())
    edges = _whole_edges(values, bins) if values.dtype.kind == "i" else _edges(values, bins)
    up_to = np.concatenate(([0], np.cumsum(counts)))
    inner = np.array(edges[1:-1], values.dtype if isinstance(edges[0], int) else np.float64)
    places = np.searchsorted(values, inner, side="left")
    heights = np.diff(up_to[np.concatenate(([0], places, [len(values)]))])
    return Bins(tuple(edges), tuple(map(int, heights)))


def _whole_edges(values: Numbers, bins: int) -> list[int] | list[float]:
    low, high = int(values[0]), int(values[-1])
    if max(abs(low), abs(high)) < 2**52:
        if high - low >= bins:
            return _edges(values, bins)
        return [low - 0.5 + at for at in range(high - low + 2)]
    if high - low < bins:
        return [*range(low, high + 2)]
    return [low + (high - low) * at // bins for at in range(bins + 1)]


def _edges(values: Numbers, bins: int) -> list[float]:
    low, high = float(values[0]), float(values[-1])
    if low == high:
        half = max(0.5, abs(low) * 2**-50)
        edges = np.clip([low - half, high + half], -sys.float_info.max, sys.float_info.max)
    else:
        parts = np.arange(bins + 1) / bins
        # Between neighbouring doubles there is no room for as many edges.
        edges = np.unique(low * (1 - parts) + high * parts)
    return [float(edge) for edge in edges]
