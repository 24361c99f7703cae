"""Figures of numbers, dates and times, all from ascending values and their counts.

No sum depends on the number of threads: the order of the values is fixed, and numpy adds pairwise in one thread.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.datasets.table import limits

Numbers = npt.NDArray[np.int64] | npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
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
    mean: float | None
    std: float | None
    skewness: float | None
    kurtosis: float | None
    quantiles: tuple[float, ...]
    zeros: int
    negative: int


@dataclass(frozen=True)
class Outliers:
    """How many values lie far off: more than OUTLIER_Z standard deviations from the mean, and outside Tukey's fences.

    The fences are OUTLIER_IQR interquartile ranges below the first and above the third quartile; where half of the
    values or more are equal there is no range, and no fence.
    """

    z: int | None
    low_fence: float | None
    high_fence: float | None
    iqr: int | None


@dataclass(frozen=True)
class Bins:
    """A histogram of equal widths: `counts[i]` values from `edges[i]` up to `edges[i + 1]`, the last edge included."""

    edges: tuple[float, ...]
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
    mean, whole = _mean(values, counts, n, scale)
    offs = (values - mean) / scale if abs(mean) < _LARGE else values / scale - mean / scale
    squares = offs * offs
    weighed = squares * counts
    second = float(np.sum(weighed))
    std = _held(math.sqrt(second / (n - 1)) * scale) if n > 1 else None
    skewness = kurtosis = None
    if second > 0 and n > 2:
        variance = second / n
        skewness = _held(float(np.sum(weighed * offs)) / n / variance**1.5) if variance**1.5 > 0 else None
        kurtosis = _held(float(np.sum(weighed * squares)) / n / variance**2 - 3) if variance**2 > 0 else None
    at = tuple(quantile(values, np.cumsum(counts), q) for q in QUANTILES)
    total_sum = whole if whole is not None else _held(mean * n)
    return Spread(n, total - n, total_sum, mean, std, skewness, kurtosis, at, zeros, negative)


_LARGE = 2.0**1000


def _mean(values: Numbers, counts: Whole, n: int, scale: float) -> tuple[float, int | None]:
    """The mean, and for whole numbers their sum, which is exact."""
    if values.dtype.kind == "i":
        # In two halves, so that neither sum is beyond 64 bits.
        upper = values.astype(np.int64) >> 32
        high, low = int(np.sum(upper * counts)), int(np.sum((values - (upper << 32)).astype(np.int64) * counts))
        whole = (high << 32) + low
        return whole / n, whole
    mean = float(np.sum(values / scale * (counts / n))) * scale
    return min(max(mean, float(values[0])), float(values[-1])), None


def _held(value: float) -> float | None:
    return value if math.isfinite(value) else None


def quantile(values: Numbers, up_to: Whole, q: float) -> float:
    """The quantile of type 7: at h = (n - 1) q between the values of rank floor(h) and the next, in proportion.

    `values` ascend and are finite; `up_to` are their cumulated counts.
    """
    place = (int(up_to[-1]) - 1) * q
    below = math.floor(place)
    low = values[np.searchsorted(up_to, below, side="right")]
    high = values[np.searchsorted(up_to, min(below + 1, int(up_to[-1]) - 1), side="right")]
    part = place - below
    if low == high or not part:
        return float(low)
    return float(low) * (1 - part) + float(high) * part


def outliers(values: Numbers, counts: Whole, figures: Spread) -> Outliers:
    """Count what lies far off among ascending values."""
    values, counts = finite(values, counts)
    up_to = np.concatenate(([0], np.cumsum(counts)))

    def outside(low: float, high: float) -> int:
        below = int(up_to[np.searchsorted(values, low, side="left")])
        return below + int(up_to[-1] - up_to[np.searchsorted(values, high, side="right")])

    z = None
    if figures.mean is not None and figures.std:
        z = outside(figures.mean - OUTLIER_Z * figures.std, figures.mean + OUTLIER_Z * figures.std)
    if not figures.quantiles:
        return Outliers(z, None, None, None)
    first, third = (figures.quantiles[QUANTILES.index(q)] for q in (0.25, 0.75))
    low, high = first - OUTLIER_IQR * (third - first), third + OUTLIER_IQR * (third - first)
    if third <= first or not math.isfinite(low) or not math.isfinite(high):
        return Outliers(z, None, None, None)
    return Outliers(z, low, high, outside(low, high))


def histogram(values: Numbers, counts: Whole, bins: int = limits.BINS) -> Bins:
    """Count ascending values in bins of equal width; a range of few whole numbers has a bin for each of them."""
    values, counts = finite(values, counts)
    if not len(values):
        return Bins((), ())
    low, high = float(values[0]), float(values[-1])
    if values.dtype.kind == "i" and int(values[-1]) - int(values[0]) < bins and abs(low) < 2**52 > abs(high):
        bins = int(values[-1]) - int(values[0]) + 1
        edges = np.arange(bins + 1) + low - 0.5
    elif low == high:
        half = max(0.5, abs(low) * 2**-50)
        edges = np.clip([low - half, high + half], -sys.float_info.max, sys.float_info.max)
    else:
        parts = np.arange(bins + 1) / bins
        # Between neighbouring doubles there is no room for as many edges.
        edges = np.unique(low * (1 - parts) + high * parts)
    up_to = np.concatenate(([0], np.cumsum(counts)))
    places = np.searchsorted(values, edges[1:-1], side="left")
    heights = np.diff(up_to[np.concatenate(([0], places, [len(values)]))])
    return Bins(tuple(map(float, edges)), tuple(map(int, heights)))
