# ruff: noqa: DTZ001 - the times in a file have no zone
from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import cast

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.contract import Source
from assay.datasets import registry
from assay.detection.rules import Rules
from assay.formats import Table, open_table, preview
from assay.formats.text.dialect import Dialect
from assay.formats.text.records import records
from shared.errors import JobCancelled
from tests.assay.analyses import MakeSource, write_source

RULES: Rules = registry.rules()["station_measurements"]
NAMES = ("Station_ID", "Date_Time", "PCode", "Result")
ROWS = [["CT", "2024-01-01 10:00:00", "Data 1", "1.5"], ["TUS", "2024-01-02", "Höhe", "176"]]


def opened(source: Source, folder: Path) -> Table:
    return open_table(source, RULES.header_score, folder, lambda _done: None)


def cells(table: Table) -> list[list[str]]:
    """Rows as read: blanks as empty text, without what the engine added."""
    frame = table.frame.drop("row", "fault").collect(engine="streaming")
    return [[cell or "" for cell in row] for row in frame.iter_rows()]


def faults(table: Table) -> list[str | None]:
    return table.frame.select("fault").collect(engine="streaming")["fault"].to_list()


def delimited(rows: list[list[str]], delimiter: str = ",", end: str = "\n", *, quote_all: bool = False) -> str:
    out = io.StringIO()
    writer = csv.writer(
        out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    )
    writer.writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_reads_every_delimiter_line_end_and_encoding(
    delimiter: str, end: str, encoding: str, tmp_path: Path, make_source: MakeSource
) -> None:
    text = delimited([list(NAMES), *ROWS], delimiter, end)
    source = make_source(text.encode(encoding), "field.tab")
    table = opened(source, tmp_path)
    assert table.columns == NAMES
    assert cells(table) == ROWS
    assert preview(source, RULES.header_score).rows == ROWS
    assert table.facts["encoding"] == {"utf-8-sig": "utf-8"}.get(encoding, encoding)


@pytest.mark.parametrize("filename", ["a.csv", "a.tsv", "a.txt", "a.tab", "a", "a.CSV", "../../a.b.dat", "a" * 5000])
def test_the_name_does_not_matter(filename: str, tmp_path: Path, make_source: MakeSource) -> None:
    assert cells(opened(make_source(delimited([list(NAMES), *ROWS]), filename), tmp_path)) == ROWS


@pytest.mark.parametrize("before", [0, 1, 19])
def test_the_header_may_stand_in_any_of_twenty_lines(before: int, tmp_path: Path, make_source: MakeSource) -> None:
    notes = ['Report; of "2024, draft', "", "a,b,c,d,e,f", "1|2|3"] * 5
    text = "".join(f"{line}\n" for line in notes[:before]) + delimited(
        [["STATION id", "date-time", "P_Code", "result"], *ROWS]
    )
    table = opened(make_source(text), tmp_path)
    assert table.columns == ("STATION id", "date-time", "P_Code", "result")
    assert cells(table) == ROWS
    assert table.facts["header_line"] == before + 1


def test_a_clean_file_is_read_where_it_lies(tmp_path: Path, make_source: MakeSource) -> None:
    for quote_all in (False, True):
        table = opened(make_source(delimited([list(NAMES), *ROWS], quote_all=quote_all)), tmp_path)
        assert table.facts["repaired"] is False
        assert cells(table) == ROWS
    assert not (tmp_path / "clean.csv").exists()


def test_rows_keep_their_numbers_over_blank_lines(tmp_path: Path, make_source: MakeSource) -> None:
    for cell in ("Data 1", '"Data ""1"""'):  # read where it lies, and repaired
        table = opened(make_source(f"{','.join(NAMES)}\nCT,1,{cell},1\n\nCT,2,Data 1,2\n"), tmp_path)
        frame = table.frame.collect(engine="streaming")
        assert frame["row"].to_list() == [1, 2, 3]
        assert frame["1"].to_list()[::2] == ["1", "2"]


