"""What a day's value makes of bounds, by each of the ways that a user may choose."""

from __future__ import annotations

from statistics import fmean, median

import polars as pl
import pytest

from assay.datasets.station_measurements.aggregate import Aggregate
from assay.datasets.station_measurements.censored import Censored, as_text, by_day
from tests.assay.stations.frames import of_a_day, usable


def shown(rows: pl.LazyFrame, how: Aggregate = "mean", policy: Censored = "half") -> list[str | None]:
    has_bounds = rows.select((pl.col("sign") != 0).any()).collect().item()
    values = by_day(rows, how, policy, has_bounds=has_bounds)
    return values.select(as_text(pl.col("value"), pl.col("sign")).alias("text"))["text"].to_list()


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [("half", [0.25, 4, 6]), ("limit", [0.5, 4, 6]), ("zero", [0, 4, 6]), ("exclude", [4, 6])],
)
@pytest.mark.parametrize(("how", "of"), [("mean", fmean), ("sum", sum), ("median", median), ("min", min), ("max", max)])
def test_a_number_stands_for_a_bound(policy: Censored, numbers: list[float], how: Aggregate, of: object) -> None:
    assert callable(of)
    assert shown(of_a_day("<0.5", "4", "6"), how, policy) == [str(float(of(numbers)))]


@pytest.mark.parametrize("policy", ["half", "limit", "zero", "exclude", "km"])
@pytest.mark.parametrize(
    ("results", "cell"),
    [
        (["<0.5"], "<0.5"), (["<0.5", "<0.3"], "<0.4"), (["≤0.5", "<0.5"], "≤0.5"), ([">2419.6"], ">2419.6"),
        (["ND"], "ND"), (["ND", "<0.5"], "<0.5"), (["4"], "4.0"),
    ],
)  # fmt: skip
def test_a_day_of_bounds_alone_shows_the_bound(policy: Censored, results: list[str], cell: str) -> None:
    assert shown(of_a_day(*results), "mean", policy) == [cell]


@pytest.mark.parametrize(
    ("results", "how", "policy", "cell"),
    [
        # ND without a limit can't be halved.
        (["ND", "4"], "mean", "half", "4.0"), (["ND", "4"], "mean", "zero", "2.0"),
        (["ND", "4"], "mean", "limit", "4.0"),
        # A mean or a sum with a result above a bound is at least what it says; so is the greatest.
        (["5", ">100"], "mean", "half", ">52.5"), (["5", ">100"], "sum", "half", ">105.0"),
        (["5", ">100"], "max", "half", ">100.0"), (["500", ">100"], "max", "half", "500.0"),
        (["5", ">100"], "min", "half", "5.0"), (["5", ">100"], "mean", "exclude", "5.0"),
        (["<1", ">100"], "mean", "half", "50.25"), (["<1", ">100"], "mean", "exclude", None),
        # Half of -5 would lie above -5.
        (["<-5", "1"], "mean", "half", "-2.0"),
        (["<0.5", "4"], "first", "half", "<0.5"), (["<0.5", "4"], "last", "half", "4.0"),
        (["<0.5", "4"], "first", "exclude", "4.0"), (["<0.5"], "first", "exclude", "<0.5"),
        (["<0.5", "ND", "4"], "count", "half", "3"), (["<0.5", "ND", "4"], "count", "exclude", "1"),
        # 4: 1/2, the rest at 0.5; at or below 4 are all, at or below 0.5 a half.
        (["<0.5", "4"], "mean", "km", "2.25"), (["<0.5", "4"], "sum", "km", "4.5"),
        (["<0.5", "4"], "median", "km", "<4.0"),
        (["3", "5", "7", "<1", "<5"], "mean", "km", "3.6"), (["3", "5", "7", "<1", "<5"], "median", "km", "3.0"),
        (["1", "2"], "median", "km", "1.5"), (["<0.5", "<0.7"], "sum", "km", "<1.2"),
    ],
)  # fmt: skip
def test_a_day_of_values_and_bounds(results: list[str], how: Aggregate, policy: Censored, cell: str | None) -> None:
    assert shown(of_a_day(*results), how, policy) == [cell]


def test_bounds_of_one_day_do_not_touch_another() -> None:
    rows = usable([
        ("CT", "2024-01-01 08:00", "A", "<1"), ("CT", "2024-01-02 08:00", "A", "3"),
        ("CT", "2024-01-02 09:00", "A", "<1"),
        ("CT", "2024-01-03 08:00", "A", "7"), ("TUS", "2024-01-01 08:00", "A", "9"),
    ])  # fmt: skip
    assert shown(rows, "mean", "km") == ["<1.0", "2.0", "7.0", "9.0"]
    assert shown(rows) == ["<1.0", "1.75", "7.0", "9.0"]
