"""Looks through the records of an XLS workbook before a reader opens it: the grids that its cells span.

Source of the form: [MS-XLS] 2.1.4 (records), 2.4.21 (BOF), 2.4.28 (BoundSheet8), 2.4.90 (Dimensions).
"""

from __future__ import annotations

import struct
from functools import lru_cache

from assay.contract import Source
from assay.formats.limits import MAX_OTHER_CELLS, MAX_SHEETS, MAX_TEXT_BYTES, MAX_XLS_BYTES
from assay.formats.problems import too_large, unreadable, unsafe
from assay.formats.workbook.compound import read_stream, streams

_RECORD = struct.Struct("<2H")
_CELL = struct.Struct("<2H")
_BOF, _EOF = 0x0809, 0x000A
_SHEET = 0x0085
_DIMENSIONS = 0x0200
_ENCRYPTED = 0x002F
_SHARED_TEXTS = 0x00FC
_LABEL = 0x00FD
_CONTINUE = 0x003C
# What holds a cell: formula, number, label, boolean or error, RK, rich text, shared text.
_CELLS = {0x0006, 0x0406, 0x0203, 0x0204, 0x0205, 0x027E, 0x00D6, _LABEL}
_MANY_CELLS = {0x00BD, 0x00BE}


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_xls(source: Source) -> None:
    """Look through every record. Raises Unprocessable: spreadsheet_too_large, unsafe_, unreadable_spreadsheet."""
    names = streams(source.path)
    if {"workbook", "book"} <= {*names}:
        raise unsafe("it has two workbooks, and programs differ in which they read")
    stream = read_stream(source.path, "workbook" if "workbook" in names else "book", MAX_XLS_BYTES)
    look = _Look(stream)
    at = 0
    while at + 4 <= len(stream):
        kind, size = _RECORD.unpack_from(stream, at)
        if at + 4 + size > len(stream):
            raise unreadable("its last record breaks off")
        look.record(kind, at, size)
        at += 4 + size
    look.finish()


class _Look:
    """Adds up what the records claim and hold."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._sheets: list[int] = []
        self._begun: set[int] = set()
        self._texts: list[int] = []
        self._cells = self._rows = self._columns = self._shared = self._depth = 0

    def record(self, kind: int, at: int, size: int) -> None:
        """Look at one record."""
        body = at + 4
        if kind in _CELLS or kind in _MANY_CELLS:
            self._cell(kind, body, size)
        elif kind == _BOF:
            self._begun.add(at)
            self._depth += 1
        elif kind == _EOF:
            self._depth -= 1
            if self._depth == 0:
                self._cells += self._rows * self._columns
                self._rows = self._columns = 0
        elif kind == _DIMENSIONS and size >= 10:
            # The reader sets aside as much as this claims.
            _, last, _, right = struct.unpack_from("<2L2H" if size >= 14 else "<4H", self._stream, body)
            if last * right > MAX_OTHER_CELLS:
                raise too_large(
                    f"a sheet of it claims {last:,} rows and {right:,} columns, which is {last * right:,} cells; "
                    f"at most {MAX_OTHER_CELLS:,} are read"
                )
        elif kind == _SHEET and size >= 4:
            self._sheets.append(struct.unpack_from("<L", self._stream, body)[0])
        elif kind == _ENCRYPTED:
            raise unreadable("it is password protected")
        elif kind == _SHARED_TEXTS:
            self._texts = _text_sizes(self._stream, at)

    def finish(self) -> None:
        """Look at what only the whole tells."""
        if len(self._sheets) > MAX_SHEETS:
            raise too_large(f"it has {len(self._sheets):,} sheets; at most {MAX_SHEETS:,} are taken")
        if len({*self._sheets}) < len(self._sheets) or not {*self._sheets} <= self._begun:
            raise unsafe("its sheets do not stand where they should")

    def _cell(self, kind: int, body: int, size: int) -> None:
        if size < 4:
            raise unreadable("a cell of it is broken")
        row, column = _CELL.unpack_from(self._stream, body)
        if kind in _MANY_CELLS and size >= 6:
            column = max(column, struct.unpack_from("<H", self._stream, body + size - 2)[0])
        self._rows, self._columns = max(self._rows, row + 1), max(self._columns, column + 1)
        if kind == _LABEL and size >= 10:
            number = struct.unpack_from("<L", self._stream, body + 6)[0]
            self._shared += self._texts[number] if number < len(self._texts) else 0
        cells = self._cells + self._rows * self._columns
        if cells > MAX_OTHER_CELLS:
            raise too_large(
                f"its sheets have {cells:,} cells, blank ones counted; at most {MAX_OTHER_CELLS:,} are read"
            )
        if self._shared > MAX_TEXT_BYTES:
            raise too_large(
                f"its texts have {self._shared:,} bytes, each cell with its own; at most {MAX_TEXT_BYTES:,} are read"
            )


def _text_sizes(stream: bytes, at: int) -> list[int]:
    """The size in bytes of each text that the cells share, as one of two bytes a character.

    The texts go on from record to record; where characters do, the next record begins with how wide they are
    (2.5.293, XLUnicodeRichExtendedString).
    """
    pieces, bounds, total = [], [], 0
    kind = _SHARED_TEXTS
    while at + 4 <= len(stream):
        found, size = _RECORD.unpack_from(stream, at)
        if found != kind:
            break
        kind = _CONTINUE
        pieces.append(stream[at + 4 : at + 4 + size])
        total += len(pieces[-1])
        bounds.append(total)
        at += 4 + size
    data = b"".join(pieces)
    place, bound = 8, 0
    sizes: list[int] = []
    try:
        while place < len(data):
            characters, flags = struct.unpack_from("<HB", data, place)
            place += 3
            runs = extra = 0
            if flags & 8:
                runs, place = struct.unpack_from("<H", data, place)[0], place + 2
            if flags & 4:
                extra, place = struct.unpack_from("<L", data, place)[0], place + 4
            sizes.append(2 * characters)
            while characters:
                while bounds[bound] <= place:
                    bound += 1
                width = 2 if flags & 1 else 1
                here = min(characters, (bounds[bound] - place) // width)
                characters -= here
                place += here * width
                if characters:
                    place = bounds[bound]
                    flags, place = data[place], place + 1
            place += 4 * runs + extra
    except (struct.error, IndexError):
        raise unreadable("the texts of its cells are broken") from None
    return sizes
