"""XLSX workbooks to tables, every cell as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

import fastexcel
import polars as pl
from pydantic import JsonValue

from functions.process.pipelines.contract import Source
from functions.process.readers.layout import HEADER_LINES, Cells, Scorer, header_cells, header_rank, no_header, no_rows
from functions.process.readers.problems import listed, shown, unreadable


@dataclass(frozen=True)
class _Header:
    """Where a header is: the sheet, the line (0 is the first) and its cells, and where the table's columns stand."""

    sheet: str
    line: int
    columns: Cells
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class _Layout:
    """The best header's columns, the headers of the sheets to read, and the filled sheets that are not read.

    `rows` has for each sheet that may be read all its rows as text, or as many of the first as were asked for.
    """

    columns: Cells
    headers: list[_Header]
    not_read: list[str]
    rows: dict[str, pl.DataFrame]


def preview(source: Source, score: Scorer, limit: int) -> tuple[Cells, list[list[str | None]]]:
    """The header and up to `limit` rows of the first sheet that has the best header and rows. Raises Unprocessable."""
    layout = _find(_open(source), score, HEADER_LINES + limit)
    for header in layout.headers:
        rows = layout.rows[header.sheet][header.line + 1 :].head(limit).rows()
        if rows:
            # A row ends where the sheet's last filled column does.
            return layout.columns, [
                [row[at] if at is not None and at < len(row) else None for at in header.cells] for row in rows
            ]
    raise no_rows()


def open_table(source: Source, score: Scorer) -> tuple[Cells, pl.LazyFrame, dict[str, JsonValue]]:
    """The whole sheet that has the best header, together with all visible sheets that have its needed columns too.

    Dates come as `YYYY-MM-DD HH:MM:SS`, numbers as text that reads back as the same double, and cells that hold an
    error (#N/A, #DIV/0!) as blank. Cells to the right of the header's last name are left aside. Raises Unprocessable.
    """
    book = _open(source)
    layout = _find(book, score, None)
    table = pl.concat([_cells(book, header, layout.rows.pop(header.sheet)) for header in layout.headers])
    if not table.height:
        raise no_rows()
    lazy = table.lazy().with_row_index("row", offset=1)
    facts: dict[str, JsonValue] = {
        "format": "xlsx",
        "sheets": [header.sheet for header in layout.headers],
        "sheets_not_read": list[JsonValue](layout.not_read),
        "header_line": layout.headers[0].line + 1,
    }
    lazy = lazy.with_columns(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"))
    return layout.columns, lazy, facts


def _open(source: Source) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(source.path)
    except fastexcel.FastExcelError as error:
        raise unreadable(_said(error)) from error


def _find(book: fastexcel.ExcelReader, score: Scorer, limit: int | None) -> _Layout:
    """Find the best header; the first sheet and line win among equals, a hidden sheet where no visible one has any.

    Every sheet is read once, for the reader takes it apart whole whatever it is asked for.
    """
    found: dict[bool, list[tuple[tuple[float, int], _Header]]] = {True: [], False: []}
    filled, rows, widest = [], {}, 0
    for sheet in book.sheet_names:
        loaded = _load(book, sheet, 0, limit)
        head = loaded.frame.head(HEADER_LINES)
        lines = [(header_rank(cells, score), line, cells) for line, cells in enumerate(head.iter_rows())]
        if not lines:
            continue
        filled.append(sheet)
        widest = max(widest, head.width)
        rank, line, cells = max(lines, key=lambda one: one[0])
        if rank > (0, 0):
            columns = header_cells(cells)
            found[loaded.visible].append((rank, _Header(sheet, line, columns, tuple(range(len(columns))))))
            rows[sheet] = loaded.frame
    ranked = found[True] if any(rank[0] > 0 for rank, _ in found[True]) else found[True] + found[False]
    if not ranked:
        raise no_header(f"the workbook's sheets ({listed(book.sheet_names)})", widest)
    (wanted, _), best = max(ranked, key=lambda one: one[0])
    others = [_aligned(header, best, wanted, score) for _, header in found[True] if header is not best]
    read = {header.sheet: header for header in [best, *others] if header}
    headers = [read[sheet] for sheet in book.sheet_names if sheet in read]
    return _Layout(best.columns, headers, [sheet for sheet in filled if sheet not in read], rows)


def _aligned(header: _Header, best: _Header, wanted: float, score: Scorer) -> _Header | None:
    """Put a sheet's cells in the order of the best header; None where it lacks a column that somebody wants."""
    folded = [_fold(name) for name in header.columns]
    times = Counter(folded)
    places = {name: at for at, name in enumerate(folded) if name and times[name] == 1}
    cells = tuple(places.get(_fold(name)) for name in best.columns)
    shared = [name for name, at in zip(best.columns, cells, strict=True) if at is not None]
    return replace(header, cells=cells) if 0 < wanted <= score(shared) else None


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cells(book: fastexcel.ExcelReader, header: _Header, rows: pl.DataFrame) -> pl.DataFrame:
    """The cells below a header as text, in columns called 0, 1, ...; `rows` are all rows of its sheet as text."""
    frame = rows[header.line + 1 :]
    # As text the reader gives no more than nine decimals, as numbers all of them.
    numbers = _load(book, header.sheet, header.line + 1, None, "float").frame
    cells = []
    for position, at in enumerate(header.cells):
        if at is None or at >= numbers.width:  # none at all, where the header is the last row
            cells.append(pl.Series(str(position), [None] * frame.height, pl.String))
            continue
        pair = pl.DataFrame({"text": frame.to_series(at), "number": numbers.to_series(at)})
        text, number = pl.col("text"), pl.col("number")
        rounded = text.cast(pl.Float64, strict=False) != number
        exact = pl.when(rounded).then(number.cast(pl.String)).otherwise(text)
        cells.append(pair.select(exact.alias(str(position))).to_series())
    return pl.DataFrame(cells)


@dataclass(frozen=True)
class _Sheet:
    frame: pl.DataFrame
    visible: bool


def _load(
    book: fastexcel.ExcelReader, sheet: str, skip: int, limit: int | None, dtype: Literal["string", "float"] = "string"
) -> _Sheet:
    try:
        loaded = book.load_sheet(
            sheet, header_row=None, skip_rows=skip, n_rows=limit, dtypes=dtype, skip_whitespace_tail_rows=True
        )
        return _Sheet(loaded.to_polars(), loaded.visible == "visible")
    except fastexcel.InvalidParametersError:  # what an empty sheet, or one with nothing under `skip`, raises
        return _Sheet(pl.DataFrame(), visible=True)
    except fastexcel.FastExcelError as error:
        raise unreadable(f"sheet {shown(sheet)}: {_said(error)}") from error


def _said(error: fastexcel.FastExcelError) -> str:
    """What the reader said, without where."""
    return shown(str(error).splitlines()[0], 200)
