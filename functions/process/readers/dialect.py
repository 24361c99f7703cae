"""How a text's cells are parted: the delimiter, the quote, the escape and what begins a comment."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from functions.process.readers.limits import MAX_LINE_BYTES

# What no text has once NULs are taken out of it: it stands for what an escape hid, and for a delimiter of several
# characters, while the standard library's reader, which knows neither, takes the line apart.
_NUL = "\x00"
_QUOTE, _ESCAPE = _NUL + "q", _NUL + "e"
_UNIT = "\x1f"
RUNS = "  "
_RUN = re.compile(" {2,}")

_NAMES = {
    ",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank", RUNS: "blanks", ":": "colon", "": "none",
    '"': "double", "'": "single", "\\": "backslash",
}  # fmt: skip


def named(mark: str) -> str:
    """Name a mark for people: those that have no name stand for themselves, or for their number."""
    shown = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in mark)
    return _NAMES.get(mark, shown)


@dataclass(frozen=True)
class Dialect:
    r"""The marks of a text.

    `delimiter` stands between two cells; it is empty where there is one cell a line, and two blanks stand for two or
    more of them. `quote` is empty where no cell is quoted. `escape` is empty where a quote within a cell is doubled.
    `skips` is whether blanks behind a delimiter belong to it. A line that begins with `comment` is no row.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    skips: bool = False
    comment: str = ""

    @property
    def mark(self) -> str:
        """The one character that parts cells in a line as `encoded` gives it."""
        return self.delimiter if len(self.delimiter) == 1 else _UNIT

    @property
    def is_plain(self) -> bool:
        """Whether the fast engine knows all its marks."""
        return (
            len(self.delimiter) == 1
            and self.delimiter.isascii()
            and self.quote != "'"
            and not self.escape
            and not self.skips
            and not self.comment
        )

    def encoded(self, line: str) -> str:
        """Replace by single characters what takes several: an escaped quote, a delimiter of two characters."""
        if self.escape and self.escape in line:
            line = line.replace(self.escape * 2, _ESCAPE).replace(self.escape + self.quote, _QUOTE)
        if self.delimiter == RUNS:
            return _RUN.sub(_UNIT, line.strip(" "))
        return line.replace(self.delimiter, _UNIT) if len(self.delimiter) > 1 else line

    def decoded(self, cells: list[str]) -> list[str]:
        """Undo `encoded` in cells, as far as it was not what parts them."""
        if self.escape:
            cells = [
                cell.replace(_QUOTE, self.quote).replace(_ESCAPE, self.escape) if _NUL in cell else cell
                for cell in cells
            ]
        if len(self.delimiter) > 1:
            cells = [cell.replace(_UNIT, self.delimiter) for cell in cells]
        return cells

    def parts(self, line: str) -> list[str]:
        """Part an encoded line without regard to quotes."""
        cells = line.rstrip("\r\n").split(self.mark)
        return [cells[0], *(cell.lstrip(" ") for cell in cells[1:])] if self.skips else cells

    def strict(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Take encoded lines apart by the standard library's reader, which raises csv.Error for broken quotes."""
        if csv.field_size_limit() < 2 * MAX_LINE_BYTES:
            csv.field_size_limit(2 * MAX_LINE_BYTES)
        return csv.reader(
            lines,
            delimiter=self.mark,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.skips,
            strict=True,
        )
