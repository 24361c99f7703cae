"""The one pass over the file: blank cells, forms of dates, and what a user says of both dates and numbers."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.station_measurements import quality
from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import json_of, table_of


def test_blanks_that_are_no_ascii_make_no_row(run: Run) -> None:
    header = HEADER.replace("\n", ",Note\n")
    found = run(header + "CT,2024-01-01,A,1,\u00e9\n" + " ,\u00a0,,\t,\u2003\n" + "CT,2024-01-02,A,2,\u00a0\n")
    assert json_of(found, "quality.json")["rows"] == {"read": 2, "used": 2, "refused": 0, "blank": 1}
    (note,) = (one for one in json_of(found, "quality.json")["missing"]["columns"] if one["column"] == "Note")
    assert note["count"] == 1


def test_dates_of_several_forms_stand_in_one_form_in_the_lineage(run: Run) -> None:
    dates = ["2024-01-31 13:05:00", "2024-01-31T13:05:00Z", "1/31/2024 1:05 PM", "2024-02-30 00:00:00", "2024-01-31"]
    lineage = table_of(run(HEADER + "".join(f"CT,{day},A,{n}\n" for n, day in enumerate(dates))), "audit_lineage.csv")
    moment = "2024-01-31 13:05:00"
    assert [row[2] for row in lineage[1:]] == [moment, moment, moment, dates[3], "2024-01-31 00:00:00"]


@pytest.mark.parametrize(
    ("reading", "row"),
    [({}, ["CT", "2024-01-02", "1234.0"]), ({"date_order": "day_first"}, ["CT", "2024-02-01", "1.5"])],
)
def test_what_a_user_says_of_dates_holds(reading: dict[str, str], row: list[str], run: Run) -> None:
    result = "1.5" if reading else "1234"
    found = run(HEADER + f"CT,1/2/2024,A,{result}\n", {"reading": reading})
    assert table_of(found, "CT_Analysis.csv")[1] == row


@pytest.mark.parametrize(("decimal", "value"), [(",", "1.234"), (None, None)])
def test_what_a_user_says_of_the_decimal_mark_holds(decimal: str | None, value: str | None, run: Run) -> None:
    found = run(
        HEADER.replace(",", ";") + "CT;2024-01-01;A;1,234\nCT;2024-01-02;A;7\n", {"reading": {"decimal": decimal}}
    )
    table = [row[2] for row in table_of(found, "CT_Analysis.csv")[1:]]
    assert table == ([value, "7.0"] if value else ["7.0"])


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1.0, 2.0])), min_size=1, max_size=30))
def test_several_passes_find_the_same_duplicates(found: list[tuple[int, float]]) -> None:
    moments = pl.datetime(2024, 1, 1) + pl.duration(hours="hour")
    frame = pl.LazyFrame(
        {"row": range(len(found)), "hour": [hour for hour, _ in found], "result": [value for _, value in found]}
    )
    frame = frame.with_columns(station=pl.lit("CT"), pcode=pl.lit("A"), date_time=moments, sign=0)
    once = quality.duplicates(frame, len(found))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "_ROWS_A_PASS", 3)
        assert quality.duplicates(frame, len(found)) == once
