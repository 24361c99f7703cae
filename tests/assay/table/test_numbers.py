"""Figures from values and counts are those that a plain reading of their definitions gives, over every single value."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from assay.datasets.table.counts import Counts, counts_of
from assay.datasets.table.numbers import (
    OUTLIER_IQR,
    OUTLIER_Z,
    QUANTILES,
    Outliers,
    Spread,
    histogram,
    outliers,
    spread,
)

INTEGERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), min_size=1, max_size=40)
MODERATE = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1.5])
FLOATS = st.lists(MODERATE, min_size=1, max_size=40)
ANY_FLOATS = st.lists(st.floats(allow_nan=False), min_size=1, max_size=30)


def counted(values: list[int] | list[float]) -> Counts:
    dtype = pl.Int64 if all(isinstance(value, int) for value in values) else pl.Float64
    return counts_of(pl.Series("x", values, dtype=dtype))


def spread_of(values: list[int] | list[float]) -> Spread:
    counts = counted(values)
    return spread(counts.ordered, counts.counts)


def quantile(values: list[int] | list[float], q: Fraction) -> Fraction:
    """Type 7, from the ordered values themselves."""
    ordered = [Fraction(value) for value in sorted(values)]
    place = (len(ordered) - 1) * q
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def given_back(exact: Fraction) -> int | float:
    """The nearest double; beyond 2**53 the nearest whole number."""
    return round(exact) if abs(exact) > 2**53 else float(exact)


@given(INTEGERS)
@example([2**53 + 1])
@example([2**63 - 1, -(2**63)])
def test_figures_of_whole_numbers_are_exact(values: list[int]) -> None:
    found = spread_of(values)
    assert found.sum == sum(values)
    assert found.mean == given_back(Fraction(sum(values), len(values)))
    assert list(found.quantiles) == [given_back(quantile(values, q)) for q in QUANTILES]


@given(st.lists(st.integers(0, 40), min_size=2, max_size=40), st.integers(2**53, 2**62))
def test_far_from_zero_whole_numbers_spread_as_near_it(values: list[int], offset: int) -> None:
    near, far = counted(values), counted([value + offset for value in values])
    one, other = spread(near.ordered, near.counts), spread(far.ordered, far.counts)
    for name in ("std", "skewness", "kurtosis"):
        expected = getattr(one, name)
        assert getattr(other, name) == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-9))
    beside, away = outliers(near.ordered, near.counts, one), outliers(far.ordered, far.counts, other)
    assert (away.z, away.iqr) == (beside.z, beside.iqr)
    assert sum(histogram(far.ordered, far.counts).counts) == len(values)


@given(FLOATS | ANY_FLOATS.map(lambda values: [value for value in values if math.isfinite(value)] or [0.5]))
@example([1e300, -1e300, 5.0, 7.0])
@example([0.1] * 3)
def test_sums_means_and_quantiles_are_rounded_once(values: list[float]) -> None:
    found = spread_of(values)
    total = sum(map(Fraction, values), Fraction(0))
    assert found.mean == float(total / len(values))
    try:
        expected = float(total)
    except OverflowError:
        expected = None
    assert found.sum == expected
    assert list(found.quantiles) == [float(quantile(values, q)) for q in QUANTILES]


@given(FLOATS)
def test_std_skewness_and_kurtosis(values: list[float]) -> None:
    found = spread_of(values)
    mean = float(sum(map(Fraction, values)) / len(values))
    size = max(1.0, *map(abs, values))
    if len(values) < 2:
        assert found.std is None
        return
    squares = [(Fraction(value) - Fraction(mean)) ** 2 for value in values]
    std = math.sqrt(sum(squares) / (len(values) - 1))
    assert found.std == pytest.approx(std, rel=1e-9, abs=1e-9 * size)
    assume(std > 1e-3 * size and len(values) > 2)
    spread_out = math.sqrt(sum(squares) / len(values))
    third = sum((value - mean) ** 3 for value in values) / len(values)
    fourth = sum((value - mean) ** 4 for value in values) / len(values)
    assert found.skewness == pytest.approx(third / spread_out**3, rel=1e-6, abs=1e-6)
    assert found.kurtosis == pytest.approx(fourth / spread_out**4 - 3, rel=1e-6, abs=1e-6)


@given(ANY_FLOATS)
@example([1.7976931348623157e308, -1.7976931348623157e308, 1.7976931348623157e308])
@example([math.inf, -math.inf])
@example([5e-324, 5e-324, 0.0])
def test_no_double_breaks_a_figure(values: list[float]) -> None:
    found = spread_of(values)
    finite = [value for value in values if math.isfinite(value)]
    assert found.finite == len(finite)
    assert found.infinite == len(values) - len(finite)
    held = [found.sum, found.mean, found.std, found.skewness, found.kurtosis, *found.quantiles]
    assert all(value is None or math.isfinite(value) for value in held)
    if finite:
        assert found.mean is not None
        assert min(finite) <= found.mean <= max(finite)
        assert all(min(finite) <= value <= max(finite) for value in found.quantiles)
        assert found.zeros == finite.count(0.0)
        assert found.negative == sum(value < 0 for value in finite)


@given(INTEGERS | ANY_FLOATS)
@example([1.7976931348623157e308])
@example([2**53 + 1, 2**53 + 3])
@example([1.0, 1.0000000000000002])
def test_a_histogram_holds_every_finite_value_once(values: list[int] | list[float]) -> None:
    counts = counted(values)
    bins = histogram(counts.ordered, counts.counts)
    finite = [value for value in values if math.isfinite(value)]
    assert sum(bins.counts) == len(finite)
    assert len(bins.edges) == (len(bins.counts) + 1 if finite else 0)
    assert list(bins.edges) == sorted({*bins.edges})
    assert all(math.isfinite(edge) for edge in bins.edges)


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=60))
def test_a_histogram_counts_what_lies_between_its_edges(values: list[int]) -> None:
    counts = counted(values)
    bins = histogram(counts.ordered, counts.counts)
    last = len(bins.counts) - 1
    for at, count in enumerate(bins.counts):
        low, high = bins.edges[at], bins.edges[at + 1]
        assert count == sum(low <= value < high or (at == last and value == high) for value in values)


@given(st.lists(st.integers(-50, 50) | st.sampled_from([0, 1, 5000]), min_size=2, max_size=60))
def test_outliers_are_counted_by_their_definitions(values: list[int]) -> None:
    counts = counted(values)
    figures = spread(counts.ordered, counts.counts)
    found = outliers(counts.ordered, counts.counts, figures)
    if figures.std:
        assert figures.mean is not None
        far = OUTLIER_Z * figures.std
        assert found.z == sum(value < figures.mean - far or value > figures.mean + far for value in values)
    else:
        assert found.z is None
    first, third = quantile(values, Fraction(1, 4)), quantile(values, Fraction(3, 4))
    reach = Fraction(OUTLIER_IQR) * (third - first)
    if third > first:
        assert found.iqr == sum(value < first - reach or value > third + reach for value in values)
    else:
        assert found == Outliers(found.z, None, None, None)


@given(st.lists(st.none() | MODERATE | st.just(math.nan), max_size=40))
def test_counts_of_numbers_are_those_of_a_plain_count(values: list[float | None]) -> None:
    found = counts_of(pl.Series("x", values, dtype=pl.Float64))
    there = [value for value in values if value is not None and not math.isnan(value)]
    plain = {value: there.count(value) for value in there}
    assert dict(zip(found.values.to_list(), found.counts.tolist(), strict=True)) == plain
    assert found.values.is_sorted()
    assert (found.extent.rows, found.extent.filled, found.extent.distinct) == (len(values), len(there), len(plain))


@given(st.integers(-(2**62), 2**62), st.integers(-5, 5).filter(bool), st.integers(2, 30))
def test_a_sequence_has_its_step(start: int, step: int, size: int) -> None:
    values = [start + step * at for at in range(size)]
    assert counted(values).extent.step == step
    if size > 2:
        values[0], values[1] = values[1], values[0]
        assert counted(values).extent.step is None


def test_the_figures_are_the_same_from_values_in_any_order() -> None:
    dice = np.random.default_rng(3)
    values = dice.lognormal(0, 8, 5_000).tolist()
    straight = spread_of(values)
    dice.shuffle(values)
    assert spread_of(values) == straight
