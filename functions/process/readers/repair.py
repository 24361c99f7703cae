"""Delimited text as people have it, rewritten so that the fast engine can read it."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from functions.process.readers.content import decode_problem

_TICK_ROWS = 100_000


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[list[str], str]]:
    """Split lines (with their ends) into records; each comes with its fault, `broken_quotes` or an empty string.

    A quoted field may span lines. Where quotes don't close, or something follows a closing quote, the line where that
    begins is split without regard to quotes and marked, and reading goes on with the next line.
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
                yield cells, ""
                taken.clear()
        except csv.Error:
            first, *rest = taken
            ahead.extendleft(reversed(rest))
            yield first.rstrip("\r\n").split(delimiter), "broken_quotes"
        else:
            return


def rewrite(
    path: Path, encoding: str, skip: int, width: int, delimiter: str, target: Path, tick: Callable[[float], None]
) -> None:
    """Write the records below line `skip` to `target`: a fault, then up to `width` cells, as clean CSV in UTF-8.

    A record whose cells beyond `width` are not all blank gets the fault `too_many_fields`. `tick` is called with the
    fraction read every 100,000 records. Raises Unprocessable where the text breaks its encoding.
    """
    size = max(path.stat().st_size, 1)
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, newline="") as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        # With any other line end Python's writer leaves a carriage return within a field unquoted (before 3.13).
        writer = csv.writer(out, lineterminator="\r\n")
        try:
            for number, (cells, broken) in enumerate(records(islice(file, skip, None), delimiter)):
                surplus = any(cell.strip() for cell in cells[width:])
                writer.writerow([broken or ("too_many_fields" if surplus else ""), *cells[:width]])
                if number % _TICK_ROWS == 0:
                    tick(min(raw.tell() / size, 1.0))
        except UnicodeError as error:
            raise decode_problem(encoding, error) from error
