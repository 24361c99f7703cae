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

_TICK_ROWS = 100_000
_QUOTED = re.compile('"[^"]*"')


def records(lines: Iterable[str], delimiter: str, width: int) -> Iterator[tuple[list[str], str, int]]:
    """Split lines (with their ends) into records, each with its fault and how many lines it has.

    The fault is `broken_quotes` or an empty string.
    A quoted field may span lines. Where quotes don't close, or something follows a closing quote, or what the quotes
    hold are rows of `width` cells themselves, the line where that begins is split without regard to quotes and marked,
    and reading goes on with the next line.
    """
    ahead: deque[str] = deque()
    source = iter(lines)
    while True:
        taken: list[str] = []

        def feed(taken: list[str] = taken) -> Iterator[str]:
            while True:
                line = ahead.popleft() if ahead else next(source, None)
                if line is None:
                    return
                taken.append(line)
                yield line

        reader = csv.reader(feed(), delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                _check_lines(taken, delimiter, width)
                yield cells, "", len(taken)
                taken.clear()
        except csv.Error:
            first, *rest = taken
            ahead.extendleft(reversed(rest))
            yield first.rstrip("\r\n").split(delimiter), "broken_quotes", 1
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
) -> int:
    """Write the records below line `skip` to `target`: a fault, then `width` cells, as clean CSV in UTF-8.

    A record whose cells beyond `width` are not all blank gets the fault `too_many_fields`. `tick` is called with the
    fraction read every 100,000 records. Returns how many records span several lines. Raises Unprocessable where the
    text breaks its encoding.
    """
    size = max(path.stat().st_size, 1)
    multi_line = 0
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        # With any other line end Python's writer leaves a carriage return within a field unquoted (before 3.13).
        writer = csv.writer(out, lineterminator="\r\n")
        try:
            for number, (cells, broken, lines) in enumerate(records(islice(file, skip, None), delimiter, width)):
                surplus = any(cell.strip() for cell in cells[width:])
                blanks = [""] * (width - len(cells))
                writer.writerow([broken or ("too_many_fields" if surplus else ""), *cells[:width], *blanks])
                multi_line += lines > 1
                if number % _TICK_ROWS == 0:
                    tick(min(raw.tell() / size, 1.0))
        except UnicodeError as error:
            raise decode_problem(encoding, error) from error
    return multi_line
