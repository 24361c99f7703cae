"""The Kaplan-Meier estimate, against values worked by hand and an implementation in fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.station_measurements.kaplan_meier import kaplan_meier


def in_fractions(values: list[int], limits: list[int]) -> tuple[Fraction, int, bool]:
    """The same by redistribution to the left (Efron): each limit hands its share to all results below it."""
    results = [(value, 1) for value in values] + [(limit, 0) for limit in limits]
    # From the top; of equal ones the values first, for a limit lies below its number.
    results.sort(key=lambda one: (-one[0], -one[1]))
    shares = [Fraction(1, len(results))] * len(results)
    for at, (_, is_value) in enumerate(results):
        if not is_value and at + 1 < len(results):
            below = len(results) - at - 1
            for later in range(at + 1, len(results)):
                shares[later] += shares[at] / below
            shares[at] = Fraction(0)
    mean = sum((share * number for share, (number, _) in zip(shares, results, strict=True)), Fraction(0))
    # What is left at the end is the smallest result's, whatever it is.
    at_or_below = {
        number: sum(share for share, (other, _) in zip(shares, results, strict=True) if other <= number)
        for number in values
    }
    least = min(values)
    left = 1 - sum(
        share for share, (number, is_value) in zip(shares, results, strict=True) if is_value and number >= least
    )
    middle = min(number for number in values if at_or_below[number] >= Fraction(1, 2))
    return mean, middle, left >= Fraction(1, 2)


@pytest.mark.parametrize(
    ("values", "limits", "mean", "middle", "is_below"),
    [
        # 7: 1/5. 5: 4/5 * 1/4 = 1/5. 3: 3/5 * 1/2 = 3/10, and as much is left for 1.
        ([3, 5, 7], [1, 5], 3.6, 3, False),
        # All five results, two of them below 2: 10 and 4 have 1/5 each, 2 has 1/5, and 2/5 are left, at 2.
        ([2, 4, 10], [2, 2], 4.0, 2, False),
        ([5], [1, 1, 1], 2.0, 5, True),
        ([1, 2, 3], [], 2.0, 2, False),
    ],
)
def test_the_estimate_is_as_worked_by_hand(
    values: list[float], limits: list[float], mean: float, middle: float, is_below: bool
) -> None:
    found = kaplan_meier(np.array(values, float), np.array(limits, float))
    assert math.isclose(found[0], mean, rel_tol=1e-15)
    assert found[1:] == (middle, is_below)


numbers = st.integers(1, 12)


@given(st.lists(numbers, min_size=1, max_size=15), st.lists(numbers, max_size=15))
def test_the_estimate_is_that_of_redistribution(values: list[int], limits: list[int]) -> None:
    mean, middle, is_below = kaplan_meier(np.array(values, float), np.array(limits, float))
    exact = in_fractions(values, limits)
    assert math.isclose(mean, exact[0], rel_tol=1e-13)
    assert (middle, is_below) == exact[1:]
