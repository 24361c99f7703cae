"""Workbooks (XLSX, XLSB, XLS, ODS) to tables, every cell as text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import polars as pl
from pydantic import JsonValue

from assay.errors import Unprocessable
from assay.formats.header_rank import Cells, Scorer, no_header, no_rows
from assay.formats.heading import Row
from assay.formats.locate import Block, locate_table
from assay.formats.problems import listed, shown
from assay.formats.registry import Head, Opening, Whole
from assay.formats.workbook.book import Book
from assay.formats.workbook.check_ods import check_opendocument
from assay.formats.workbook.check_xlsx import check_workbook
from assay.formats.workbook.currencies import mixed_currencies
from assay.reading import Reading

# The rows of a sheet in which its tables are looked for: so many cells from its beginning, and the rows at its end.
_HEAD_CELLS = 100_000
_MOST_HEAD_ROWS, _LEAST_HEAD_ROWS = 5_000, 50
_TAIL_ROWS = 100
# A table without a header counts as one where it has so many times the cells of one that has a header.
_WITHOUT_HEADER = 4
# So many of a key's cells are filled.
_FILLED = 0.9
# A date among a header's names is a day: a workbook's cells have no other.
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) 00:00:00")


@dataclass(frozen=True)
class _SheetTable:
    """The main table of a sheet: where it is, its rows, its names, and in which of the sheet's columns each stands.

    A place of None is that of a column which another sheet of the same table has.
    """

    sheet: str
    block: Block
    rows: pl.DataFrame
    columns: Cells
    places: tuple[int | None, ...]

    def cells(self) -> pl.DataFrame:
        """The cells of the rows, in columns called 0, 1, ..."""
        blank = pl.Series([None], dtype=pl.String).new_from_index(0, self.rows.height)
        return pl.DataFrame(
            [
                (blank if place is None else self.rows.to_series(place)).alias(str(at))
                for at, place in enumerate(self.places)
            ]
        )


@dataclass(frozen=True)
class _Found:
    """The tables to read as one, in the workbook's order.

    `best` has the columns of all, `not_read` names the other sheets that hold something.
    """

    best: _SheetTable
    tables: list[_SheetTable]
    not_read: list[str]


def preview(opening: Opening, limit: int) -> Head:
    """The header and up to `limit` rows of the sheet whose table is read. Raises Unprocessable."""
    found = _find_tables(opening, limit)
    for table in found.tables:
        rows = table.cells().head(limit).rows()
        if rows:
            return found.best.columns, [list(row) for row in rows]
    raise no_rows()


def open_table(opening: Opening) -> Whole:
    """The sheet whose table has the best header, together with all visible sheets that have the same columns.

    Where nobody wants any, that with the most cells. Hidden sheets are read where no visible one holds a table. The
    header is found, and the rows that belong to it, as in a text. Raises Unprocessable.
    """
    found = _find_tables(opening, None)
    block = found.best.block
    whole = pl.concat([table.cells() for table in found.tables])
    if not whole.height:
        raise no_rows()
    facts: dict[str, JsonValue] = {
        "format": opening.kind,
        "sheets": [table.sheet for table in found.tables],
        "sheets_not_read": list[JsonValue](found.not_read),
        "header_line": found.tables[0].block.header_at + 1 if block.has_header else None,
    }
    # Only what is so is told.
    told: dict[str, JsonValue] = {
        "header_rows": block.header_rows if block.header_rows > 1 else 0,
        "units": [*block.units],
        "lines_above": sum(table.block.notes_above for table in found.tables),
        "lines_below": sum(table.block.notes_below for table in found.tables),
        "other_tables": [
            {"sheet": table.sheet, "first_line": first, "last_line": last}
            for table in found.tables
            for first, last in table.block.others
        ],
    }
    facts.update({name: value for name, value in told.items() if value})
    warnings: list[JsonValue] = []
    if opening.kind == "xlsx":
        warnings += mixed_currencies(opening.source, [table.sheet for table in found.tables])
    if uncomputed := _uncomputed(opening, found.tables):
        are = "cell with a formula is" if uncomputed == 1 else "cells with a formula are"
        text = f"{uncomputed:,} {are} read as blank: the program that wrote the workbook did not compute them."
        warnings.append(f"{text} Open it in a spreadsheet program, save it, and send that.")
    if warnings:
        facts["warnings"] = warnings
    lazy = whole.lazy().with_row_index("row", offset=1)
    lazy = lazy.select(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"), pl.exclude("row"))
    return found.best.columns, lazy, facts


def _uncomputed(opening: Opening, tables: list[_SheetTable]) -> int:
    """How many cells of the sheets that are read have a formula and no value; XLS and XLSB have one in every cell."""
    checks = {"xlsx": check_workbook, "ods": check_opendocument}
    if opening.kind not in checks:
        return 0
    counts = checks[opening.kind](opening.source)
    return sum(counts.get(table.sheet, 0) for table in tables)


def _find_tables(opening: Opening, limit: int | None) -> _Found:
    """Find the best table: its header is wanted most, or it has the most cells; the first wins among equals.

    Every sheet is read once, for the reader takes it apart whole whatever it is asked for: all its rows, or with a
    `limit` so many below where a table may begin.
    """
    book = Book(opening.source, opening.kind, opening.folder)
    tables: dict[bool, list[tuple[tuple[float, int], _SheetTable]]] = {True: [], False: []}
    filled, widest = [], 0
    for sheet in _wanted_sheets(book, opening.reading):
        rows = book.cells(sheet, None if limit is None else _MOST_HEAD_ROWS + limit)
        if not rows.height:
            continue
        filled.append(sheet)
        widest = max(widest, rows.width)
        table = _table_in(sheet, rows, opening.score, opening.reading)
        if table is not None:
            tables[book.sheets[sheet]].append((_rank(table, opening.score), table))
    ranked = tables[True] or tables[False]
    if not ranked:
        raise no_header(f"the workbook's sheets ({listed([*book.sheets])})", widest)
    (wanted, _), best = max(ranked, key=lambda each: each[0])
    read = {best.sheet: best}
    for _, table in ranked:
        if table is not best and wanted > 0 and (same := _in_order_of(table, best)):
            read[table.sheet] = same
    return _Found(
        best, [read[sheet] for sheet in book.sheets if sheet in read], [name for name in filled if name not in read]
    )


def _wanted_sheets(book: Book, reading: Reading) -> list[str]:
    if reading.sheet is None:
        return [*book.sheets]
    for sheet in book.sheets:
        if _fold(sheet) == _fold(reading.sheet):
            return [sheet]
    raise Unprocessable(
        "no_such_sheet",
        f"The workbook has no sheet {shown(reading.sheet)}.",
        f"Its sheets are: {listed([*book.sheets])}.",
    )


def _table_in(sheet: str, rows: pl.DataFrame, score: Scorer, reading: Reading) -> _SheetTable | None:
    """The main table of a sheet; None where there is none, or nothing below its header."""
    try:
        block = locate_table(_sample(rows, reading), score, reading, whole=True)
    except Unprocessable:
        return None
    below = rows[block.through : block.stop]
    width = min(block.width, rows.width)
    holds = below.select(pl.all().str.contains(r"\S").any()).row(0) if below.height else (False,) * rows.width
    names = tuple(_MIDNIGHT.sub(r"\1", name) for name in block.names)
    # A column without a name and without a cell is none: it stands between two, or beside the table.
    places = [at for at in range(width) if holds[at] or (at < len(names) and (names[at] and block.has_header))]
    if not places:
        return None
    columns = tuple(names[at] if at < len(names) else "" for at in places)
    if not block.has_header:
        columns = tuple(f"column_{at}" for at in range(1, len(places) + 1))
    return _SheetTable(sheet, block, below, columns, tuple(places))


def _sample(rows: pl.DataFrame, reading: Reading) -> list[Row]:
    """The rows in which tables are looked for: the first ones and the last."""
    first = min(_MOST_HEAD_ROWS, max(_LEAST_HEAD_ROWS, _HEAD_CELLS // rows.width))
    first = max(first, (reading.header_line or 0) + _LEAST_HEAD_ROWS)
    last = max(first, rows.height - _TAIL_ROWS)
    return [
        Row(line, line + 1, cells)
        for start, stop in ((0, first), (last, rows.height))
        for line, cells in enumerate(rows[start:stop].fill_null("").rows(), start)
    ]


def _rank(table: _SheetTable, score: Scorer) -> tuple[float, int]:
    """What somebody wants of the header, or how many cells the table has."""
    wanted = score(table.columns) if table.block.has_header else 0.0
    if wanted > 0:
        return wanted, sum(map(bool, table.columns))
    counts = table.rows.select(pl.all().str.contains(r"\S").sum()).sum_horizontal()
    return 0.0, int(counts.sum()) // (1 if table.block.has_header else _WITHOUT_HEADER)


def _in_order_of(table: _SheetTable, best: _SheetTable) -> _SheetTable | None:
    """Put a sheet's columns in the order of the best one's; None where the two do not add up to one.

    Rows that lack a column, or have nothing in it, may be sums of those that have it.
    """
    own, names = [*map(_fold, table.columns)], [*map(_fold, best.columns)]
    if Counter(filter(None, own)) != Counter(filter(None, names)):
        return None
    places: dict[str, list[int | None]] = {}
    for name, place in zip(own, table.places, strict=True):
        places.setdefault(name, []).append(place)
    # Of columns with one name, or none, the first is the first.
    found = tuple(places[name].pop(0) if places.get(name) else None for name in names)
    same = replace(table, columns=best.columns, places=found)
    return None if _lacks_a_key(same, best) or _lacks_a_key(best, same) else same


def _lacks_a_key(table: _SheetTable, other: _SheetTable) -> bool:
    """Whether a column that the other sheet has filled, row by row, holds nothing: so it is in sums of its rows."""
    if not table.rows.height or not other.rows.height:
        return False
    own, others = (
        one.cells().select(pl.all().str.contains(r"\S").fill_null(value=False).mean()).row(0) for one in (table, other)
    )
    return any(not share and full >= _FILLED for share, full in zip(own, others, strict=True))


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()
