from __future__ import annotations

import math
import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from functions.process.pipelines.station_measurements.aggregate import aggregate
from functions.process.pipelines.station_measurements.exact import exact_sums
from functions.process.pipelines.station_measurements.quality import outliers

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