def test_broken_quotes_cost_one_line_each(tmp_path: Path, make_source: MakeSource) -> None:
    text = (
        ",".join(NAMES)
        + '\nCT,d,"open,1\nCT,d,5" pipe,2\nCT,d,"two\nlines",3\nCT,d,"a"b,4\nCT,d,x,5,\nCT,d,x,6,y\nCT,d,"end,7\n'
    )
    table = opened(make_source(text), tmp_path)
    assert [row[3] for row in cells(table)] == ["1", "2", "3", "4", "5", "6", "7"]
    assert faults(table) == ["broken_quotes", None, None, "broken_quotes", None, "too_many_fields", "broken_quotes"]
    assert cells(table)[2][2] == "two\nlines"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ('"CT,d,p,1', 'CT",d,p,2'),
        ('CT,d,"p,1', 'CT,d,p",2'),
        ('CT,d,p,"1', 'CT,d,p,2"'),
        ('CT,d,"p,1', 'CT,d,p,2"'),
        ('"C, T",d,"p,1', 'CT,d,p",2'),
    ],
)
@pytest.mark.parametrize("between", [0, 1, 2, 3000])
def test_stray_quotes_swallow_no_rows(
    opening: str, closing: str, between: int, tmp_path: Path, make_source: MakeSource
) -> None:
    rows = [opening, *(f"CT,d,p,{n}" for n in range(between)), closing, "CT,d,p,3"]
    table = opened(make_source(f"{','.join(NAMES)}\n" + "".join(f"{row}\n" for row in rows)), tmp_path)
    assert faults(table) == ["broken_quotes", *[None] * (between + 2)]
    assert [row[3] for row in cells(table)][1:-2] == [str(n) for n in range(between)]
    assert table.facts["multi_line_records"] == 0


def test_records_of_several_lines_are_counted(tmp_path: Path, make_source: MakeSource) -> None:
    rows = ['"C\nT",d,p,1', 'CT,d,"a, b\nc\n\nd",2', 'CT,d,p,"3\n"', "CT,d,p,4"]
    table = opened(make_source(f"{','.join(NAMES)}\n" + "".join(f"{row}\n" for row in rows)), tmp_path)
    assert faults(table) == [None] * 4
    assert cells(table)[1][2] == "a, b\nc\n\nd"
    assert table.facts["multi_line_records"] == 3


@pytest.mark.parametrize("under", ["", "-----", "CT", '"'])
@pytest.mark.parametrize("cell", ["p", '"p ""1"""'])  # read where it lies, and repaired
def test_the_first_row_may_be_short(under: str, cell: str, tmp_path: Path, make_source: MakeSource) -> None:
    table = opened(make_source(f"{','.join(NAMES)}\n{under}\nCT,d,{cell},1\n"), tmp_path)
    assert [row[3] for row in cells(table)] == ["", "1"]


@pytest.mark.parametrize("cell", ["p", '"p ""1"""'])
def test_a_last_column_without_a_name_is_kept_where_it_holds_something(
    cell: str, tmp_path: Path, make_source: MakeSource
) -> None:
    table = opened(make_source(f"{','.join(NAMES)},\nCT,d,{cell},1,note\nCT,d,{cell},2,,more\n"), tmp_path)
    assert table.columns == (*NAMES, "")
    assert [row[3:] for row in cells(table)] == [["1", "note"], ["2", "more"]]


@pytest.mark.parametrize("cell", ["p", '"p ""1"""'])
def test_a_last_column_that_holds_nothing_is_none(cell: str, tmp_path: Path, make_source: MakeSource) -> None:
    table = opened(make_source(f"{','.join(NAMES)},\nCT,d,{cell},1,\nCT,d,{cell},2, \n"), tmp_path)
    assert table.columns == NAMES


def test_a_quote_that_never_closes_is_given_up_within_a_million_characters() -> None:
    def endless() -> Iterator[str]:
        yield 'CT,"d\n'
        for _ in range(300_000):
            yield 'x","z\n'
        pytest.fail("it reads on and on")

    first = next(records(endless(), Dialect(), 4))
    assert (first.cells, first.lines, first.broken) == (["CT", '"d'], ['CT,"d\n'], True)


