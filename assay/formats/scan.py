"""Looks through bytes for what no honest file has, without taking them apart."""

from __future__ import annotations

import re

from assay.formats.limits import MAX_CELL_BYTES

_COLUMN = re.compile(rb"""r\s*=\s*["']\s*([A-Za-z]+)[0-9]""")
_ROW = re.compile(rb"""r\s*=\s*["']\s*[A-Za-z]+([0-9]+)""")
_ROW_NUMBER = re.compile(rb"""r\s*=\s*["']\s*([0-9]+)""")
_CELL = re.compile(rb"<c[\s/>]")
_ROW_START = re.compile(rb"<(?:[^<>\s/!?:]+:)?row[\s/>]")
_PREFIXED_CELL = re.compile(rb"<[^<>\s/!?:]+:c[\s/>]")
# A cell with a format and nothing in it, which a reader passes over.
_BLANK = re.compile(rb"""<(?:[^<>\s/!?:]+:)?c(?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/>""")
# A cell with a formula, and without the value that it had last or with a blank one. A text may be blank in earnest.
_UNCOMPUTED = re.compile(
    rb"""<(?:[^<>\s/!?:]+:)?c(?![^>]*\st=["']str["'])(?:\s[^>]*)?>\s*<(?:[^<>\s/!?:]+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</[^<>]*f>)"""
    rb"""\s*(?:<(?:[^<>\s/!?:]+:)?v\s*(?:/>|>\s*</[^<>]*v>)\s*)?</(?:[^<>\s/!?:]+:)?c>"""
)
_CELL_END = re.compile(rb"</[^<>\s/!?:]+:c>")
_LETTERS = 26
# Excel has columns of three letters and rows of seven digits; beyond these it makes no difference how many there are.
_MOST_LETTERS = 4
_MOST_DIGITS = 12


class Runs:
    """Finds a run of more than `most` bytes with none of `ends` among them, in bytes that come piece by piece."""

    def __init__(self, ends: tuple[bytes, ...], most: int) -> None:
        self._ends = ends
        self._most = most
        self._begun = 0
        self._seen = 0

    def feed(self, piece: bytes) -> int | None:
        """Return the place in all the bytes at which a run begins that is too long, or None."""
        start = self._begun - self._seen
        while len(piece) - start > self._most:
            end = self._last(piece, max(start, 0), start + self._most + 1)
            if end is None:
                return self._seen + start
            start = end
        end = self._last(piece, max(start, 0), len(piece))
        self._begun = self._seen + (start if end is None else end)
        self._seen += len(piece)
        return None

    def _last(self, piece: bytes, start: int, stop: int) -> int | None:
        """Return the place behind the last end between two places; from behind, so that a glance will mostly do."""
        found = [at + len(end) for end in self._ends if (at := piece.rfind(end, start, stop)) >= 0]
        return max(found, default=None)


class Formulas:
    """Counts the cells whose formula stands without a value, from a sheet's XML piece by piece, as `uncomputed`."""

    def __init__(self) -> None:
        self.uncomputed = 0
        self._rest = b""

    def feed(self, xml: bytes) -> None:
        """Take a piece that ends with a tag's end."""
        whole = self._rest + xml
        if b"<f" in whole or b":f" in whole:
            self.uncomputed += len(_UNCOMPUTED.findall(whole))
        # A cell may go on in the next piece; nothing longer than one is kept.
        end = max((each.end() for each in _CELL_END.finditer(whole)), default=0) if b":c>" in whole else 0
        end = max(end, whole.rfind(b"</c>") + 4 if b"</c>" in whole else 0)
        self._rest = whole[end:][-MAX_CELL_BYTES:]


class Grid:
    """Bounds the grid that the cells of a sheet span, from its XML piece by piece.

    Whatever could be the reference of a cell counts as one, wherever it stands, so that no trick of the XML hides it.
    Cells without a reference follow one another, as ECMA-376 (18.3.1.4) says.
    """

    def __init__(self) -> None:
        self.cells = 0
        self._columns = self._rows = self._last_row = 0
        self._row_starts = self._row_numbers = 0
        # Cells without a reference: of all rows, of the row at hand, and of the widest.
        self._unnamed = self._in_row = self._widest = 0
        self._plain = True

    def feed(self, xml: bytes) -> None:
        """Take a piece that ends with a tag's end."""
        references = _COLUMN.findall(xml)
        if any(len(letters) > 2 for letters in {*references}):
            # Where a whole row has a format, Excel writes blank cells as far as the grid goes.
            xml = _BLANK.sub(b"", xml)
            references = _COLUMN.findall(xml)
        cells = _cells(xml)
        self.cells += cells
        self._columns = max(self._columns, *map(_column, {*references}), 0)
        self._rows = max(self._rows, *map(_number, {*_ROW.findall(xml)}), 0)
        numbers = _ROW_NUMBER.findall(xml)
        self._row_numbers += len(numbers)
        self._last_row = max(self._last_row, *map(_number, numbers), 0)
        row_starts = xml.count(b"<row") + xml.count(b":row")
        self._row_starts += row_starts
        # In comments and their like, rows may begin that do not.
        self._plain = self._plain and b"<!" not in xml and b"<?" not in xml.removeprefix(b"<?xml")
        if cells > len(references):
            self._unnamed += cells
            before, *rows = _ROW_START.split(xml)
            counts = [self._in_row + _cells(before), *map(_cells, rows)]
            self._widest = max(self._widest, *counts)
            self._in_row = counts[-1]
        elif row_starts:
            self._in_row = 0

    def area(self) -> tuple[int, int]:
        """Return how many rows and columns there are at most, from A1 on."""
        if not self._unnamed:
            return self._rows, self._columns
        rows = max(self._rows, self._last_row) + (self._row_starts if self._row_starts > self._row_numbers else 0)
        return rows, self._columns + (self._widest if self._plain else self._unnamed)


def _cells(xml: bytes) -> int:
    return len(_CELL.findall(xml)) + (len(_PREFIXED_CELL.findall(xml)) if b":c" in xml else 0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:_MOST_LETTERS].upper():
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def _number(digits: bytes) -> int:
    return int(digits.lstrip(b"0")[:_MOST_DIGITS] or b"0")
