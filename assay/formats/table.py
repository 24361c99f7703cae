"""One way in for every kind of table: a look at its head, and the whole of it, lazily."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.formats.content import WORKBOOKS, Format
from assay.formats.json import table as json_table
from assay.formats.layout import Cells, Scorer
from assay.formats.packed.containers import unpacked
from assay.formats.parquet import table as parquet
from assay.formats.text import table as text
from assay.formats.workbook import table as spreadsheet
from assay.reading import Reading

__all__ = ["Preview", "Scorer", "Table", "open_table", "preview"]

_PREVIEW_ROWS = 1000
_AS_FOUND = Reading()


@dataclass(frozen=True)
class Preview:
    """The head of a table: the header's cells and up to 1,000 rows, trimmed, None where blank."""

    columns: Cells
    rows: list[list[str | None]]

    def column(self, position: int) -> list[str | None]:
        """The cells of one column, as many as there are rows."""
        return [row[position] if position < len(row) else None for row in self.rows]


@dataclass(frozen=True)
class Table:
    """A whole table, read lazily.

    `frame` has the columns `row` (Int64, 1 is the first record under the header, blank ones counted), `fault` (String:
    what is wrong with the shape of a row, `too_many_fields` or `broken_quotes`, else null), and `0`, `1`, ... (String,
    as they stand in the file), one for each of `columns`. `facts` say how the file was read, for people.
    """

    columns: Cells
    frame: pl.LazyFrame
    facts: dict[str, JsonValue]


def preview(source: Source, score: Scorer, reading: Reading = _AS_FOUND) -> Preview:
    """Read the header and the first rows.

    `score` says how much a row of cells looks like a header that somebody wants; where it is 0 for all of them, the
    most header-like row of the first 20 lines is taken. Raises Unprocessable where the file can't be read as a table.
    """
    with TemporaryDirectory() as folder:
        inner, form, _ = unpacked(source, Path(folder), lambda _done: None, head_only=True)
        if form in WORKBOOKS:
            columns, rows = spreadsheet.preview(inner, score, _PREVIEW_ROWS, reading)
        elif form is Format.PARQUET:
            columns, rows = parquet.preview(inner, _PREVIEW_ROWS)
        elif form in (Format.JSON, Format.NDJSON):
            columns, rows = json_table.preview(inner, form, _PREVIEW_ROWS)
        else:
            columns, rows = text.preview(inner, score, _PREVIEW_ROWS, reading)
    return Preview(columns, [[(cell or "").strip() or None for cell in row] for row in rows])


def open_table(
    source: Source, score: Scorer, folder: Path, tick: Callable[[float], None], reading: Reading = _AS_FOUND
) -> Table:
    """Open the whole table.

    `folder` takes what an archive unpacks to and the copy that a dirty file is rewritten to; it must outlive the
    table. `tick` is called
    with the fraction read while that goes on, and may raise. Raises Unprocessable as `preview` does.
    """
    inner, form, packed = unpacked(source, folder, tick)
    if form in WORKBOOKS:
        columns, frame, facts = spreadsheet.open_table(inner, form, score, reading)
    elif form is Format.PARQUET:
        columns, frame, facts = parquet.open_table(inner)
    elif form in (Format.JSON, Format.NDJSON):
        columns, frame, facts = json_table.open_table(inner, form, folder, tick)
    else:
        columns, frame, facts = text.open_table(inner, score, folder, tick, reading)
    return Table(columns, frame, facts | packed)
