"""Delimited text to tables: sniff and repair first, then the fast engine."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from functions.process.pipelines.contract import Source
from functions.process.readers import content
from functions.process.readers.layout import (
    HEADER_LINES,
    Cells,
    Scorer,
    header_cells,
    header_rank,
    no_header,
    no_rows,
)
from functions.process.readers.limits import HEAD_BYTES, MAX_CELLS, MAX_CELLS_A_BYTE, MAX_COLUMNS
from functions.process.readers.problems import too_many_cells
from functions.process.readers.repair import records, rewrite

_DELIMITERS = ",\t;|"
_NAMES: dict[str, JsonValue] = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar"}
# A separator that no text has, to take a line as one field.
_UNIT = "\x1f"


@dataclass(frozen=True)
class _Layout:
    """Where the header is: physical lines before it, lines up to and with it, and what separates its cells.

    `width` counts the blank cells at its end too: data below them is nobody's, but no fault.
    """

    delimiter: str
    before: int
    through: int
    columns: Cells
    width: int


def preview(source: Source, score: Scorer, limit: int) -> tuple[Cells, list[list[str | None]]]:
    """The header and up to `limit` rows, from the first MiB. Raises Unprocessable."""
    head, lines = _head(source)
    layout = _sniff(lines, score)
    whole = len(head) < HEAD_BYTES
    # The last line of a head is cut somewhere.
    body = lines[layout.through :] if whole else lines[layout.through : -1]
    rows: list[list[str | None]] = [
        list(cells[: len(layout.columns)])
        for cells, _, _ in islice(records(body, layout.delimiter, layout.width), limit)
    ]
    if not any(cell and cell.strip() for row in rows for cell in row):
        raise no_rows()
    return layout.columns, rows


def open_table(
    source: Source, score: Scorer, folder: Path, tick: Callable[[float], None]
) -> tuple[Cells, pl.LazyFrame, dict[str, JsonValue]]:
    """The whole table, lazily: straight from the file where that is safe, else from a clean copy in `folder`.

    Raises Unprocessable.
    """
    head, lines = _head(source)
    layout = _sniff(lines, score)
    seen: content.Bytes | None = None
    encoding = content.utf16(head)
    if encoding is None:
        seen = content.look_through(source.path)
        encoding = "utf-8" if seen.bad_utf8_at is None else content.encoding_of(source.path, seen.bad_utf8_at)
    positions = [str(i) for i in range(layout.width)]
    clean = seen is not None and encoding == "utf-8" and not seen.has_lone_cr
    if clean and seen is not None and _is_regular(source.path, layout, seen.has_quotes):
        _check_cells(seen.lines - layout.through, layout.width, source.size_bytes)
        frame = _scan(source.path, layout.delimiter, layout.through, positions)
        frame = frame.with_columns(pl.lit(None, pl.String).alias("fault"))
        multi_line = 0
    else:
        path = folder / "clean.csv"
        rows, multi_line = rewrite(source.path, "utf-8-sig" if encoding == "utf-8" else encoding, layout.through,
                                   layout.width, layout.delimiter, path, tick)  # fmt: skip
        _check_cells(rows, layout.width, source.size_bytes)
        frame = _scan(path, ",", 0, ["fault", *positions])
        clean = False
    facts: dict[str, JsonValue] = {
        "format": "text",
        "encoding": encoding,
        "delimiter": _NAMES[layout.delimiter],
        "header_line": layout.before + 1,
        "repaired": not clean,
        "multi_line_records": multi_line,
    }
    return layout.columns, frame.select(pl.col("row").cast(pl.Int64), "fault", *positions[: len(layout.columns)]), facts


def _head(source: Source) -> tuple[bytes, list[str]]:
    """The first MiB, and its lines with their ends."""
    head = content.read_head(source.path)
    encoding = content.utf16(head) or "utf-8-sig"
    whole = len(head) < HEAD_BYTES
    try:
        # A character may be cut at the end of the head: that end is left alone.
        text = head.decode(encoding) if whole else _decode_part(head, encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise content.decode_problem(encoding, error) from error
        text = head.decode(content.encoding_of(source.path, error.start), "replace")
    return head, list(io.StringIO(text, newline=""))


def _decode_part(head: bytes, encoding: str) -> str:
    try:
        return head.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            raise
        return head[: error.start].decode(encoding)


def _sniff(lines: list[str], score: Scorer) -> _Layout:
    """Find delimiter and header together: the pair that makes the best header; the first line wins among equals."""
    best: tuple[tuple[float, int], _Layout] | None = None
    widest = 0
    for before in range(min(HEADER_LINES, len(lines))):
        for delimiter in _DELIMITERS:
            try:
                reader = csv.reader(lines[before:], delimiter=delimiter)
                cells = next(reader)
            except csv.Error:  # a quote that never ends: not the header
                continue
            widest = max(widest, len(cells))
            rank = header_rank(cells, score)
            if rank > (best[0] if best else (0, 0)):
                names = header_cells(cells)
                width = max(len(names), min(len(cells), MAX_COLUMNS))
                layout = _Layout(delimiter, before, before + reader.line_num, names, width)
                best = (rank, layout)
    if best is None:
        raise no_header("the file", widest)
    return best[1]


def _check_cells(rows: int, width: int, size: int) -> None:
    """Raise Unprocessable where the table has so many blank cells for its size that an engine can't hold them."""
    most = max(MAX_CELLS, MAX_CELLS_A_BYTE * size)
    if rows * width > most:
        raise too_many_cells(rows, width, size, most)


def _is_regular(path: Path, layout: _Layout, has_quotes: bool) -> bool:
    """Whether every line stands for itself: quotes only around whole fields, and no more fields than the header's.

    Polars refuses a whole file for one longer row, and takes stray quotes for the start of something.
    """
    line = pl.col("line")
    separator = f"\\x{ord(layout.delimiter):02x}"
    bare = line.str.replace_all('"[^"]*"', "") if has_quotes else line
    checks = [bare.str.count_matches(layout.delimiter, literal=True).max().alias("separators")]
    if has_quotes:
        field = f'(?:"[^"]*"|[^"{separator}]*)'
        checks.append(line.str.contains(f"^{field}(?:{separator}{field})*$").all().alias("quotes"))
    lines = pl.scan_csv(
        path, separator=_UNIT, quote_char=None, has_header=False, infer_schema=False, skip_lines=layout.through,
        schema={"line": pl.String},
    )  # fmt: skip
    try:
        found = lines.select(checks).collect(engine="streaming").row(0, named=True)
    except pl.exceptions.PolarsError:
        return False
    return (found["separators"] or 0) < layout.width and found.get("quotes", True)


def _scan(path: Path, delimiter: str, skip: int, names: list[str]) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=delimiter,
        has_header=False,
        infer_schema=False,
        skip_lines=skip,
        schema=dict.fromkeys(names, pl.String),
        # Without it a short first line is taken for the width of all.
        missing_columns="insert",
        row_index_name="row",
        row_index_offset=1,
    )
