"""The Kaplan-Meier estimate of values of which some are only known to lie below a limit."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_Doubles = npt.NDArray[np.float64]
# A share that is a half but for the rounding of its factors is one.
_HALF = 0.5 - 1e-12


def kaplan_meier(values: _Doubles, limits: _Doubles) -> tuple[float, float, bool]:
    """Return the mean, the median, and whether the median lies below all values, and so below the one that is given.

    `values` were measured, and there is at least one; each of `limits` is a result that lies below it. From the largest
    value down, the share of results at or below each is multiplied by 1 - d / n: d results have that value, and n are
    at or below it, limits counted. What is left below the smallest value counts as the smallest result, value or limit
    (Efron's rule), so that the mean is a little too high where that is a limit. The median is the smallest value that
    half of the results are at or below. D. R. Helsel, Statistics for Censored Environmental Data (2012), chapter 6.
    """
    distinct, equal = np.unique(values, return_counts=True)
    everything = np.sort(np.concatenate([values, limits]))
    at_or_below = np.searchsorted(everything, distinct, side="right")
    left = 1.0
    parts = []
    middle = float(distinct[-1])
    for value, count, risk in zip(
        distinct[::-1].tolist(), equal[::-1].tolist(), at_or_below[::-1].tolist(), strict=True
    ):
        if left >= _HALF:
            middle = value
        parts.append(value * left * count / risk)
        left *= (risk - count) / risk
    is_below = left >= _HALF
    parts.append(float(everything[0]) * left)
    return math.fsum(parts), middle, is_below
