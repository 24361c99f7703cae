"""JSON and NDJSON to tables, record by record: numbers exactly as they are written, what is nested as JSON text."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.head import read_head
from assay.formats.json.recognise import NDJSON
from assay.formats.json.stream import JsonReader, Value, broken_json, cell_of
from assay.formats.layout import Cells, no_rows
from assay.formats.limits import MAX_CELLS, MAX_CELLS_A_BYTE, MAX_COLUMNS, MAX_JSON_TABLES
from assay.formats.problems import listed, shown, too_many_cells
from assay.formats.registry import Head, Opening, Whole

_TICK_ROWS = 100_000
_DEEPEST = 5
# A character that is half of a pair stays as JSON wrote it.
_HALVES = "backslashreplace"

Row = list[str]


@dataclass
class _Columns:
    """The columns of a table, in the order in which the records name them first."""

    places: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    width: int = 0
    named: bool = False

    def row(self, record: Value) -> Row:
        """Put a record's values into their columns; columns that come later are missing at its end."""
        self.rows += 1
        if isinstance(record, dict):
            self.named = True
            for name in record:
                if name not in self.places:
                    self.places[name] = len(self.places)
            cells = [""] * len(self.places)
            for name, value in record.items():
                cells[self.places[name]] = cell_of(value)
        else:
            cells = [cell_of(value) for value in record] if isinstance(record, list) else [cell_of(record)]
        self.width = max(self.width, len(cells))
        if self.width > MAX_COLUMNS:
            raise Unprocessable(
                "too_many_columns",
                f"The records have {self.width:,} names; at most {MAX_COLUMNS:,} columns are taken.",
                "Give every record the same names.",
            )
        return cells


def preview(opening: Opening, limit: int) -> Head:
    """The columns that the first `limit` records name, and these records. Raises Unprocessable."""
    tables: dict[str, tuple[_Columns, list[Row]]] = {}
    with _open(opening.source) as file:
        found = _Records(JsonReader(file), opening.kind)
        for place, record in found:
            columns, rows = tables.setdefault(place, (_Columns(), []))
            if len(rows) < limit:
                rows.append(columns.row(record))
            else:
                columns.rows += 1
            if len(rows) == limit and (opening.kind == NDJSON or place == ""):
                break
    place = _largest({place: columns for place, (columns, _) in tables.items()}, found)
    columns, rows = tables[place]
    names, headed = _names(columns, rows, found.lists)
    return names, [[cell.encode(errors=_HALVES).decode() for cell in row] for row in rows[headed:]]