letter = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters=",;|")
# A cell of several lines with delimiters in it may be rows that stray quotes swallowed.
text_cell = st.text(letter | st.sampled_from('",;\t| '), max_size=6) | st.text(
    letter | st.sampled_from('\n\r" '), max_size=6
)
body = st.lists(st.lists(text_cell, min_size=4, max_size=4).filter(any), min_size=1, max_size=8)


@given(rows=body, delimiter=st.sampled_from(",\t;|"), quote_all=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_csv_wrote_is_read(rows: list[list[str]], delimiter: str, quote_all: bool, tmp_path: Path) -> None:
    written = delimited([list(NAMES), *rows], delimiter, "\r\n", quote_all=quote_all)
    source = write_source(tmp_path / "any", written, "any.csv")
    table = opened(source, tmp_path)
    assert cells(table) == rows
    assert faults(table) == [None] * len(rows)


@given(st.text(alphabet='a",\n\r', max_size=60))
def test_no_character_is_lost_in_records(text: str) -> None:
    def letters(parts: Iterator[str]) -> int:
        return sum(part.count("a") for part in parts)

    lines = list(io.StringIO(text, newline=""))
    assert letters(chain.from_iterable(one.cells for one in records(lines, Dialect(), 4))) == text.count("a")


def workbook(tmp_path: Path, *sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    path = tmp_path / "made.xlsx"
    book.save(path)
    return path.read_bytes()


def test_reads_the_sheet_that_has_the_header(tmp_path: Path, make_source: MakeSource) -> None:
    content = workbook(
        tmp_path,
        [["Title", "of a report"], ["more", "words"]],
        [],
        [[], [None, "Field data"], list(NAMES), ["CT", datetime(2024, 1, 2, 3, 4, 5), "Data 1", 1.411],
         [7, datetime(2024, 1, 2), "Data 1", 176], [None, None, None, None], ["CT", "x", "#DIV/0!", 0.1, "note"]],
    )  # fmt: skip
    source = make_source(content, "field.XLSX")
    table = opened(source, tmp_path)
    assert table.columns == (*NAMES, "")
    assert cells(table) == [
        ["CT", "2024-01-02 03:04:05", "Data 1", "1.411", ""],
        ["7", "2024-01-02 00:00:00", "Data 1", "176", ""],
        ["", "", "", "", ""],
        ["CT", "x", "", "0.1", "note"],
    ]
    assert faults(table) == [None] * 4
    assert table.facts == {
        "format": "xlsx",
        "sheets": ["Sheet2"],
        "sheets_not_read": ["Sheet"],
        "header_line": 3,
        "lines_above": 1,
        "warnings": [
            "Sheets that were not read: Sheet.",
            "A column without a name holds something: column 5 in 1 of 4 rows. Check that the header fits the rows.",
        ],
    }
    assert preview(source, RULES.header_score).columns == (*NAMES, "")


def test_a_workbook_makes_the_tables_that_its_text_makes(tmp_path: Path, make_source: MakeSource) -> None:
    rows: list[list[object]] = [list(NAMES), ["CT", datetime(2024, 1, 2, 10), "Data 1", 1.411], ["CT", None, "x", 3]]
    as_text = delimited([list(NAMES), ["CT", "2024-01-02 10:00:00", "Data 1", "1.411"], ["CT", "", "x", "3"]])
    sheet, text = (
        opened(make_source(workbook(tmp_path, rows), "a.xlsx"), tmp_path),
        opened(make_source(as_text), tmp_path),
    )
    assert cells(sheet) == cells(text)


def test_numbers_of_a_workbook_are_the_same_doubles(tmp_path: Path, make_source: MakeSource) -> None:
    numbers = [3.2e-10, 1 / 3, 1.797e308, 5e-324, 0.3000000000000004, 1e22, -1e-5, 1e-12, 176.0]
    others: list[object] = ["007", True, datetime(2024, 1, 2), "1e-400", "1.50", " 7 ", "nan"]
    rows: list[list[object]] = [list(NAMES), *(["CT", "d", "p", value] for value in [*numbers, *others])]
    found = [row[3] for row in cells(opened(make_source(workbook(tmp_path, rows), "a.xlsx"), tmp_path))]
    assert [float(cell) for cell in found[: len(numbers)]] == numbers
    assert found[len(numbers) :] == ["007", "true", "2024-01-02 00:00:00", "1e-400", "1.50", " 7 ", "nan"]


def test_sheets_with_the_same_header_are_one_table(tmp_path: Path, make_source: MakeSource) -> None:
    content = workbook(
        tmp_path,
        [["Field data"], [], list(NAMES), ["CT", "d", "p", 1]],
        [["Notes"]],
        [[name.upper() for name in NAMES], ["CT", "d", "p", 2], ["CT", "d", "p", 3]],
        [[*reversed(NAMES)], [4, "p", "d", "CT"]],
        [[*NAMES[:3], "Reading"], ["CT", "d", "p", 5]],
        [list(NAMES)],
        [],
    )
    source = make_source(content, "a.xlsx")
    table = opened(source, tmp_path)
    assert table.columns == NAMES
    assert cells(table) == [["CT", "d", "p", str(n)] for n in (1, 2, 3, 4)]
    assert table.frame.collect()["row"].to_list() == [1, 2, 3, 4]
    assert table.facts["sheets"] == ["Sheet", "Sheet2", "Sheet3", "Sheet5"]
    assert table.facts["sheets_not_read"] == ["Sheet1", "Sheet4"]
    head = preview(source, RULES.header_score)
    assert (head.columns, head.rows) == (table.columns, [["CT", "d", "p", "1"]])


@pytest.mark.parametrize(
    "other",
    [
        [list(NAMES), [None, "d", "p", 3], [None, "e", "p", 4]],
        [[*NAMES[1:]], ["d", "p", 3], ["e", "p", 4]],
        [[*NAMES, "Depth"], ["CT", "d", "p", 3, 0], ["CT", "e", "p", 4, 0]],
    ],
)
def test_a_sheet_that_lacks_a_column_of_another_is_not_added_to_it(
    other: list[list[object]], tmp_path: Path, make_source: MakeSource
) -> None:
    content = workbook(tmp_path, [list(NAMES), ["CT", "d", "p", 1], ["CT", "e", "p", 2]], other)
    table = opened(make_source(content, "a.xlsx"), tmp_path)
    assert len(cells(table)) == 2
    read, left = (cast("list[str]", table.facts[name]) for name in ("sheets", "sheets_not_read"))
    assert len({*read, *left}) == 2
    assert "Sheets that were not read" in str(table.facts["warnings"])


def test_a_hidden_sheet_is_read_where_no_visible_one_holds_a_table(tmp_path: Path, make_source: MakeSource) -> None:
    book = openpyxl.Workbook()
    visible, hidden = book.worksheets[0], book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    hidden.append(NAMES)
    hidden.append(["CT", "d", "p", 1])
    visible.append(["Nothing but a title on this sheet"])
    for results, not_read in ((["1"], "Sheet"), (["2"], "Old")):
        book.save(tmp_path / "hidden.xlsx")
        table = opened(make_source((tmp_path / "hidden.xlsx").read_bytes(), "a.xlsx"), tmp_path)
        assert [row[3] for row in cells(table)] == results
        assert table.facts["sheets_not_read"] == [not_read]
        # Fewer rows than the hidden one has, and names that nobody wants.
        for row in (["Title", "Of", "A", "Report"], ["CT", "d", "p", 2]):
            visible.append(row)


def test_letters_that_begin_another_format_are_letters(tmp_path: Path, make_source: MakeSource) -> None:
    table = opened(make_source("PAR1," + ",".join(NAMES) + "\nx,CT,1,2,3\n"), tmp_path)
    assert table.columns[0] == "PAR1"


def test_a_cancel_passes_through_a_repair(tmp_path: Path, make_source: MakeSource) -> None:
    def cancel(_done: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        open_table(make_source(delimited([list(NAMES), ["a", "b", "c", 'd"e']])), RULES.header_score, tmp_path, cancel)
