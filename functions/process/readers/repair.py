"""Delimited text as people have it, rewritten so that the fast engine can read it."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from functions.process.readers.content import decode_problem
from functions.process.readers.limits import MAX_LINE_BYTES, REREAD_FREE, REREAD_TIMES
from functions.process.readers.problems import broken_quotes, line_too_long

_TICK_ROWS = 100_000
_QUOTED = re.compile('"[^"]*"')


def records(lines: Iterable[str], delimiter: str, width: int) -> Iterator[tuple[list[str], str, int]]:
    """Split lines (with their ends) into records, each with its fault and how many lines it has.

    The fault is `broken_quotes` or an empty string.
    A quoted field may span lines. Where quotes don't close within a million characters, or something follows a closing
    quote, or what the quotes hold are rows of `width` cells themselves, the line where that begins is split without
    regard to quotes and marked, and reading goes on with the next line. Raises Unprocessable broken_quotes where so
    much has to be read again that the whole would take much longer than its size says.
    """
    ahead: deque[str] = deque()
    source = iter(lines)
    fed = again = done = 0
    while True:
        taken: list[str] = []

        def feed(taken: list[str] = taken) -> Iterator[str]:
            nonlocal fed
            begun = fed
            while True:
                line = ahead.popleft() if ahead else next(source, None)
                if line is None:
                    return
                if not taken:
                    begun = fed
                taken.append(line)
                fed += len(line)
                if fed - begun > MAX_LINE_BYTES:
                    raise csv.Error("a record without end")
                yield line

        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                _check_lines(taken, delimiter, width)
                yield cells, "", len(taken)
                done += len(taken)
                taken.clear()
        except csv.Error:
            first, *rest = taken
            ahead.extendleft(reversed(rest))
            yield first.rstrip("\r\n").split(delimiter), "broken_quotes", 1
            done += 1
            again += sum(map(len, rest))
            if again > REREAD_FREE + REREAD_TIMES * (fed - again):
                raise broken_quotes(done) from None
        else:
            return


def _check_lines(lines: list[str], delimiter: str, width: int) -> None:
    """Raise csv.Error where a record swallows rows: a stray quote opens a field and another one far below closes it.

    It does when most lines within it, or where it has but two both of them, have as many cells as a row.
    """
    if len(lines) < 2:
        return
    first, *within, last = (line.replace('""', "") for line in lines)
    # The last line begins within quotes: what stands in quotes of its own is seen from its end.
    opening, closing = (_QUOTED.sub("", line).count(delimiter) for line in (first, last[::-1]))
    rows = {width - 1, max(width - 1, opening)} - {0}
    alike = sum('"' not in line and line.count(delimiter) in rows for line in within)
    if 2 * alike > len(within) or (not within and opening in rows and closing in rows):
        raise csv.Error("rows within quotes")


def rewrite(
    path: Path, encoding: str, skip: int, width: int, delimiter: str, target: Path, tick: Callable[[float], None]
) -> tuple[int, int]:
    """Write the records below line `skip` to `target`: a fault, then up to `width` cells, as clean CSV in UTF-8.

    A record whose cells beyond `width` are not all blank gets the fault `too_many_fields`. `tick` is called with the
    fraction read every 100,000 records. Returns how many records there are, and how many of them span several lines.
    Raises Unprocessable: broken_quotes, line_too_long, and unknown_encoding where the text breaks its encoding.
    """
    size = max(path.stat().st_size, 1)
    number = multi_line = 0
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        # With any other line end Python's writer leaves a carriage return within a field unquoted (before 3.13).
        writer = csv.writer(out, lineterminator="\r\n")
        try:
            for cells, broken, lines in records(islice(_lines(file), skip, None), delimiter, width):
                surplus = any(cell.strip() for cell in cells[width:])
                # Short records stay short: a million of them below a wide header would fill any disk.
                writer.writerow([broken or ("too_many_fields" if surplus else ""), *(cells[:width] or [""])])
                multi_line += lines > 1
                if number % _TICK_ROWS == 0:
                    tick(min(raw.tell() / size, 1.0))
                number += 1
        except UnicodeError as error:
            raise decode_problem(encoding, error) from error
    return number, multi_line


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """Yield the lines with their ends, and none without end. UTF-16 is looked through here alone."""
    number = 1
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise line_too_long(f"Line {number:,}", MAX_LINE_BYTES)
        yield line
        number += 1
