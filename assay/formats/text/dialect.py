"""How a text's cells are parted: the delimiter, the quote, the escape and what begins a comment."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.formats.limits import MAX_LINE_BYTES

# What no text has once NULs are taken out of it: it stands for what an escape hid, and for a delimiter of several
# characters, while the standard library's reader, which knows neither, takes the line apart.
_NUL = "\x00"
_QUOTE, _ESCAPE = _NUL + "q", _NUL + "e"
_UNIT = "\x1f"
RUNS = "  "
_RUN = re.compile(" {2,}")
# What stands for nothing beside a delimiter: blanks of several kinds, and marks that take no room.
BLANKS = " \u00a0\u2007\u202f\u200b\u200e\u200f\ufeff"
_DRAWN = re.compile(r"[-=+|: \t]+")

_NAMES = {
    ",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank", RUNS: "blanks", ":": "colon", "": "none",
    '"': "double", "'": "single", "\\": "backslash",
}  # fmt: skip


def named(mark: str) -> str:
    """Name a mark for people: those that have no name stand for themselves, or for their number."""
    shown = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in mark)
    return _NAMES.get(mark, shown)


def _behind_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in BLANKS:
        at += 1
    return at


def is_rule(line: str) -> bool:
    """Whether a line is drawn between the rows of a table: of dashes, and of what joins them."""
    text = line.strip()
    return ("---" in text or "===" in text) and _DRAWN.fullmatch(text) is not None


def unwrapped(line: str, quote: str = '"') -> str:
    """A line without the quotes around it as a whole; any other line as it is."""
    text = line.rstrip("\r\n")
    inner = text[1:-1]
    if len(text) < 2 or not text[0] == quote == text[-1] or quote in inner.replace(quote * 2, ""):
        return line
    return inner.replace(quote * 2, quote) + line[len(text) :]


@dataclass(frozen=True)
class Dialect:
    r"""The marks of a text.

    `delimiter` stands between two cells; it is empty where there is one cell a line, and two blanks stand for two or
    more of them. `quote` is empty where no cell is quoted. `escape` is empty where a quote within a cell is doubled.
    `trims` is whether blanks beside a delimiter belong to it. A line that begins with `comment` is no row. `wrapped` is
    whether whole lines are quoted once more; `framed`, whether a delimiter stands at a row's both ends too; `ruled`,
    whether lines are drawn between rows.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    trims: bool = False
    comment: str = ""
    wrapped: bool = False
    framed: bool = False
    ruled: bool = False

    @property
    def mark(self) -> str:
        """The one character that parts cells in a line as `encoded` gives it."""
        return self.delimiter if len(self.delimiter) == 1 else _UNIT

    @property
    def is_plain(self) -> bool:
        """Whether the fast engine knows all its marks."""
        return (
            self.is_simple
            and self.delimiter.isascii()
            and self.quote in ('"', "")
            and not self.comment
            and not self.ruled
        )

    @property
    def is_simple(self) -> bool:
        """Whether a line without quotes is its cells and what stands between them."""
        others = self.escape or self.trims or self.wrapped or self.framed
        return len(self.delimiter) == 1 and not others

    def passes_over(self, line: str) -> bool:
        """Whether a line is a comment, or drawn between rows."""
        return bool(self.comment and line.startswith(self.comment)) or (self.ruled and is_rule(line))

    def encoded(self, line: str, *, inside: bool = False) -> str:
        """Take off what is around a line and its cells; an escaped quote and a long delimiter become one character.

        `inside` is whether the line begins within quotes.
        """
        if self.wrapped:
            line = unwrapped(line)
        if self.framed:
            text = line.strip()
            line = text[1:-1] if len(text) > 1 and text[0] == text[-1] == self.delimiter else line
        if self.escape and self.escape in line:
            line = line.replace(self.escape * 2, _ESCAPE).replace(self.escape + self.quote, _QUOTE)
        if self.delimiter == RUNS:
            text = line.rstrip("\r\n")
            return _RUN.sub(_UNIT, text.strip(" ")) + line[len(text) :]
        if len(self.delimiter) > 1:
            line = line.replace(self.delimiter, _UNIT)
        return self._trimmed(line, inside=inside) if self.trims else line

    def _trimmed(self, line: str, *, inside: bool) -> str:
        """A line without the blanks beside what parts its cells; `inside` is whether it begins within quotes."""
        text = line.rstrip("\r\n")
        if not inside and (not self.quote or self.quote not in text):
            return self.mark.join(self.parts(text)) + line[len(text) :]
        cells: list[str] = []
        begin = at = 0
        quoted = inside
        while True:
            if not quoted:
                begin = at = _behind_blanks(text, at)
                quoted = bool(self.quote) and text.startswith(self.quote, at)
                at += quoted
            if quoted:
                at = self._closed(text, at)
            stop = text.find(self.mark, at) if at >= 0 else -1
            if stop < 0:
                # What goes on in the next line ends with what it ends with.
                cells.append(text[begin:].rstrip(BLANKS) if at >= 0 else text[begin:])
                return self.mark.join(cells) + line[len(text) :]
            cells.append(text[begin:stop].rstrip(BLANKS))
            at, quoted = stop + len(self.mark), False

    def _closed(self, text: str, at: int) -> int:
        """Where the quotes close that were open at a place: behind them; -1 where they don't."""
        while (at := text.find(self.quote, at)) >= 0:
            if not text.startswith(self.quote, at + 1):
                return at + 1
            at += 2
        return -1

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
        return [cell.strip(BLANKS) for cell in cells] if self.trims else cells

    def strict(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Take encoded lines apart by the standard library's reader, which raises csv.Error for broken quotes."""
        if csv.field_size_limit() < 2 * MAX_LINE_BYTES:
            csv.field_size_limit(2 * MAX_LINE_BYTES)
        return csv.reader(
            lines,
            delimiter=self.mark,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            skipinitialspace=self.trims,
            strict=True,
        )
