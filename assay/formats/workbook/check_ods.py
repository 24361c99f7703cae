"""Looks through an OpenDocument spreadsheet before a reader opens it: the grids that its cells span.

Source of the form: OASIS OpenDocument 1.3, part 3, 9.1 (tables), 19.675 and 19.679 (repeated columns and rows).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from assay.contract import Source
from assay.formats.archive import members
from assay.formats.limits import MAX_OTHER_CELLS, MAX_SHEETS, MAX_TEXT_BYTES
from assay.formats.problems import too_large, unreadable, unsafe
from assay.formats.workbook.check_xlsx import Parts, part_name
from assay.formats.workbook.shared_texts import local_name

CONTENT = "content.xml"
_MANIFEST = "meta-inf/manifest.xml"
_MOST_DIGITS = 12
_VALUES = {"value-type", "value", "formula", "string-value", "date-value", "time-value", "boolean-value"}


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_opendocument(source: Source) -> dict[str, int]:
    """Look through the sheets, unpacking them piece by piece and keeping none of them.

    Returns how many cells of each sheet have a formula and no value, by the sheet's name, where there are any. Raises
    Unprocessable: spreadsheet_too_large, unsafe_spreadsheet, unreadable_spreadsheet.
    """
    with source.path.open("rb") as file:
        parts = Parts(file, {part_name(info): info for info in members(source.path)}, (CONTENT,), CONTENT)
        parts.check_sizes()
        if _MANIFEST in parts.names:
            parts.parse(_MANIFEST, _refuse_encrypted)
        grid = _Sheets()
        parts.parse(CONTENT, grid.start, grid.characters, grid.end)
    return {name: count for name, count in grid.uncomputed.items() if count}


def _refuse_encrypted(tag: str, _attributes: dict[str, str]) -> None:
    if local_name(tag) == "encryption-data":
        raise unreadable("it is password protected")


class _Sheets:
    """Adds up the cells of all sheets, repeated ones as many times as they are."""

    def __init__(self) -> None:
        self.uncomputed: Counter[str] = Counter()
        self._name = ""
        self._cells = self._texts = self._sheets = 0
        self._rows = self._columns = self._width = self._row = self._filled_to = 0
        self._repeated = self._row_repeated = 1
        self._size = self._row_size = self._depth = 0
        self._in_cell = self._filled = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = local_name(tag)
        if name == "table":
            self._depth += 1
            if self._depth > 1:
                raise unsafe("one of its tables stands within another")
            self._sheets += 1
            if self._sheets > MAX_SHEETS:
                raise too_large(f"it has more than {MAX_SHEETS:,} sheets")
            self._rows = self._columns = self._row = 0
            self._name = _value(attributes, "name")
        elif name == "table-row":
            self._row_repeated = _count(attributes, "number-rows-repeated")
            self._width = self._filled_to = self._row_size = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._repeated = _count(attributes, "number-columns-repeated")
            self._in_cell, self._size = True, 0
            names = {local_name(each) for each in attributes}
            self._filled = bool(names & _VALUES)
            if "formula" in names and "value-type" not in names:
                self.uncomputed[self._name] += self._repeated * self._row_repeated

    def characters(self, data: str) -> None:
        """Characters of a cell."""
        if self._in_cell:
            self._filled = True
            self._size += len(data.encode())

    def end(self, tag: str) -> None:
        """An element ends."""
        name = local_name(tag)
        if name in ("table-cell", "covered-table-cell"):
            self._in_cell = False
            self._width += self._repeated
            if self._filled:
                self._filled_to = self._width
                self._row_size += self._size * self._repeated
        elif name == "table-row":
            self._row += self._row_repeated
            if self._filled_to:
                self._rows, self._columns = self._row, max(self._columns, self._filled_to)
                self._texts += self._row_size * self._row_repeated
            self._check()
        elif name == "table":
            self._depth -= 1
            self._cells += self._rows * self._columns
            self._rows = self._columns = 0

    def _check(self) -> None:
        cells = self._cells + self._rows * self._columns
        if cells > MAX_OTHER_CELLS:
            raise too_large(
                f"its sheets have {cells:,} cells, repeated ones counted; at most {MAX_OTHER_CELLS:,} are read"
            )
        if self._texts > MAX_TEXT_BYTES:
            raise too_large(
                f"the texts of its cells have {self._texts:,} bytes, repeated ones counted; "
                f"at most {MAX_TEXT_BYTES:,} are read"
            )


def _value(attributes: dict[str, str], wanted: str) -> str:
    return next((value for name, value in attributes.items() if local_name(name) == wanted), "")


def _count(attributes: dict[str, str], wanted: str) -> int:
    text = _value(attributes, wanted).strip() or "1"
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise unsafe(f"a number of repeated cells is {text[:20]!r}")
    return int(text)
