"""Workbooks (XLSX, XLSB, XLS, ODS) to tables, every cell as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import polars as pl
from pydantic import JsonValue

from assay.errors import Unprocessable
from assay.formats.layout import HEADER_LINES, Cells, Scorer, header_cells, header_rank, no_header, no_rows
from assay.formats.limits import MAX_COLUMNS
from assay.formats.problems import listed, shown
from assay.formats.registry import Head, Opening, Whole
from assay.formats.workbook.book import Book
from assay.reading import Reading


@dataclass(frozen=True)
class _Header:
    """Where a header is: the sheet, the line (0 is the first, -1 for none), its cells, and where its columns stand."""

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


def preview(opening: Opening, limit: int) -> Head:
    """The header and up to `limit` rows of the first sheet that has the best header and rows. Raises Unprocessable."""
    rows_wanted = max(HEADER_LINES, opening.reading.header_line or 0) + limit
    layout = _find(_open(opening), opening.score, rows_wanted, opening.reading)
    for header in layout.headers:
        rows = layout.rows[header.sheet][header.line + 1 :].head(limit).rows()
        if rows:
            # A row ends where the sheet's last filled column does.
            return layout.columns, [
                [row[at] if at is not None and at < len(row) else None for at in header.cells] for row in rows
            ]
    raise no_rows()


def open_table(opening: Opening) -> Whole:
    """The whole sheet that has the best header, together with all visible sheets that have its needed columns too.

    Where nobody wants any, the largest of those that have a header. Where the names of columns repeat or are blank and
    the line above has others, those of a group of columns, the two make the name.

    Dates come as `YYYY-MM-DD HH:MM:SS`, numbers as text that reads back as the same double, and cells that hold an
    error (#N/A, #DIV/0!) as blank. Cells to the right of the header's last name are left aside. Raises Unprocessable.
    """
    book = _open(opening)
    layout = _find(book, opening.score, None, opening.reading)
    table = pl.concat([_cells(header, layout.rows.pop(header.sheet)) for header in layout.headers])
    if not table.height:
        raise no_rows()
    lazy = table.lazy().with_row_index("row", offset=1)
    facts: dict[str, JsonValue] = {
        "format": opening.kind,
        "sheets": [header.sheet for header in layout.headers],
        "sheets_not_read": list[JsonValue](layout.not_read),
        "header_line": layout.headers[0].line + 1,
    }
    if layout.headers[0].line < 0:
        facts["header"] = "none"
    lazy = lazy.select(pl.col("row").cast(pl.Int64), pl.lit(None, pl.String).alias("fault"), pl.exclude("row"))
    return layout.columns, lazy, facts


def _open(opening: Opening) -> Book:
    return Book(opening.source, opening.kind, opening.folder)


def _find(book: Book, score: Scorer, limit: int | None, reading: Reading) -> _Layout:
    """Find the best header; the first sheet and line win among equals, a hidden sheet where no visible one has any.

    Every sheet is read once, for the reader takes it apart whole whatever it is asked for.
    """
    found: dict[bool, list[tuple[_Rank, _Header]]] = {True: [], False: []}
    filled, rows, widest = [], {}, 0
    for sheet in _wanted_sheets(book, reading):
        frame = book.cells(sheet, limit)
        if not frame.height:
            continue
        filled.append(sheet)
        widest = max(widest, frame.width)
        ranked = _header(sheet, frame, score, reading)
        if ranked is not None:
            found[book.sheets[sheet]].append(ranked)
            rows[sheet] = frame
    ranked_headers = found[True] if any(rank[0] > 0 for rank, _ in found[True]) else found[True] + found[False]
    if not ranked_headers:
        raise no_header(f"the workbook's sheets ({listed([*book.sheets])})", widest)
    rank, best = max(ranked_headers, key=lambda one: one[0])
    others = [_aligned(header, best, rank[0], score) for _, header in found[True] if header is not best]
    read = {header.sheet: header for header in [best, *others] if header}
    headers = [read[sheet] for sheet in [*book.sheets] if sheet in read]
    return _Layout(best.columns, headers, [sheet for sheet in filled if sheet not in read], rows)


def _wanted_sheets(book: Book, reading: Reading) -> list[str]:
    if reading.sheet is None:
        return [*book.sheets]
    for sheet in [*book.sheets]:
        if _fold(sheet) == _fold(reading.sheet):
            return [sheet]
    raise Unprocessable(
        "no_such_sheet",
        f"The workbook has no sheet {shown(reading.sheet)}.",
        f"Its sheets are: {listed([*book.sheets])}.",
    )


# What somebody wants of the header, whether there is one, how many cells the sheet has below it, and its named columns.
_Rank = tuple[float, int, int, int]


def _header(sheet: str, frame: pl.DataFrame, score: Scorer, reading: Reading) -> tuple[_Rank, _Header] | None:
    """The best header of a sheet; none at all makes columns with numbers for names. None for a sheet of one column."""
    last = reading.header_line or HEADER_LINES
    lines = frame.head(last).rows()
    ranked = [(header_rank(cells, score), line) for line, cells in enumerate(lines)]
    if reading.header_line is not None and reading.header != "none":
        ranked = ranked[last - 1 :]
    (wanted, named), line = max(ranked, key=lambda one: one[0], default=((0.0, 0), -1))
    area = frame.height * frame.width
    if reading.header == "none" or (not wanted and not named and reading.header_line is None):
        if frame.width > MAX_COLUMNS or (frame.width < 2 and reading.header != "none"):
            return None
        columns: Cells = tuple(f"column_{at}" for at in range(1, frame.width + 1))
        return (0, 0, area, frame.width), _Header(sheet, -1, columns, tuple(range(frame.width)))
    if line < 0:
        return None
    columns = header_cells(lines[line]) if wanted else _grouped(lines[line - 1] if line else (), lines[line])
    below = 0 if wanted else area
    return (wanted, 1, below, named), _Header(sheet, line, columns, tuple(range(len(columns))))


def _grouped(above: tuple[str | None, ...], below: tuple[str | None, ...]) -> Cells:
    """Join the names of groups of columns, which a merged cell has in its first, with those of the columns."""
    groups, names = ([(cell or "").strip() for cell in cells] for cells in (above, below))
    joined = header_cells(below)
    named = [name for name in names if name]
    gaps = any(group and not name for group, name in zip(groups, names, strict=False))
    if sum(map(bool, groups)) < 2 or (len({*named}) == len(named) and not gaps):
        return joined
    found, group = [], ""
    for over, name in zip(groups, names, strict=True):
        group = over or (group if name else "")
        found.append(" ".join(part for part in (group, name) if part))
    return header_cells(found)


def _aligned(header: _Header, best: _Header, wanted: float, score: Scorer) -> _Header | None:
    """Put a sheet's cells in the order of the best header; None where it lacks a column that somebody wants."""
    if wanted <= 0:
        return None
    folded = [_fold(name) for name in header.columns]
    times = Counter(folded)
    places = {name: at for at, name in enumerate(folded) if name and times[name] == 1}
    cells = tuple(places.get(_fold(name)) for name in best.columns)
    shared = [name for name, at in zip(best.columns, cells, strict=True) if at is not None]
    return replace(header, cells=cells) if wanted <= score(shared) else None


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _cells(header: _Header, rows: pl.DataFrame) -> pl.DataFrame:
    """The cells below a header, in columns called 0, 1, ...; `rows` are all rows of its sheet."""
    frame = rows[header.line + 1 :]
    return pl.DataFrame(
        [
            pl.Series(str(position), [None] * frame.height, pl.String)
            if at is None or at >= frame.width
            else frame.to_series(at).alias(str(position))
            for position, at in enumerate(header.cells)
        ]
    )
