"""Numbers that are no measurements, and measurements that are far from the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.datasets.station_measurements import sentinels
from assay.datasets.station_measurements.outliers import LEAST_VALUES, OUTLIER_Z, judge
from tests.assay.stations.frames import usable


def days(*results: str, station: str = "CT") -> list[tuple[str, str, str, str]]:
    return [(station, f"2024-01-01 {at // 60:02d}:{at % 60:02d}", "A", result) for at, result in enumerate(results)]


MANY = [str(value) for value in range(1, 21)]


@pytest.mark.parametrize(
    ("results", "values"),
    [
        (["4.1", "-9999", "3.9", "<0.5"], [-9999.0]),
        (["4.1", "-9999", "-999", "3.9", "-9999"], [-9999.0, -999.0]),
        (["-5", "12", "30", "-99"], [-99.0]),
        (["7.1", "9999", "6.8"], [9999.0]),
        (["7.1", "9999", "-9999", "6.8"], [-9999.0, 9999.0]),
        (["-9999", "-9999"], [-9999.0]),
        ([*MANY, "-1", "-1", "-1"], []),
        ([*MANY, "-500", "-500", "-500"], [-500.0]),
        ([*MANY, "1e9", "1e9", "1e9"], [1e9]),
        ([*MANY, "1e9", "1e9"], []),
        ([*MANY, "2419.6", "2419.6", "2419.6"], []),
        # Measurements that are as large as a sentinel, or near one.
        (["8000", "9999", "12000"], []), (["-1000", "-999", "-998"], []), (["-80", "-99", "10"], []),
        (["-99", "-50", "10"], []), (["99", "1", "2"], []), (["0", "0", "0", "5"], []), (["9999"], []),
        (["<-9999", "1"], []),
    ],
)  # fmt: skip
def test_sentinels_are_found_by_what_they_are_and_how_far_off(results: list[str], values: list[float]) -> None:
    rows = usable(days(*results))
    found = sentinels.find(rows)
    assert [one.value for one in found] == values
    assert [one.count for one in found] == [results.count(f"{value:g}") or 3 for value in values]
    if found:
        assert rows.filter(sentinels.is_sentinel(found)).collect().height == sum(one.count for one in found)


def test_a_sentinel_of_one_parameter_is_a_value_of_another() -> None:
    rows = usable([*days("-9999", "3", "4"), *[("CT", "2024-01-01", "B", value) for value in ("-9999", "-9998")]])
    assert [(one.pcode, one.count) for one in sentinels.find(rows)] == [("A", 1)]
    named = sentinels.count(rows, [-9998.0, 3.0])
    assert [(one.pcode, one.value, one.count) for one in named] == [("A", 3.0, 1), ("B", -9998.0, 1)]


def test_a_value_among_ten_can_be_an_outlier() -> None:
    rows = usable(days("1", "1.1", "0.9", "1", "1.05", "0.95", "1", "1.1", "0.9", "100000"))
    judged = judge(rows)
    (series,) = judged.series
    assert (judged.count, judged.judged, [one.row for one in series.listed]) == (1, 1, [10])


@pytest.mark.parametrize(
    ("results", "too_few", "no_spread"),
    [(["1"] * 8 + ["9"], 1, 0), (["1"] * 9 + ["9"], 0, 1), ([*MANY[:9], "<5"], 1, 0)],
)
def test_what_cannot_be_judged_is_told(results: list[str], too_few: int, no_spread: int) -> None:
    judged = judge(usable(days(*results)))
    assert (judged.count, judged.judged, judged.too_few, judged.no_spread) == (0, 0, too_few, no_spread)


# A few values far from the many, so that nearly every list has outliers.
@given(
    st.lists(
        st.tuples(st.sampled_from(["CT", "TUS"]), st.integers(-9, 9) | st.sampled_from([-60, 60])),
        min_size=20,
        max_size=40,
    )
)
@example([])
@example([("CT", 1)] * 3)
def test_outliers_are_those_of_the_published_formula(measured: list[tuple[str, int]]) -> None:
    rows = [(station, "2024-01-01", "A", str(value)) for station, value in measured]
    expected = set()
    for station in ("CT", "TUS"):
        x = np.array([value for name, value in measured if name == station], float)
        places = [at for at, (name, _) in enumerate(measured, start=1) if name == station]
        if x.size >= LEAST_VALUES and (mad := np.median(np.abs(x - np.median(x)))):
            z = 0.6745 * (x - np.median(x)) / mad
            expected |= {place for place, far in zip(places, np.abs(z) > OUTLIER_Z, strict=True) if far}
    judged = judge(usable(rows)) if rows else None
    found = {one.row for series in judged.series for one in series.listed} if judged else set()
    assert found == expected
