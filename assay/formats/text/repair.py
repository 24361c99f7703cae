"""Delimited text as people have it, rewritten so that the fast engine can read it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from assay.formats.cells import Column, misfit
from assay.formats.limits import MAX_LINE_BYTES
from assay.formats.locate import Block
from assay.formats.problems import line_too_long
from assay.formats.text.dialect import Dialect
from assay.formats.text.encoding import decode_problem
from assay.formats.text.realign import realign_row
from assay.formats.text.records import CLEARLY, Record, records

_TICK_ROWS = 100_000
_LISTED = 1000
# How many rows are laid over the columns anew, counted in their characters times the columns: a thousand of these take
# a few milliseconds.
_MOST_ALIGNED = 5_000_000


@dataclass
class Found:
    """What was found while rows were read: how many there are, and which are not as the header says."""

    rows: int = 0
    multi_line: int = 0
    short: int = 0
    long: int = 0
    repeated_headers: int = 0
    unequal: list[tuple[int, str, list[str]]] = field(default_factory=list)


class Mender:
    """Turns records into rows of one width, with a fault where that takes more than blanks at the end."""

    def __init__(self, dialect: Dialect, width: int, columns: Sequence[Column]) -> None:
        self._dialect = dialect
        self._width = width
        self._columns = columns
        self._tried = 0

    def mended(self, record: Record) -> tuple[str, list[str], list[str]]:
        """The fault (or an empty text), the cells, of which those missing at the end are left out, and the surplus."""
        width, cells, quote = self._width, record.cells, self._dialect.quote
        if record.otherwise:
            return "too_few_fields", cells, []
        if not record.broken and (len(cells) == width or record.is_blank):
            # Most rows are right, and few of them have quotes.
            quoted = quote and quote in record.lines[0] and quote in "".join(cells)
            if not quoted or not any(cell.count(quote) % 2 for cell in cells):
                return "", cells[:width], []
        surplus = cells[width:]
        while surplus and not surplus[-1].strip():
            surplus.pop()
        fault = "broken_quotes" if record.broken else "too_many_fields" if surplus else ""
        return self._aligned(record, surplus, fault) or (fault, cells[:width], surplus)

    def _aligned(self, record: Record, surplus: list[str], fault: str) -> tuple[str, list[str], list[str]] | None:
        """The row laid over the columns, where its cells fit them clearly better so; None where not."""
        if not self._columns or self._tried >= _MOST_ALIGNED:
            return None
        line = self._dialect.encoded("".join(record.lines).rstrip("\r\n"))
        self._tried += len(line) * self._width
        found = realign_row(line, self._dialect, self._columns)
        if found is None:
            return None
        cells, left = self._dialect.decoded(found.cells), [one for one in found.surplus if one.strip()]
        better = self._misfit(record.cells) + len(surplus) - self._misfit(cells) - len(left)
        if cells == record.cells or better < (CLEARLY if found.moved and not record.broken else 0):
            return None
        if found.moved and not record.broken:
            fault = "too_many_fields" if len(record.cells) > self._width else "too_few_fields"
        return fault, cells, self._dialect.decoded(left)

    def _misfit(self, cells: Sequence[str]) -> float:
        quote = self._dialect.quote
        odd = sum(cell.count(quote) % 2 for cell in cells) if quote else 0
        return odd + misfit(cells, self._columns)


def rewrite(
    path: Path, encoding: str, span: tuple[int, int | None], dialect: Dialect, header: Sequence[str],
    columns: Sequence[Column], width: int, target: Path, tick: Callable[[float], None],
) -> Found:  # fmt: skip
    """Write the records of a span of lines to `target`: a fault, then up to `width` cells, as clean CSV in UTF-8.

    `span` is the number of lines before the first, and that of the first one behind the last (None for the end). Rows
    whose quotes or delimiters are broken are laid over `columns`. A row that repeats the `header` is none. `tick` is
    called with the fraction read every 100,000 records. Raises Unprocessable: broken_quotes, line_too_long, and
    unknown_encoding where the text breaks its encoding.
    """
    size = max(path.stat().st_size, 1)
    mender = Mender(dialect, width, columns)
    found = Found()
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        # With any other line end Python's writer leaves a carriage return within a field unquoted (before 3.13).
        writer = csv.writer(out, lineterminator="\r\n")
        try:
            for record in records(islice(_lines(file), *span), dialect, width, columns):
                if repeats(record, header):
                    found.repeated_headers += 1
                    continue
                fault, cells, surplus = mender.mended(record)
                found.rows += 1
                if fault or len(record.cells) != width:
                    _note(found, fault, record, width, surplus)
                # Short records stay short: a million of them below a wide header would fill any disk.
                writer.writerow([fault, *(cells or [""])])
                found.multi_line += len(record.lines) > 1
                if found.rows % _TICK_ROWS == 1:
                    tick(min(raw.tell() / size, 1.0))
        except UnicodeError as error:
            raise decode_problem(encoding, error) from error
    return found


def header_of(block: Block) -> list[str]:
    """The cells that a repeated header has; none where there is no header, or it takes several lines."""
    return [cell.strip() for cell in block.names] if block.has_header and block.header_rows == 1 else []


def repeats(record: Record, header: Sequence[str]) -> bool:
    """Whether a record is the header once more."""
    if not header or record.cells[0].strip() != header[0]:
        return False
    names = [cell.strip() for cell in record.cells]
    while names and not names[-1]:
        names.pop()
    return names == header and sum(map(bool, header)) > 1


def _note(found: Found, fault: str, record: Record, width: int, surplus: list[str]) -> None:
    if record.is_blank and not fault:
        return
    found.short += len(record.cells) < width
    found.long += len(record.cells) > width
    if len(found.unequal) < _LISTED:
        why = fault or ("too_few_fields" if len(record.cells) < width else "blank_fields")
        found.unequal.append((found.rows, why, surplus))


def without_controls(text: str) -> str:
    """A text without NULs, and without what DOS ends a file with."""
    text = text.replace("\x00", "") if "\x00" in text else text
    return text.rstrip("\x1a") if text.endswith("\x1a") else text


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines with their ends, and none without end."""
    number = 1
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise line_too_long(f"Line {number:,}", MAX_LINE_BYTES)
        yield without_controls(line)
        number += 1
