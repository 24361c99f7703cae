"""What the cells of a workbook hold, and which of its streams, sheets and tables are read."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from assay.errors import Unprocessable
from assay.formats import Table, open_table
from assay.formats.scan import Formulas
from assay.formats.workbook import book
from assay.formats.workbook.book import number_text
from assay.reading import Reading
from tests.assay.analyses import MakeSource
from tests.assay.office import compound, ods, ods_cell, xls, xls_cells

Read = Callable[..., tuple[Table, list[tuple[Any, ...]]]]
Sheets = dict[str, list[list[object]]]


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: bytes, **reading: object) -> tuple[Table, list[tuple[Any, ...]]]:
        source = make_source(content, "a.workbook")
        table = open_table(source, lambda _: 0.0, tmp_path, lambda _: None, Reading.model_validate(reading))
        return table, table.frame.collect().drop("row", "fault").rows()

    return call


@pytest.fixture
def xlsx(tmp_path: Path) -> Callable[[Sheets], bytes]:
    def make(sheets: Sheets, hidden: str = "") -> bytes:
        book = openpyxl.Workbook()
        assert book.active is not None
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
            sheet.sheet_state = "hidden" if name == hidden else "visible"
        book.save(tmp_path / "made.xlsx")
        return (tmp_path / "made.xlsx").read_bytes()

    return make


def _at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, 1, hour, minute, tzinfo=UTC).replace(tzinfo=None)


def test_times_are_times_and_durations_have_all_their_hours(read: Read, xlsx: Callable[[Sheets], bytes]) -> None:
    cells = [
        (time(8), "08:00:00"),
        (time(0), "00:00:00"),
        (time(23, 59, 59, 500_000), "23:59:59.500000"),
        (timedelta(hours=26), "26:00:00"),
        (timedelta(hours=-1, minutes=-30), "-01:30:00"),
        (_at(8, 20), "2024-01-01 08:20:00"),
        (date(2024, 2, 3), "2024-02-03 00:00:00"),
    ]
    _, rows = read(xlsx({"S": [["name", "value"], *(["a", value] for value, _ in cells)]}))
    assert [row[1] for row in rows] == [text for _, text in cells]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("PT08H00M00S", "08:00:00"),
        ("PT27H17M54S", "27:17:54"),
        ("-PT1H30M", "-01:30:00"),
        ("PT00H00M12,5S", "00:00:12.500000"),
    ],
)
def test_times_of_an_opendocument_are_times(read: Read, written: str, text: str) -> None:
    timed = f'<table:table-cell office:value-type="time" office:time-value="{written}"/>'
    assert read(ods({"S": _row(_texts("name", "value")) + _row(_texts("a") + timed)}))[1] == [("a", text)]


def test_formulas_without_a_value_are_counted(read: Read, xlsx: Callable[[Sheets], bytes]) -> None:
    rows: list[list[object]] = [["name", "value"], ["a", "=1+1"], ["b", 2], ["c", '=B2&"<>"']]
    table, cells = read(xlsx({"S": rows, "Other": [["x"], ["=1"]]}))
    assert cells == [("a", None), ("b", "2"), ("c", None)]
    assert "'2 cells with a formula are read as blank" in str(table.facts["warnings"])
    assert "warnings" not in read(xlsx({"S": [["name", "value"], ["a", 1]]}))[0].facts
    formula = _texts("a") + '<table:table-cell table:formula="of:=1"/>'
    table, _ = read(ods({"S": _row(_texts("name", "value")) + _row(formula, ' table:number-rows-repeated="3"')}))
    assert str(table.facts["warnings"]).startswith("['3 cells with a formula are read as blank")


def test_a_text_that_a_formula_gives_may_be_blank() -> None:
    cells = '<c t="inlineStr"><is><t>name</t></is></c><c t="str"><f>""</f><v></v></c><c><f>1</f></c>'
    formulas = Formulas()
    for piece in re.findall(b"[^>]*>", f"<row>{cells}<x:c><x:f/><x:v/></x:c></row>".encode()):
        formulas.feed(piece)
    assert formulas.uncomputed == 2


def _texts(*cells: str) -> str:
    return "".join(ods_cell(cell) for cell in cells)


def _row(cells: str, more: str = "") -> str:
    return f"<table:table-row{more}>{cells}</table:table-row>"


def test_the_tables_of_a_sheet_are_found_as_those_of_a_text(read: Read, xlsx: Callable[[Sheets], bytes]) -> None:
    rows: list[list[object]] = [
        ["Instrument", "XR-200"],
        ["Serial", 991],
        *([f"Setting {at}", at] for at in range(28)),
        [],
        ["Time", "Flow", "Level"],
        [None, "m3/s", "m"],
        *([_at(hour), hour / 2, hour / 4] for hour in range(20)),
        [],
        ["* provisional values of the first day"],
    ]
    table, cells = read(xlsx({"S": rows}))
    assert table.columns == ("Time", "Flow", "Level")
    cells = [row for row in cells if any(row)]
    assert (len(cells), cells[3]) == (20, ("2024-01-01 03:00:00", "1.5", "0.75"))
    assert (table.facts["header_line"], table.facts["units"]) == (32, ["", "m3/s", "m"])


# The rows of a sheet, the names of its columns, and how many of its last rows are the table's.
HEADERS: dict[str, tuple[list[list[object]], tuple[str, ...], int]] = {
    "dates": (
        [["Item", date(2024, 1, 1), date(2024, 2, 1)], ["a", 1, 2], ["b", 3, 4]],
        ("Item", "2024-01-01", "2024-02-01"),
        2,
    ),
    "years": ([["Country", 2022, 2023], ["Italy", 7, 12], ["Peru", 3, 4]], ("Country", "2022", "2023"), 2),
    "one column": ([["email"], ["a@example.org"], ["b@example.org"], ["c@example.org"]], ("email",), 3),
    "three rows": (
        [
            [None, "2023", None, "2024"],
            [None, "H1", "H2", "H1"],
            ["Region", "USD", "USD", "USD"],
            ["Italy", 1, 2, 3],
            ["Peru", 3, 4, 5],
            ["Chad", 6, 7, 8],
        ],
        ("Region", "2023 H1 USD", "2023 H2 USD", "2024 H1 USD"),
        3,
    ),
    "not from A on": (
        [[None, None, "of B1"], [None, "name", "value"], [None, "a", 1], [None, "b", 2]],
        ("name", "value"),
        2,
    ),
}


@pytest.mark.parametrize(("rows", "columns", "count"), HEADERS.values(), ids=HEADERS)
def test_headers_of_a_sheet(
    read: Read, xlsx: Callable[[Sheets], bytes], rows: list[list[object]], columns: tuple[str, ...], count: int
) -> None:
    table, cells = read(xlsx({"S": rows}))
    assert table.columns == columns
    assert cells == [tuple(map(str, row[-len(columns) :])) for row in rows[-count:]]


def test_the_second_table_of_a_sheet_is_named(read: Read, xlsx: Callable[[Sheets], bytes]) -> None:
    first: list[list[object]] = [["A", "B"], [1, 2], [3, 4]]
    second: list[list[object]] = [["Name", "City", "Age"], ["Ann", "Oslo", 31], ["Bob", "Rome", 42], ["Eve", "Lima", 7]]
    table, cells = read(xlsx({"S": [*first, [], [], *second]}))
    assert (table.columns, len(cells)) == (("Name", "City", "Age"), 3)
    assert table.facts["other_tables"] == [{"sheet": "S", "first_line": 1, "last_line": 5}]


def test_a_hidden_list_never_stands_for_the_visible_sheet(read: Read, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden = book.create_sheet("lists", 0)
    hidden.append(["code", "label"])
    for at in range(50):
        hidden.append([f"C{at}", f"L{at}"])
    hidden.sheet_state = "veryHidden"
    for row in (["id", "value"], ["1", 3], ["2", 6]):
        book["Sheet"].append(row)
    book.save(tmp_path / "made.xlsx")
    content = (tmp_path / "made.xlsx").read_bytes()
    table, _ = read(content)
    assert (table.facts["sheets"], table.facts["sheets_not_read"]) == (["Sheet"], ["lists"])
    assert read(content, sheet="lists")[0].columns == ("code", "label")


@pytest.mark.parametrize(
    ("number", "text"),
    [(5.0, "5"), (-0.05, "-0.05"), (1e-5, "0.00001"), (3.2e-10, "3.2e-10"), (1e20, "100000000000000000000"),
     (0.1 + 0.2, "0.30000000000000004"), (2.0**53, "9007199254740992"), (5e-324, "5e-324")],
)  # fmt: skip
def test_numbers_are_written_as_the_shortest_text_of_the_same_double(number: float, text: str) -> None:
    assert number_text(number) == text
    assert float(text) == number


def _embedded(content: bytes, name: str) -> bytes:
    """Put the streams behind the first one into a storage, which is called `name`."""
    directory = 512 * (struct.unpack_from("<L", content, 48)[0] + 1)
    storage = content.index("Storage".encode("utf-16-le"), directory)
    first = storage + 128
    changed = bytearray(content)
    changed[storage : storage + 64] = name.encode("utf-16-le").ljust(64, b"\0")
    changed[storage + 64 : storage + 67] = struct.pack("<HB", 2 * len(name) + 2, 1)
    number = (first - directory) // 128
    changed[storage + 68 : storage + 80] = struct.pack("<3L", 0xFFFF_FFFF, number + 1, number)
    changed[first + 68 : first + 80] = struct.pack("<3L", 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
    return bytes(changed)


def test_streams_of_one_name_in_different_storages_are_no_danger(read: Read) -> None:
    own, other = (_stream(xls({"S": xls_cells([["name", "value"], [text, 1.0]])})) for text in ("own", "embedded"))
    # The reader takes the first entry of the name; the embedded workbook's comes first.
    content = _embedded(compound({"Storage": bytes(4096), "Workbook": other, "Workbook ": own}), "MBD00000001")
    content = content.replace("Workbook ".encode("utf-16-le"), "Workbook\0".encode("utf-16-le"))
    assert read(content)[1] == [("own", "1")]


def _stream(content: bytes) -> bytes:
    """The first stream of a compound file that `xls` makes."""
    begin = content.index(struct.pack("<2H", 0x0809, 16))
    return content[begin : begin + 4096]


def test_two_workbooks_in_one_storage_are_refused(read: Read) -> None:
    stream = _stream(xls({"S": xls_cells([["name", "value"], ["a", 1.0]])}))
    for second in ("Workbook", "Book"):
        content = compound({"Workbook": stream, "xxxxxxxx": stream})
        content = content.replace("xxxxxxxx".encode("utf-16-le"), second.ljust(8, "\0").encode("utf-16-le"))
        with pytest.raises(Unprocessable) as caught:
            read(content)
        assert caught.value.code == "unsafe_spreadsheet"


def test_the_cells_of_a_chart_within_a_sheet_are_not_the_sheet_s(read: Read) -> None:
    begin = struct.pack("<2H4H2L", 0x0809, 16, 0x0600, 0x0020, 0, 0, 0, 0)
    chart = begin + xls_cells([["1", 7.0]]) + struct.pack("<2H", 0x000A, 0)
    sheet = xls_cells([["Month", "value"], ["Jan", 1.0]])
    table, cells = read(xls({"S": sheet + chart}))
    assert (table.columns, cells) == (("Month", "value"), [("Jan", "1")])


class PanicException(BaseException):
    """What a library in Rust raises where it gives up."""


def test_a_reader_that_gives_up_is_a_problem_of_the_file(
    read: Read, xlsx: Callable[[Sheets], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(_path: Path) -> None:
        raise PanicException("range start index 4 out of range for slice of length 2")

    monkeypatch.setattr(book, "load_workbook", give_up)
    with pytest.raises(Unprocessable) as caught:
        read(xlsx({"S": [["a", "b"], [1, 2]]}))
    assert caught.value.code == "unreadable_spreadsheet"
