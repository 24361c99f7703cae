"""Series made ready for drawing: few enough points, every extreme kept, nothing invented."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import isfinite, nan
from statistics import median_low

from assay.page.chart_data import Encoded

_EPOCH = date(1970, 1, 1).toordinal()
# Normal float32 range: beyond it a value would turn into infinity, below it lose digits down to zero.
_FLOAT32_MIN, _FLOAT32_MAX = 1.1754944e-38, 3.4028234e38
_FLOAT32_WHOLE = 2**24
_GAP = 3


@dataclass(frozen=True)
class Points:
    """The values of one series that are there: `days` since 1970, ascending, and a finite value for each."""

    days: list[int]
    values: list[float]

    def __len__(self) -> int:
        return len(self.days)


@dataclass(frozen=True)
class Trace:
    """A line as it is drawn. NaN marks a break, on a day on which the series has no value."""

    days: list[int]
    values: list[float]

    def encoded(self) -> Encoded:
        """Give little-endian int32 days and float32 values, each in base64.

        The values are float64 (`wide`) where one reaches 2^24: beyond it float32 cannot tell whole numbers apart, and
        a sum of money is read to the last digit.
        """
        size = len(self.days)
        wide = any(abs(value) >= _FLOAT32_WHOLE for value in self.values)
        return {
            "days": b64encode(struct.pack(f"<{size}i", *self.days)).decode("ascii"),
            "values": b64encode(struct.pack(f"<{size}{'d' if wide else 'f'}", *self.values)).decode("ascii"),
            "wide": wide,
        }


def points(dates: Sequence[date], values: Sequence[float | None]) -> Points:
    """Keep what is there: None and NaN are no values, and neither is an infinity.

    Raises ValueError where dates and values differ in number or the dates do not ascend.
    """
    if any(later <= earlier for earlier, later in pairwise(dates)):
        raise ValueError("a panel's dates must ascend, each once")
    there = [
        (day.toordinal() - _EPOCH, float(value))
        for day, value in zip(dates, values, strict=True)
        if value is not None and isfinite(value)
    ]
    return Points([day for day, _ in there], [value for _, value in there])


def drawable(series: Points) -> Points:
    """Leave out the values that float32 cannot hold (|v| over 3.4e38, or under 1.2e-38 and not 0)."""
    if all(_fits(value) for value in series.values):
        return series
    kept = [(day, value) for day, value in zip(series.days, series.values, strict=True) if _fits(value)]
    return Points([day for day, _ in kept], [value for _, value in kept])


def trace(series: Points, limit: int) -> Trace:
    """Draw a series with at most `limit` points (4 or more), and a break wherever it is silent for long.

    Long is more than three times its usual (median) distance between values, so that a monthly series among daily
    ones is still a line. The first, last, lowest and highest value are always kept.
    """
    if not series.days:
        return Trace([], [])
    distances = [later - earlier for earlier, later in pairwise(series.days)]
    longest = _GAP * median_low(distances) if distances else 0
    days: list[int] = []
    values: list[float] = []
    drawn_to = 0
    for index in _thin(series.values, limit):
        silent = next((i for i in range(drawn_to, index) if distances[i] > longest), None)
        if silent is not None:
            days.append(series.days[silent] + 1)
            values.append(nan)
        days.append(series.days[index])
        values.append(series.values[index])
        drawn_to = index
    return Trace(days, values)


def _thin(values: Sequence[float], limit: int) -> list[int]:
    """Indexes to keep: the ends, and the lowest and highest of each of (limit - 2) / 2 stretches between them."""
    last = len(values) - 1
    if last < limit:
        return list(range(last + 1))
    stretches = (limit - 2) // 2
    kept = {0, last}
    for stretch in range(stretches):
        start = 1 + stretch * (last - 1) // stretches
        stop = 1 + (stretch + 1) * (last - 1) // stretches
        kept.add(min(range(start, stop), key=values.__getitem__))
        kept.add(max(range(start, stop), key=values.__getitem__))
    return sorted(kept)


def _fits(value: float) -> bool:
    return value == 0 or _FLOAT32_MIN <= abs(value) <= _FLOAT32_MAX
