"""JSON and NDJSON to tables, record by record: numbers exactly as they are written, what is nested as JSON text."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.doubts import ABOUT
from assay.formats.head import read_head
from assay.formats.header_rank import Cells, no_rows
from assay.formats.json.families import Families
from assay.formats.json.family import Family
from assay.formats.json.recognise import NDJSON
from assay.formats.json.stream import JsonReader, Value, cell_of
from assay.formats.json.walk import Records
from assay.formats.limits import MAX_COLUMNS
from assay.formats.problems import check_cells, listed
from assay.formats.registry import Head, Opening, Whole

_TICK_ROWS = 100_000
# What an object that describes a column calls its name.
_LABELS = ("name", "fieldName", "label", "title", "id")
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
    firsts: list[Row] = field(default_factory=list)
    # What records that describe columns call them; few, or none at all.
    labels: list[str] = field(default_factory=list)

    @property
    def cells(self) -> int:
        """How many cells the table has."""
        return self.rows * self.width

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
            label = next((value for name in _LABELS if isinstance(value := record.get(name), str)), None)
            if label and len(self.labels) == self.rows - 1 < MAX_COLUMNS:
                self.labels.append(label)
            else:
                self.labels = []
        else:
            cells = [cell_of(value) for value in record] if isinstance(record, list) else [cell_of(record)]
        self.width = max(self.width, len(cells))
        if self.width > MAX_COLUMNS:
            raise _too_many_columns(self.width)
        return cells


def _too_many_columns(width: int) -> Unprocessable:
    return Unprocessable(
        "too_many_columns",
        f"The records have {width:,} names; at most {MAX_COLUMNS:,} columns are taken.",
        "Give every record the same names.",
    )


def preview(opening: Opening, limit: int) -> Head:
    """The columns that the first `limit` records name, and these records. Raises Unprocessable."""
    columns, rows = _Columns(), list[Row]()
    with _open(opening.source) as file:
        reader = JsonReader(file)
        if opening.kind != NDJSON and reader.peek() != "[":
            # Which table it is shows at the end.
            names, frame, _ = open_table(opening)
            cells = frame.drop("row", "fault").head(limit).collect().rows()
            return names, [[cell or "" for cell in row] for row in cells]
        for _, record in islice(Records(reader, opening.kind, Families(opening.folder)), limit):
            rows.append(columns.row(record))
    if not rows:
        raise _no_table([], 0)
    names, headed = _names(columns, rows, [])
    return names, [[cell.encode(errors=_HALVES).decode() for cell in row] for row in rows[headed:]]


def open_table(opening: Opening) -> Whole:
    """All records, from a copy as CSV in the folder; where there are several arrays of records, the largest.

    Where there are none, the table that is written by columns, or as one object of many. Raises Unprocessable:
    broken_json, json_too_deep, record_too_long, no_table, no_rows, too_many_columns, too_many_cells.
    """
    source, tick = opening.source, opening.tick
    tables: dict[str, _Columns] = {}
    families = Families(opening.folder)
    with _open(source) as file, closing(families):
        found = Records(JsonReader(file), opening.kind, families)
        with _Writers(opening.folder) as writers:
            for place, record in found:
                columns = tables.setdefault(place, _Columns())
                row = columns.row(record)
                if columns.rows <= 2:
                    columns.firsts.append(row)
                writers.write(place, row)
                if columns.rows % _TICK_ROWS == 0:
                    tick(min(found.reader.read / max(source.size_bytes, 1), 1.0))
    facts: dict[str, JsonValue] = {"format": opening.kind, "encoding": file.encoding.removesuffix("-sig")}
    if not tables:
        return _of_families(opening, found, facts)
    place = _largest(tables)
    columns = tables[place]
    check_cells(columns.rows, columns.width, source.size_bytes)
    beside = families.arrays_at(place.rpartition(".")[0])
    lists = [*beside.lists(columns.width)] if beside and not columns.named else []
    lists += [other.labels for name, other in tables.items() if name != place and other.labels]
    names, headed = _names(columns, columns.firsts, lists)
    if columns.rows <= headed:
        raise no_rows()
    is_named = columns.named or headed or names[:1] != ("column_1",)
    facts |= {
        "records": columns.rows - headed,
        "array": place,
        "header": "none" if not is_named else "first array" if headed else "names",
        "tables_not_read": [
            {"array": other, "rows": one.rows, "columns": one.width} for other, one in tables.items() if other != place
        ],
    }
    if not is_named:
        facts["header_line"] = None
    frame = _scan(writers.path(place), max(len(names), columns.width), headed)
    index = beside.column("index") if beside and not columns.named else None
    if index and index.cells == columns.rows and not index.in_order:
        # The names of the rows, as pandas writes them with `orient="split"`.
        path = opening.folder / "index.csv"
        _write(path, ([cell] for cell in index.values))
        names = ("", *names)
        labels = _scan(path, 1, 0).select(pl.col("0").alias("label"))
        frame = pl.concat([labels, frame], how="horizontal").rename({"row": "number"})
        frame = frame.select(
            pl.col("number").alias("row"),
            pl.col("label").alias("0"),
            *[pl.col(str(at)).alias(str(at + 1)) for at in range(len(names) - 1)],
        )
    return names, _selected(frame, len(names)), facts


def _of_families(opening: Opening, found: Records, facts: dict[str, JsonValue]) -> Whole:
    """The largest table that is written by columns, or as one object of many."""
    families = [family for family in found.families.tables() if family.count > 1 or found.name_count == 1]
    if not families:
        raise _no_table(found.names, found.name_count)
    best = max(families, key=Family.cells)
    names, rows = best.table()
    if len(names) > MAX_COLUMNS:
        raise _too_many_columns(len(names))
    path = opening.folder / "rows.csv"
    count = _write(path, rows)
    check_cells(count, len(names), opening.source.size_bytes)
    orient = "arrays" if best.arrays else best.orient()
    facts |= {
        "records": count,
        "array": best.place,
        "layout": {"arrays": "an array for each column", "columns": "an object for each column",
                   "rows": "an object for each row"}[orient or "rows"],
        "header": "names",
        "tables_not_read": [{"array": other.place} for other in families if other is not best],
    }  # fmt: skip
    return tuple(names), _selected(_scan(path, len(names), 0), len(names)), facts


def _write(path: Path, rows: Iterable[Sequence[str]]) -> int:
    """Write rows as CSV; return how many there are."""
    count = 0
    with path.open("w", encoding="utf-8", errors=_HALVES, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        for count, row in enumerate(rows, 1):  # noqa: B007 - what is returned
            writer.writerow(row)
    return count


def _scan(path: Path, width: int, skip: int) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        has_header=False,
        infer_schema=False,
        skip_rows=skip,
        schema={str(at): pl.String for at in range(width)},
        missing_columns="insert",
        row_index_name="row",
        row_index_offset=1,
        glob=False,
    )


def _selected(frame: pl.LazyFrame, width: int) -> pl.LazyFrame:
    cells = [pl.col(str(at)) for at in range(width)]
    return frame.select(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"), *cells)


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


def _no_table(names: list[str], count: int) -> Unprocessable:
    more = f" and {count - len(names):,} more" if count > len(names) else ""
    return Unprocessable(
        "no_table",
        "The file is JSON without an array of records in it" + (f" (it has {listed(names)}{more})." if names else "."),
        'Send an array of objects, such as [{"station": "CT", "result": 1.5}], or one object a line.',
    )


def _largest(tables: dict[str, _Columns]) -> str:
    """The first of the largest; what tells about others by the names on its way is none of them."""
    return max(tables, key=lambda place: (not ABOUT & {*place.lower().split(".")}, tables[place].cells))


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
