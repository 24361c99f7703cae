# ruff: noqa: DTZ001 - the times in a file have no zone
from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.types.dates import DateOrder, decide, parse, survey


def read(*cells: str) -> tuple[DateOrder, list[datetime | None]]:
    frame = pl.LazyFrame({"cell": cells}, schema={"cell": pl.String})
    order = decide(frame.select(**survey(pl.col("cell"))).collect().row(0, named=True))
    return order, parse(frame, "cell", order).collect()["cell"].to_list()


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("2024-01-02 03:04:05", datetime(2024, 1, 2, 3, 4, 5)),
        ("2024-01-02T03:04", datetime(2024, 1, 2, 3, 4)),
        ("2024-01-02", datetime(2024, 1, 2)),
        ("2024-01-02T03:04:05.25Z", datetime(2024, 1, 2, 3, 4, 5, 250_000)),
        ("2024-01-02 03:04:05+05:30", datetime(2024, 1, 2, 3, 4, 5)),
        ("2024/1/2 3:04", datetime(2024, 1, 2, 3, 4)),
        ("1/31/2024", datetime(2024, 1, 31)),
        ("1/31/2024 1:05 PM", datetime(2024, 1, 31, 13, 5)),
        ("1/31/2024 12:00:01 am", datetime(2024, 1, 31, 0, 0, 1)),
        ("31/1/2024 7:00", datetime(2024, 1, 31, 7, 0)),
        ("31.1.2024", datetime(2024, 1, 31)),
        ("2.1.2024", datetime(2024, 1, 2)),
        ("3-Mar-2024 23:59", datetime(2024, 3, 3, 23, 59)),
        ("03-SEPT-2024", datetime(2024, 9, 3)),
        ("0001-01-01", datetime(1, 1, 1)),
        ("2024-01-31 24:00", datetime(2024, 2, 1)),
        ("2024-12-31 24:00:00", datetime(2025, 1, 1)),
        ("2024-01-02 03:04:05+05", datetime(2024, 1, 2, 3, 4, 5)),
        ("2024-01-02 03:04 GMT", datetime(2024, 1, 2, 3, 4)),
        ("2024-01-02Z", datetime(2024, 1, 2)),
        ("Jan 1, 2024", datetime(2024, 1, 1)),
        ("Sept. 30 2024 1:05 PM", datetime(2024, 9, 30, 13, 5)),
        ("december 3,2024", datetime(2024, 12, 3)),
        ("9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59)),
        ("1/31/24", datetime(2024, 1, 31)),
        ("31-01-68 7:05", datetime(2068, 1, 31, 7, 5)),
        ("1.2.69", datetime(1969, 2, 1)),
        ("3-Mar-24", datetime(2024, 3, 3)),
        ("20240131", datetime(2024, 1, 31)),
        ("20240131T101500Z", datetime(2024, 1, 31, 10, 15)),
        ("99/12/31", datetime(1999, 12, 31)),
    ],
)
def test_reads(cell: str, means: datetime) -> None:
    assert read(cell)[1] == [means]


@pytest.mark.parametrize(
    "cell",
    ["1/2/243", "2024-02-30", "2024-13-01", "0000-01-01", "45292", "soon", "2024-01-01 24:01", "2024-01-01 24:00:00.1",
     "9999-12-31 24:00", "2024-01-01 24:00 AM", "2024-01-01 23:59:60", "2024-01-01 23:60:00", "2024-01-01 25:00:00",
     "2024-01-02-05", "2024-01-01 10:00 EST", "2024-01-01 10:00+05Z", "Jan 32, 2024", "2024-01-01 13:00 PM",
     "3-Xyz-2024", "20240-01-01", "2024-01-01 10:00:61", "2024-01-01 junk"],
)  # fmt: skip
def test_does_not_guess(cell: str) -> None:
    assert read(cell)[1] == [None]


def test_one_cell_decides_for_the_whole_column() -> None:
    order, found = read("1/2/2024", "13/2/2024")
    assert order.decided == "day first"
    assert found == [datetime(2024, 2, 1), datetime(2024, 2, 13)]
    assert read("1/2/2024", "2/13/2024")[1] == [datetime(2024, 1, 2), datetime(2024, 2, 13)]


def test_undecided_is_month_first_and_says_so() -> None:
    order, found = read("1/2/2024")
    assert order.decided == "assumed month first"
    assert found == [datetime(2024, 1, 2)]


def test_the_more_frequent_order_wins_and_the_others_are_no_dates() -> None:
    order, found = read("13/2/2024", "14/2/2024", "2/13/2024")
    assert order.decided == "day first (1 dates have it the other way round)"
    assert found == [datetime(2024, 2, 13), datetime(2024, 2, 14), None]


def test_dates_with_a_zone_are_counted() -> None:
    with_zone = ["2024-01-02T03:04:05Z", "2024-01-02 03:04 +0530", "1/2/2024 3:04 PM GMT", "1/2/2024 3:04 PM -05:00",
                 "2024-01-02 03:04:05.5+05", "Jan 2, 2024 3:04 utc"]  # fmt: skip
    without = ["2024-01-02 03:04:05", "1-2-2024", "2024-01-02", "about 5Z", "2024-01-02 03:04", "2.1.2024"]
    assert read(*with_zone, *without)[0].zoned == len(with_zone)
    assert read(*without)[0].zoned == 0


def test_other_forms_need_no_order() -> None:
    assert read("2024-01-02 03:04:05", "1.2.2024")[0].decided is None


@given(st.lists(st.datetimes(min_value=datetime(1, 1, 1)), min_size=1, max_size=20))
def test_iso_comes_back(moments: list[datetime]) -> None:
    assert read(*(moment.isoformat() for moment in moments))[1] == moments


@given(st.lists(st.datetimes(min_value=datetime(1000, 1, 1)), min_size=1), st.booleans())
def test_ordered_dates_come_back(moments: list[datetime], day_first: bool) -> None:
    form = "%d/%m/%Y %I:%M:%S %p" if day_first else "%m/%d/%Y %I:%M:%S %p"
    decides = datetime(2024, 12, 31)
    moments = [moment.replace(microsecond=0) for moment in [*moments, decides]]
    assert read(*(moment.strftime(form) for moment in moments))[1] == moments
