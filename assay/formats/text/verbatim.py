"""Rows of a text as they stand in the file, byte by byte."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from assay.formats.registry import Flags, Opening
from assay.formats.text.records import records
from assay.formats.text.repair import header_of, repeats, without_controls
from assay.formats.text.table import codec_of, look

# Codecs that take a mark off the beginning of a text, and those that are the same without it.
_MARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(slots=True)
class _Line:
    """A line as records are made of it, and where it stands in the file, in bytes."""

    text: str
    start: int
    end: int


def verbatim(opening: Opening, repaired: bool, wanted: Flags, out: BinaryIO) -> None:
    """Write what stands above the rows, then each row whose flag is set; rows are those of `open_table`.

    `repaired` is whether it had to rewrite the text; else each line is a row. Raises Unprocessable as it does.
    """
    source, reading = opening.source, opening.reading
    head = look(source, opening.score, reading)
    codec, _, _ = codec_of(source, reading, head)
    block, dialect = head.block, head.dialect
    if not repaired:
        _copy_lines(source.path, block.through, wanted, out)
        return
    header = header_of(block)
    last = int(wanted.nonzero()[0].max(initial=0))
    with source.path.open("rb") as raw:
        lines = _lines(source.path, "utf-8-sig" if codec == "utf-8" else codec)
        above = list(islice(lines, block.through))
        out.write(raw.read(above[-1].end if above else _mark(source.path)))
        if not last:
            return
        pending: deque[_Line] = deque()

        def texts() -> Iterator[str]:
            for line in islice(lines, None if block.stop is None else block.stop - block.through):
                pending.append(line)
                yield line.text

        row = 0
        for record in records(texts(), dialect, block.width, block.columns):
            # Lines that are in no record, such as comments, stand between two of them.
            while pending[0].text is not record.lines[0]:
                pending.popleft()
            taken = [pending.popleft() for _ in record.lines]
            if repeats(record, header):
                continue
            row += 1
            if wanted[row]:
                raw.seek(taken[0].start)
                out.write(raw.read(taken[-1].end - taken[0].start))
            if row == last:
                return


def _copy_lines(path: Path, above: int, wanted: Flags, out: BinaryIO) -> None:
    with path.open("rb") as file:
        out.writelines(islice(file, above))
        at = 1
        for row in wanted.nonzero()[0].tolist():
            out.writelines(islice(file, row - at, row - at + 1))
            at = row + 1


def _mark(path: Path) -> int:
    """How many bytes the mark of the encoding takes at the beginning of a file."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((len(mark) for mark in _MARKS if start.startswith(mark)), 0)


def _lines(path: Path, codec: str) -> Iterator[_Line]:
    at = _mark(path) if codec in _MARKED else 0
    plain = _MARKED.get(codec, codec)
    is_wide = plain.startswith(("utf-16", "utf-32"))
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as file:
        while line := file.readline():
            # Different bytes may stand for one character, but not another number of bytes.
            end = at + (len(line) if line.isascii() and not is_wide else len(line.encode(plain)))
            yield _Line(without_controls(line), at, end)
            at = end
