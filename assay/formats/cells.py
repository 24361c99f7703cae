"""What a cell's text looks like, told without knowing the file: a number, a date, a time, a text; and its shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits

from assay.formats.date_forms import is_date
from assay.formats.number_forms import is_number

_DIGIT = re.compile("[0-9]")
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_MONTH = r"(?:(?:de )?[^\W\d_]{3,12}\.?)"
# What is nearly a date, and dates with the names of months that nobody reads yet.
_NEARLY_DATE = re.compile(
    r"(?:[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}\.?"
    rf"|[0-9]{{1,2}}[- .]{{1,2}}{_MONTH}(?: del?)?[- ,]{{1,2}}[0-9]{{2,4}}|{_MONTH} [0-9]{{1,2}},? [0-9]{{4}})"
    rf"(?:[T ]{_CLOCK}{_ZONE})?"
)
_TIME = re.compile(_CLOCK + _ZONE)
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,9}://|www\.)\S+|[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")
_SHAPES = str.maketrans(digits + ascii_uppercase + ascii_lowercase, "9" * 10 + "A" * 26 + "a" * 26)
# A longer cell is no number and has no shape worth comparing.
_LONGEST = 60
_MOST_SHAPES = 24
_ALIKE = 0.9
# So few cells show no shape that others must have.
_FEW = 4


class Looks(IntEnum):
    """What a cell looks like."""

    BLANK = 0
    TEXT = 1
    NUMBER = 2
    DATE = 3
    TIME = 4
    LINK = 5


def looks(cell: str) -> Looks:
    """Tell what one cell looks like; blanks around it make no difference."""
    text = cell.strip()
    if not text:
        return Looks.BLANK
    if len(text) > _LONGEST:
        return Looks.LINK if _LINK.fullmatch(text[:2000]) else Looks.TEXT
    return _looks(text)


# Rows that are laid over the columns ask for the same texts over and over.
@lru_cache(maxsize=1 << 16)
def _looks(text: str) -> Looks:
    if _DIGIT.search(text) is None:
        return Looks.LINK if _LINK.fullmatch(text) else Looks.TEXT
    if is_number(text.removesuffix("‰")):
        return Looks.NUMBER
    if is_date(text) or _NEARLY_DATE.fullmatch(text):
        return Looks.DATE
    if _TIME.fullmatch(text):
        return Looks.TIME
    return Looks.LINK if _LINK.fullmatch(text) else Looks.TEXT


def shape(cell: str) -> str:
    """Write every digit as 9, every Latin capital as A and every small letter as a."""
    return cell.strip().translate(_SHAPES)


@dataclass(frozen=True)
class Column:
    """What the cells of a column have in common, learnt from rows whose shape is right.

    `kind` is what nearly all filled cells look like; TEXT where they differ. `shapes` are those that occur, or empty
    where there are too many to tell one cell by them. `blanks` is whether a cell may be blank.
    """

    kind: Looks
    shapes: frozenset[str]
    blanks: bool

    def misfit(self, cell: str) -> float:
        """How ill a cell fits: 0 for one like the others, up to 2. A stray quote at its edge makes no difference."""
        cell = cell.strip('"')
        found = looks(cell)
        if found is Looks.BLANK:
            return 0.0 if self.blanks else 0.7
        if self.shapes:
            if shape(cell) in self.shapes:
                return 0.0
            return 0.3 if found is self.kind is not Looks.TEXT else 2.0
        if self.kind is Looks.BLANK:
            return 0.5
        if self.kind is not Looks.TEXT:
            return 0.0 if found is self.kind else 2.0
        return 0.1 if found is Looks.TEXT else 0.4


def column_of(cells: Iterable[str]) -> Column:
    """Learn what the cells of a column have in common."""
    shapes: Counter[str] = Counter()
    kinds: Counter[Looks] = Counter()
    blanks = 0
    for cell in (text.strip('"') for text in cells):
        kind = looks(cell)
        if kind is Looks.BLANK:
            blanks += 1
            continue
        kinds[kind] += 1
        shapes[shape(cell) if len(cell) <= _LONGEST else ""] += 1
    filled = kinds.total()
    if not filled:
        return Column(Looks.BLANK, frozenset(), blanks=True)
    kind, most = kinds.most_common(1)[0]
    few = filled >= _FEW and "" not in shapes and len(shapes) <= min(_MOST_SHAPES, max(1, filled // 3))
    return Column(
        kind if most >= _ALIKE * filled else Looks.TEXT, frozenset(shapes) if few else frozenset(), blanks=blanks > 0
    )


def columns_of(rows: Sequence[Sequence[str]], width: int) -> list[Column]:
    """Learn what the columns of rows of one width are like."""
    return [column_of(row[at] for row in rows if at < len(row)) for at in range(width)]


def misfit(cells: Sequence[str], columns: Sequence[Column]) -> float:
    """How ill a row's cells fit the columns, in all; those that are missing count as blank."""
    return sum(column.misfit(cells[at] if at < len(cells) else "") for at, column in enumerate(columns))
