"""Workbooks, JSON and archives as people have them."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl

from tests.real_files.case import Case


def _book(*sheets: tuple[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for title, rows in sheets:
            sheet = book.create_sheet(title)
            sheet.sheet_state = "hidden" if title in hidden else "visible"
            for row in rows:
                sheet.append(list(row))
        book.save(path)

    return write


def _csv(*rows: Sequence[object]) -> str:
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def _zip(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return packed.getvalue()


_YEARS: list[list[object]] = [
    ["Country", 2019, 2020, 2021],
    ["Norway", 5, 6, 7],
    ["Sweden", 10, 11, 12],
    ["Denmark", 8, 9, 10],
]
_TABLE: list[list[object]] = [
    ["id", "city", "people"],
    [1, "Rome", 10],
    [2, "Paris", 11],
    [3, "Bonn", 12],
    [4, "Oslo", 13],
]
_PREAMBLE: list[list[object]] = [["Report", None, None], ["Office", "Statistics", None], [None, None, None]]
_LONG_PREAMBLE: list[list[object]] = [[f"Line {number} of the conditions of use", None, None] for number in range(30)]

WORKBOOKS = [
    Case("Header of years", "years.xlsx", _book(("Data", _YEARS)), _csv(*_YEARS), {"2019": "integer"}),
    Case("Preamble of several cells", "preamble.xlsx", _book(("Data", [*_PREAMBLE, *_TABLE])), _csv(*_TABLE)),
    Case("Header beyond line 20", "long.xlsx", _book(("Data", [*_LONG_PREAMBLE, [None], *_TABLE])), _csv(*_TABLE)),
    Case(
        "Notes below the table",
        "notes.xlsx",
        _book(("Data", [*_TABLE, [None], ["Source: the office of figures"]])),
        _csv(*_TABLE),
    ),
    Case(
        "Header with a blank cell",
        "blank.xlsx",
        _book(("Data", [["id", None, "people"], *_TABLE[1:]])),
        _csv(["id", "", "people"], *_TABLE[1:]),
    ),
    Case(
        "A hidden sheet",
        "hidden.xlsx",
        _book(
            ("Lookup", [["a", "b"], *([number, number] for number in range(50))]), ("Data", _TABLE), hidden=["Lookup"]
        ),
        _csv(*_TABLE),
    ),
    Case(
        "A sheet of one column",
        "column.xlsx",
        _book(("Data", [["name"], ["Ada"], ["Grace"], ["Alan"]])),
        _csv(["name"], ["Ada"], ["Grace"], ["Alan"]),
    ),
    Case(
        "Times of day",
        "times.xlsx",
        _book(("Data", [["task", "start"], ["a", dt.time(8, 0)], ["b", dt.time(9, 30)], ["c", dt.time(17, 45)]])),
        _csv(["task", "start"], ["a", "08:00:00"], ["b", "09:30:00"], ["c", "17:45:00"]),
        {"start": "time"},
    ),
]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


_JSON_TABLE = _csv(["a", "b"], [1, "x"], [2, "y"], [3, "z"])
JSON = [
    Case(
        "JSON: a list of records",
        "records.json",
        _json([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]),
        _JSON_TABLE,
    ),
    Case("JSON: columns of arrays", "columns.json", _json({"a": [1, 2, 3], "b": ["x", "y", "z"]}), _JSON_TABLE),
    Case(
        "JSON: pandas' columns",
        "pandas.json",
        _json({"a": {"0": 1, "1": 2, "2": 3}, "b": {"0": "x", "1": "y", "2": "z"}}),
        _JSON_TABLE,
    ),
    Case(
        "JSON: Socrata",
        "socrata.json",
        _json(
            {
                "meta": {"view": {"columns": [{"name": "a", "fieldName": "a"}, {"name": "b", "fieldName": "b"}]}},
                "data": [[1, "x"], [2, "y"], [3, "z"]],
            }
        ),
        _JSON_TABLE,
    ),
]

ARCHIVES = [
    Case(
        "Archive of a README and a table",
        "data.zip",
        _zip(README__txt=b"Read this before you use the data.\n" * 500, data__csv=_csv(*_TABLE).encode()),
        _csv(*_TABLE),
    ),
]

CASES = [*WORKBOOKS, *JSON, *ARCHIVES]