def open_table(opening: Opening) -> Whole:
    """All records, from a copy as CSV in the folder; where there are several arrays of records, the largest.

    Raises Unprocessable: broken_json, json_too_deep, record_too_long, no_table, no_rows, too_many_columns,
    too_many_cells.
    """
    source, tick = opening.source, opening.tick
    tables: dict[str, _Columns] = {}
    firsts: dict[str, list[Row]] = {}
    with _open(source) as file:
        found = _Records(JsonReader(file), opening.kind)
        with _Writers(opening.folder) as writers:
            for place, record in found:
                columns = tables.setdefault(place, _Columns())
                row = columns.row(record)
                if columns.rows <= 2:
                    firsts.setdefault(place, []).append(row)
                writers.write(place, row)
                if columns.rows % _TICK_ROWS == 0:
                    tick(min(found.reader.read / max(source.size_bytes, 1), 1.0))
    place = _largest(tables, found)
    columns = tables[place]
    most = max(MAX_CELLS, MAX_CELLS_A_BYTE * source.size_bytes)
    if columns.rows * columns.width > most:
        raise too_many_cells(columns.rows, columns.width, source.size_bytes, most)
    names, headed = _names(columns, firsts[place], found.lists)
    if columns.rows <= headed:
        raise no_rows()
    facts: dict[str, JsonValue] = {
        "format": opening.kind,
        "encoding": file.encoding.removesuffix("-sig"),
        "records": columns.rows - headed,
        "array": place,
        "header": "none" if names[0] == "column_1" else "first array" if headed else "names",
        "tables_not_read": [
            {"array": other, "rows": one.rows, "columns": one.width} for other, one in tables.items() if other != place
        ],
    }
    frame = pl.scan_csv(
        writers.path(place),
        has_header=False,
        glob=False,
        infer_schema=False,
        skip_rows=headed,
        schema={str(at): pl.String for at in range(max(len(names), columns.width))},
        missing_columns="insert",
        row_index_name="row",
        row_index_offset=1,
    )
    cells = [pl.col(str(at)) for at in range(len(names))]
    return names, frame.select(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"), *cells), facts


def _open(source: Source) -> TextIO:
    head = read_head(source.path)[:4]
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return source.path.open(encoding="utf-16" if wide else "utf-8-sig", newline="")


class _Writers:
    """A CSV for each array of records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self._writers: dict[str, Callable[[Sequence[str]], object]] = {}
        self._places: dict[str, int] = {}

    def path(self, place: str) -> Path:
        """Where the rows of an array are."""
        return self._folder / f"records-{self._places[place]}.csv"

    def write(self, place: str, row: Row) -> None:
        """Append a row."""
        if place not in self._writers:
            self._places[place] = len(self._places)
            file = self.path(place).open("w", encoding="utf-8", errors=_HALVES, newline="")
            self._files[place] = file
            self._writers[place] = csv.writer(file, lineterminator="\r\n").writerow
        self._writers[place](row or [""])

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()


class _Records:
    """The records of a file, each with the place of its array: "" for that of the whole file, else the names to it.

    `lists` are short arrays of texts on the way, which may be the names of the columns.
    """

    def __init__(self, reader: JsonReader, kind: str) -> None:
        self.reader = reader
        self.lists: list[list[str]] = []
        self.names: list[str] = []
        self._arrays = 0
        self._kind = kind

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        try:
            if self._kind == NDJSON:
                while self.reader.peek():
                    yield "", self.reader.value()
                return
            if self.reader.peek() == "[":
                yield from self._array("")
            else:
                yield from self._object("", 0)
            if self.reader.peek():
                raise broken_json(self.reader.place, "something follows its end")
        except UnicodeError as error:
            raise Unprocessable(
                "unknown_encoding",
                f"JSON is UTF-8 or UTF-16, and the file is neither to its end ({error.reason}).",  # type: ignore[attr-defined]
                "Save the file as UTF-8 and send it again.",
            ) from error

    def _array(self, place: str) -> Iterator[tuple[str, Value]]:
        self._arrays += 1
        if self._arrays > MAX_JSON_TABLES:
            raise Unprocessable(
                "too_many_tables",
                f"The file has {self._arrays:,} arrays of records or more; at most {MAX_JSON_TABLES:,} are read.",
                "Send the one that is meant, as an array of objects.",
            )
        for record in self.reader.items():
            yield place, record

    def _object(self, place: str, depth: int) -> Iterator[tuple[str, Value]]:
        for name in self.reader.names():
            inner = f"{place}.{name}" if place else name
            self.names.append(shown(name))
            start = self.reader.peek()
            if start == "[" and self.reader.second() in ("{", "["):
                yield from self._array(inner)
            elif start == "{" and depth < _DEEPEST:
                yield from self._object(inner, depth + 1)
            else:
                value = self.reader.value()
                if isinstance(value, list) and all(isinstance(one, str) for one in value):
                    self.lists.append([str(one) for one in value])


def _largest(tables: dict[str, _Columns], found: _Records) -> str:
    if not tables:
        raise Unprocessable(
            "no_table",
            "The file is JSON without an array of records in it"
            + (f" (it has {listed(found.names, 5)})." if found.names else "."),
            'Send an array of objects, such as [{"station": "CT", "result": 1.5}], or one object a line.',
        )
    # The first among equals.
    return max(tables, key=lambda place: tables[place].rows * tables[place].width)


def _names(columns: _Columns, rows: Sequence[Row], lists: Sequence[Sequence[str]]) -> tuple[Cells, int]:
    """The names of the columns, and whether the first row is where they stand (1 or 0)."""
    if columns.named:
        return tuple(columns.places), 0
    for names in lists:
        if len(names) == columns.width:
            return tuple(names), 0
    first = rows[0]
    words = [cell for cell in first if cell.strip() and not _is_number(cell)]
    if columns.rows > 1 and len(words) == columns.width and len({*words}) == len(words) and columns.width > 1:
        return tuple(cell.strip() for cell in first), 1
    return tuple(f"column_{at}" for at in range(1, columns.width + 1)), 0


def _is_number(cell: str) -> bool:
    try:
        return json.loads(cell) is not None and cell[:1] not in '["{'
    except ValueError:
        return False
