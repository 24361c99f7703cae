"""Times beside the dates, and where the file could be read in another way: what the page and quality.json say."""

from __future__ import annotations

import io

import openpyxl
import pytest

from tests.assay.analyses import HEADER, Run
from tests.assay.outputs import findings_of, json_of, path_of, table_of

TIMED = "Station,Date,Time,PCode,Result\n"
SURE = HEADER + "CT,2024-01-01 12:00,Data 1,4\nCT,2024-01-01 08:00,Data 1,1\n"


@pytest.mark.parametrize(("day", "moment"), [("1/31/2024", "2024-01-31"), ("2024-01-31 00:00:00", "2024-01-31")])
def test_times_in_a_column_of_their_own_are_joined(day: str, moment: str, run: Run) -> None:
    times = ["08:00", "1:05 PM", "1899-12-31 13:45:10", "09:30:15", ""]
    found = run(TIMED + "".join(f"CT,{day},{time},A,{n}\n" for n, time in enumerate(times)))
    lineage = [row[2] for row in table_of(found, "audit_lineage.csv")[1:]]
    assert lineage == [f"{moment} {time}" for time in ("08:00:00", "13:05:00", "13:45:10", "09:30:15", "00:00:00")]
    quality = json_of(found, "quality.json")
    assert (quality["columns"]["used"]["time"], quality["columns"]["ignored"]) == ("Time", [])
    assert quality["duplicates"]["conflicting"] == 0


def test_a_cell_that_is_no_time_makes_a_date_that_cannot_be_read(run: Run) -> None:
    found = run(TIMED + "CT,2024-01-31,08:00,A,1\n" * 9 + "CT,2024-01-31,soon,A,1\n")
    (refused,) = json_of(found, "quality.json")["refused"]
    assert (refused["reason"], refused["rows"]) == ("unparsable_date", [10])


def test_a_date_with_a_time_of_its_own_leaves_those_of_others(run: Run) -> None:
    rows = "CT,2024-01-30,14:00,A,9\nCT,2024-01-30,08:00,A,1\nCT,2024-01-31 10:00,10:00,A,5\n"
    found = run(TIMED + rows)
    quality = json_of(found, "quality.json")
    assert (quality["duplicates"]["conflicting"], quality["refused"], quality["times_not_used"]) == (0, [], None)
    table = path_of(found, "CT_Analysis.csv").read_text(encoding="utf-8").splitlines()
    assert table[1:] == ["CT,2024-01-30,5.0", "CT,2024-01-31,5.0"]
    lineage = [row[2] for row in table_of(found, "audit_lineage.csv")[1:]]
    assert lineage == ["2024-01-30 14:00:00", "2024-01-30 08:00:00", "2024-01-31 10:00:00"]


def test_times_that_cannot_be_joined_are_told(run: Run) -> None:
    found = run(TIMED + "CT,2024-01-31,0800,A,1\nCT,2024-01-31,0930,A,1\n")
    assert json_of(found, "quality.json")["times_not_used"] == "Time"
    assert "the column Time was not used" in findings_of(found)
    told = run(TIMED + "CT,2024-01-31 10:00,0800,A,1\n")
    assert json_of(told, "quality.json")["times_not_used"] is None


@pytest.mark.parametrize(
    ("dates", "rows", "said"),
    [
        (["13/1/2024", "1/2/2024", "2/3/2024"], (1, 0), "were read as day first because of 1 row alone"),
        (["13/1/2024", "14/1/2024", "1/2/2024", "1/13/2024"], (2, 1), "1 dates have it the other way round"),
        (["1/2/2024"], (0, 0), "month first was assumed"),
        (["13/1/2024"] * 3, (3, 0), None),
    ],
)
def test_thin_evidence_for_the_order_of_dates_is_told(
    dates: list[str], rows: tuple[int, int], said: str | None, run: Run
) -> None:
    found = run(HEADER + "".join(f"CT,{day},A,{n}\n" for n, day in enumerate(dates)))
    order = json_of(found, "quality.json")["date_order"]
    assert order["rows"] == {"day_first": rows[0], "month_first": rows[1]}
    if said:
        assert said in findings_of(found)
    else:
        assert "Dates such as" not in findings_of(found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER + "CT,2024-01-01T10:00:00Z,A,1\nCT,2024-01-01 10:00,A,1\n", "1 row names a time zone, which was left"),
        (HEADER + 'CT,2024-01-01,"A\nB",1\nCT,2024-01-01,A,1\n', "1 row has a cell with line breaks"),
        (HEADER.replace(",", ";") + "CT;2024-01-01;A;1,5\n" * 3, "were read with a decimal comma"),
    ],
)
def test_a_reading_that_could_be_another_is_told(content: str, said: str, run: Run) -> None:
    assert said in findings_of(run(content))
    assert said[5:] not in findings_of(run(SURE))


def test_sheets_that_were_not_read_are_told(run: Run) -> None:
    book = openpyxl.Workbook()
    for name, header in (("Data", HEADER), ("Second", "Who,What")):
        sheet = book.create_sheet(name)
        sheet.append(header.strip().split(","))
        sheet.append(["CT", "2024-01-01", "A", 1])
    file = io.BytesIO()
    book.save(file)
    assert "Sheets that were not read: Second." in findings_of(run(file.getvalue(), filename="a.xlsx"))


def test_a_type_that_is_not_sure_is_told(run: Run) -> None:
    likely = run("Site,Sample Date,Parameter,Value\nCT,2024-01-01,A,1\n")
    told = f"Taken for station measurements with a confidence of {likely.detection.confidence:.2f}"
    assert told in findings_of(likely)
    assert json_of(likely, "quality.json")["confidence"] == likely.detection.confidence
    assert "Taken for station measurements" not in findings_of(run(SURE))


def test_the_page_of_one_day_with_nothing_refused_is_brief(run: Run) -> None:
    page = path_of(run(SURE), "dashboard.html").read_text()
    assert "2024-01-01 to" not in page[: page.index('<section aria-labelledby="charts">')]
    assert '<h3 id="table-1">Rows refused' not in page
