"""Days whose amount lies far from that of the other days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

# B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers (1993): the modified z-score, and where it is far.
_SCALE = Decimal("0.6745")
FAR = 3.5
# Of fewer days nobody knows what is usual.
MIN_DAYS = 14


@dataclass(frozen=True)
class Anomaly:
    """A day, its amount, and its modified z-score."""

    day: date
    amount: Decimal
    z: float


@dataclass(frozen=True)
class Anomalies:
    """The far days of one currency in their order; `why_none` says why no day was judged, where that is so."""

    days: int
    median: Decimal | None
    mad: Decimal | None
    far: list[Anomaly]
    why_none: str | None


def anomalies(days: Sequence[tuple[date, Decimal]]) -> Anomalies:
    """Judge the days by the modified z-score 0.6745 (x - median) / MAD; those beyond 3.5 are far.

    MAD is the median of the absolute distances from the median. Days without rows are not taken for days of 0.
    """
    if len(days) < MIN_DAYS:
        return Anomalies(len(days), None, None, [], f"fewer than {MIN_DAYS} days")
    # Sums have up to 38 digits, and the usual 28 would cut them.
    with localcontext(prec=80):
        return _judge(days)


def _judge(days: Sequence[tuple[date, Decimal]]) -> Anomalies:
    median = _median([amount for _, amount in days])
    mad = _median([abs(amount - median) for _, amount in days])
    if not mad:
        return Anomalies(len(days), median, mad, [], "more than half of the days have the same amount")
    scores = ((day, amount, _SCALE * (amount - median) / mad) for day, amount in days)
    far = [Anomaly(day, amount, round(float(z), 4)) for day, amount, z in scores if abs(z) > FAR]
    return Anomalies(len(days), median, mad, far, None)


def _median(values: Sequence[Decimal]) -> Decimal:
    ranked = sorted(values)
    middle = len(ranked) // 2
    return ranked[middle] if len(ranked) % 2 else (ranked[middle - 1] + ranked[middle]) / 2
