from __future__ import annotations

import math
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.station_measurements.aggregate import Aggregate, aggregate
from assay.datasets.station_measurements.exact import exact_sums
from assay.datasets.station_measurements.quality import Duplicates, duplicates, outliers
from assay.errors import Unprocessable

finite = st.floats(allow_nan=False, allow_infinity=False)
moderate = st.floats(-1e150, 1e150, allow_nan=False)


def summed(values: list[float]) -> float:
    frame = pl.LazyFrame({"key": ["a"] * len(values), "x": values}, schema={"key": pl.String, "x": pl.Float64})
    return float(exact_sums(frame, "x", ["key"])["sum"][0])


@given(st.lists(moderate, min_size=1, max_size=60))
def test_the_sum_is_that_of_fsum(values: list[float]) -> None:
    assert math.isclose(summed(values), math.fsum(values), rel_tol=1e-15, abs_tol=0)


@given(st.lists(finite, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(values: list[float], dice: random.Random) -> None:
    shuffled = values.copy()
    dice.shuffle(shuffled)
    assert repr(summed(values)) == repr(summed(shuffled))


@given(st.floats(-1e308, 1e308))
def test_one_value_is_its_own_sum(value: float) -> None:
    assert summed([value]) == value


def test_what_cancels_leaves_the_rest() -> None:
    assert summed([1e300, 1e-300, -1e300]) == 1e-300
    assert summed([0.1] * 10) == math.fsum([0.1] * 10)


def test_groups_do_not_mix() -> None:
    frame = pl.LazyFrame({"key": ["a", "b", "a"], "x": [1e20, 5e-20, 1.0]})
    assert dict(exact_sums(frame, "x", ["key"]).select("key", "sum").iter_rows()) == {"a": 1e20 + 1, "b": 5e-20}


def usable(values: list[float]) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"row": range(1, len(values) + 1), "station": "CT", "pcode": "A", "result": values}
    ).with_columns(pl.lit("2024-01-01 10:00:00").str.to_datetime(time_unit="us").alias("date_time"))


@given(st.lists(moderate, min_size=1, max_size=40))
def test_a_mean_lies_between_the_ends_and_near_that_of_fsum(values: list[float]) -> None:
    mean = aggregate(usable(values), "mean")["value"][0]
    assert min(values) <= mean <= max(values)
    assert math.isclose(mean, math.fsum(values) / len(values), rel_tol=1e-15, abs_tol=5e-324)


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
