from __future__ import annotations

import base64
import struct
from datetime import date, timedelta
from itertools import pairwise
from math import inf, isnan, nan
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.page.reduce import Points, Trace, drawable, points, trace

START = date(2020, 1, 1)


@st.composite
def series(draw: st.DrawFn) -> Points:
    days = sorted(draw(st.sets(st.integers(-30_000, 60_000), max_size=120)))
    # Few distinct values, so that the lowest and highest occur more than once.
    value = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6, width=32))
    return Points(days, draw(st.lists(value, min_size=len(days), max_size=len(days))))


@given(series(), st.integers(4, 60))
def test_a_trace_keeps_the_ends_and_extremes_and_invents_nothing(original: Points, limit: int) -> None:
    drawn = trace(original, limit)
    there = dict(zip(original.days, original.values, strict=True))
    kept = [(day, value) for day, value in zip(drawn.days, drawn.values, strict=True) if not isnan(value)]

    assert len(kept) <= limit
    assert all(there[day] == value for day, value in kept)
    assert all(earlier < later for earlier, later in pairwise(drawn.days))
    if there:
        values = [value for _, value in kept]
        assert (kept[0][0], kept[-1][0]) == (original.days[0], original.days[-1])
        assert (min(values), max(values)) == (min(original.values), max(original.values))
    if len(original) <= limit:
        assert len(kept) == len(original)


@given(series(), st.integers(4, 60))
def test_a_trace_breaks_where_the_series_is_silent_and_nowhere_else(original: Points, limit: int) -> None:
    drawn = trace(original, limit)
    distances = [later - earlier for earlier, later in pairwise(original.days)]
    long = 3 * median_low(distances) if distances else 0
    silences = [earlier for earlier, later in pairwise(original.days) if later - earlier > long]
    breaks = [day for day, value in zip(drawn.days, drawn.values, strict=True) if isnan(value)]
    kept = [day for day, value in zip(drawn.days, drawn.values, strict=True) if not isnan(value)]

    assert not set(breaks) & set(original.days)
    for earlier, later in pairwise(kept):
        broken = any(earlier < day < later for day in breaks)
        assert broken == any(earlier <= day < later for day in silences)


def test_a_year_of_days_with_a_hole_is_two_lines_and_one_missing_day_is_none() -> None:
    days = [day for day in range(365) if day != 40 and not 100 <= day < 120]
    drawn = trace(Points(days, [1.0] * len(days)), 2000)
    assert [day for day, value in zip(drawn.days, drawn.values, strict=True) if isnan(value)] == [100]


def test_a_monthly_series_is_one_line() -> None:
    drawn = trace(Points(list(range(0, 360, 30)), [1.0] * 12), 2000)
    assert not any(map(isnan, drawn.values))


def test_a_spike_survives_reduction() -> None:
    values = [0.0] * 10_000
    values[5_123] = 9.0
    values[5_124] = -9.0
    drawn = trace(Points(list(range(10_000)), values), 100)
    assert (5_123 in drawn.days, 5_124 in drawn.days) == (True, True)


def test_blank_nan_and_infinity_are_no_values() -> None:
    dates = [START + timedelta(days=day) for day in range(6)]
    found = points(dates, [0.0, None, nan, inf, -inf, 1.411])
    assert found == Points([18262, 18267], [0.0, 1.411])


def test_dates_before_1970_count_down() -> None:
    assert points([date(1969, 12, 31)], [1]).days == [-1]


@pytest.mark.parametrize("dates", [[START, START], [START + timedelta(days=1), START]])
def test_dates_that_do_not_ascend_are_refused(dates: list[date]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        points(dates, [1.0, 2.0])


def test_values_must_be_as_many_as_dates() -> None:
    with pytest.raises(ValueError, match="shorter"):
        points([START, START + timedelta(days=1)], [1.0])


def test_what_float32_cannot_hold_is_not_drawn() -> None:
    found = drawable(Points([1, 2, 3, 4, 5], [1e300, -1e300, 1e-300, 0.0, 2.5]))
    assert found == Points([4, 5], [0.0, 2.5])


def test_encoding_is_little_endian_int32_and_float32() -> None:
    encoded = Trace([-1, 20_000], [1.5, nan]).encoded()
    assert struct.unpack("<2i", base64.b64decode(encoded["days"])) == (-1, 20_000)
    first, second = struct.unpack("<2f", base64.b64decode(encoded["values"]))
    assert (first, isnan(second)) == (1.5, True)
    assert not encoded["wide"]


def test_what_float32_would_round_to_another_whole_number_is_float64() -> None:
    encoded = Trace([1, 2], [16_777_217.0, 123_456_789.12]).encoded()
    assert encoded["wide"]
    assert struct.unpack("<2d", base64.b64decode(encoded["values"])) == (16_777_217.0, 123_456_789.12)
