from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.datasets.station_measurements.aggregate import Aggregate, aggregate
from assay.datasets.station_measurements.quality import Duplicates, duplicates, outliers
from assay.errors import Unprocessable
from assay.figures.exact import exact_sums, weighted

finite = st.floats(allow_nan=False, allow_infinity=False)


# Values across the whole range use 70 places: a query with as many columns.
few = settings(max_examples=20)
groups = st.lists(st.lists(finite, min_size=1, max_size=6), min_size=1, max_size=8)


def added(each: list[list[float]]) -> list[tuple[float, float]]:
    rows = [(key, value) for key, values in enumerate(each) for value in values]
    frame = pl.LazyFrame(rows, schema={"key": pl.Int64, "x": pl.Float64}, orient="row")
    return exact_sums(frame, "x", ["key"]).sort("key").select("sum", "mean").rows()


def nearest(number: Fraction) -> float:
    try:
        return number.numerator / number.denominator
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@given(groups)
@example([[1.0, 2.0**-53], [1.0, 2.0**-53, 5e-324], [1.0 + 2.0**-52, 2.0**-53]])
@example([[5e-324, 0.0], [5e-324, 1e-323, 1e-323], [1e300, 1e-300, -1e300], [-0.0]])
@example([[1.7e308, 1.7e308], [-1.7e308, -1.7e308], [1.7976931348623157e308, 9.9e291]])
@few
def test_sums_and_means_are_rounded_once(each: list[list[float]]) -> None:
    exact = [sum(map(Fraction, values), Fraction(0)) for values in each]
    expected = [(nearest(total), nearest(total / len(values))) for total, values in zip(exact, each, strict=True)]
    assert added(each) == expected


@given(groups, groups)
@few
def test_rows_of_one_group_never_change_the_figures_of_another(
    each: list[list[float]], more: list[list[float]]
) -> None:
    assert added([*each, *more])[: len(each)] == added(each)


@given(st.lists(st.tuples(finite, st.integers(1, 2**31)), min_size=1, max_size=30))
@example([(1e300, 1), (-1e300, 1), (5.0, 1), (7.0, 1)])
@example([(5e-324, 3), (-5e-324, 1)])
@example([(1.7e308, 3)])
def test_values_with_counts_add_up_as_if_written_out(values: list[tuple[float, int]]) -> None:
    exact = sum((Fraction(value) * count for value, count in values), Fraction(0))
    found = weighted(np.array([value for value, _ in values]), np.array([count for _, count in values]))
    assert found == (nearest(exact), nearest(exact / sum(count for _, count in values)))


@given(st.lists(finite, min_size=1, max_size=30), st.randoms(use_true_random=False))
@few
def test_the_order_makes_no_difference(values: list[float], dice: random.Random) -> None:
    shuffled = values.copy()
    dice.shuffle(shuffled)
    assert repr(added([values])) == repr(added([shuffled]))


def usable(values: list[float]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"row": range(1, len(values) + 1), "station": "CT", "pcode": "A", "result": values}
    ).with_columns(pl.lit("2024-01-01 10:00:00").str.to_datetime(time_unit="us").alias("date_time"))


@given(st.lists(finite, min_size=1, max_size=40))
def test_a_median_is_half_the_sum_of_the_middle_two(values: list[float]) -> None:
    median = aggregate(usable(values), "median")["value"][0]
    ordered = sorted(values)
    low, high = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    assert median == ((low + high) / 2 if math.isfinite(low + high) else low / 2 + high / 2)


@pytest.mark.parametrize(
    ("how", "values", "expected"),
    [
        ("median", [7.674, 17.139], 12.4065),
        ("median", [1.7e308, -1.7e308], 0.0),
        ("median", [1.7e308, 1.6e308], 1.65e308),
        ("mean", [1.7e308, 1.6e308], 1.65e308),
        ("mean", [-1.7e308, -1.6e308, 1e-300], -1.1e308),
        ("mean", [1.7976931348623157e308, 1.7976931348623155e308], 1.7976931348623155e308),
    ],
)
def test_what_a_double_holds_is_given(how: Aggregate, values: list[float], expected: float) -> None:
    assert aggregate(usable(values), how)["value"][0] == pytest.approx(expected, rel=5e-16, abs=0)


def test_a_sum_beyond_the_doubles_is_refused() -> None:
    with pytest.raises(Unprocessable) as caught:
        aggregate(usable([1.7e308, 1.6e308]), "sum")
    assert caught.value.code == "result_out_of_range"


@pytest.mark.parametrize("how", ["mean", "median", "sum", "min", "max", "first", "last"])
def test_zero_has_no_sign(how: Aggregate) -> None:
    for values in ([-0.0, -0.0], [0.0, -0.0], [-0.0]):
        assert repr(aggregate(usable(values), how)["value"][0]) == "0.0"


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0]), min_size=1, max_size=30), st.lists(st.integers(0, 2)))
def test_no_row_is_a_duplicate_twice(values: list[float], moments: list[int]) -> None:
    at = (moments + [0] * len(values))[: len(values)]
    later = pl.LazyFrame({"row": range(1, len(values) + 1), "days": at})
    rows = usable(values).join(later, on="row").with_columns(pl.col("date_time") + pl.duration(days="days"))
    seen: dict[int, set[float]] = {}
    identical, conflicting = [], []
    for row, (value, moment) in enumerate(zip(values, at, strict=True), start=1):
        results = seen.setdefault(moment, set())
        if value in results:
            identical.append(row)
        elif results:
            conflicting.append(row)
        results.add(value)
    assert duplicates(rows, len(values)) == Duplicates(len(identical), identical, len(conflicting), conflicting)


@given(finite, st.integers(1, 7))
def test_the_mean_of_equal_values_is_that_value(value: float, times: int) -> None:
    assert aggregate(usable([value] * times), "mean")["value"][0] == value


@given(st.lists(st.integers(-(10**9), 10**9).map(lambda number: number / 1000), min_size=3, max_size=40))
def test_deviations_are_those_of_the_definition(values: list[float]) -> None:
    found = outliers(usable(values))["A"]
    mean = math.fsum(values) / len(values)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    assert found.std is not None
    assert math.isclose(found.std, std, rel_tol=1e-12, abs_tol=1e-12 * max(map(abs, values)))


def test_outliers_of_the_greatest_doubles_are_found() -> None:
    found = outliers(usable([1e300 + n * 1e290 for n in range(20)] + [-1.7e308]))["A"]
    assert (found.count, [one.row for one in found.listed]) == (1, [21])
