"""Which rows of a table name its columns, and what they name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.formats.cells import Looks, columns_of, looks, shape
from assay.formats.layout import Cells, Scorer, header_cells

# So many cells are looked at to learn what columns are like.
_PROFILE_CELLS = 50_000
_MOST_HEADER_ROWS = 3
_FEW_ROWS = 3
_KEY = re.compile("(?:row|record|line)?[ _-]?(?:#|id|no|nr|num|number|index|key|code|name)\\.?")
_UNIT = re.compile(r"\(.{1,20}\)|\[.{1,20}\]|<.{1,20}>")


@dataclass(frozen=True)
class Row:
    """A row of cells as text, and where it stands: `line` is its first line's number, 0 for the file's first.

    `after` is the number of the line that follows it. `quoted` is whether it begins with a quote in the file.
    """

    line: int
    after: int
    cells: Sequence[str]
    quoted: bool = False

    @property
    def filled(self) -> int:
        """How many of its cells hold something."""
        return sum(1 for cell in self.cells if cell and not cell.isspace())


def has_header(first: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row names the columns: it is of words where the others are not, or is like none of them."""
    cells = [cell.strip() for cell in first]
    filled = [cell for cell in cells if cell]
    values = sum(looks(cell) is not Looks.TEXT for cell in filled)
    body = [row for row in body if [cell.strip() for cell in row] != cells]
    if not body:
        return 2 * values < len(filled) or not filled
    columns = columns_of(body, width)
    for_it = against = 0.0
    for cell, column in zip(cells, columns, strict=False):
        kind = looks(cell)
        if not cell or column.kind is Looks.BLANK:
            continue
        if column.kind is not Looks.TEXT:
            for_it += kind is Looks.TEXT
            against += 1.5 * (kind is column.kind)
        elif column.shapes and len(body) > 2:
            unlike = shape(cell) not in column.shapes
            for_it += 0.7 * unlike
            against += 0.7 * (not unlike)
        elif kind is not Looks.TEXT:
            against += 0.5
    below = [{row[at].strip() for row in body if at < len(row)} for at in range(width)]
    recurs = sum(cell in below[at] for at, cell in enumerate(cells[:width]) if cell)
    against += recurs
    if for_it or against:
        return for_it > against
    # All of it is text: names are short, differ from one another, and hardly ever end like a sentence.
    lengths = sorted(len(cell) for row in body for cell in row if cell.strip())
    usual = lengths[len(lengths) // 2] if lengths else 0
    distinct = len({cell.casefold() for cell in filled}) == len(filled)
    longest = max(map(len, filled), default=0)
    return distinct and len(filled) * 2 > width and longest <= max(30, 2 * usual)


def last_header(rows: Sequence[Row], below: Sequence[int], first: int, width: int, score: Scorer) -> int:
    """The last of the header's lines: more follow where they are words too, and stand above numbers or dates."""
    last = first
    own = [cell.strip() for cell in rows[first].cells]
    for number, at in enumerate(below[: _MOST_HEADER_ROWS - 1]):
        cells = [cell.strip() for cell in rows[at].cells]
        if at != last + 1 or len(cells) != len(own) or 2 * sum(map(bool, cells)) < len(cells) or len(cells) < 2:
            break
        if score(header_cells(own)) > 0 and score(header_cells(_joined([own, cells]))) < score(header_cells(own)):
            break
        body = [rows[one].cells for one in below[number + 1 :] if len(rows[one].cells) == width][: profiled(width)]
        typed = [(cell, column) for cell, column in zip(cells, columns_of(body, width), strict=False)
                 if column.kind > Looks.TEXT and cell]  # fmt: skip
        words = sum(looks(cell) is Looks.TEXT for cell, _ in typed)
        units = sum(bool(_UNIT.fullmatch(cell)) for cell in cells)
        are_words = bool(typed) and words == len(typed) and len(body) >= 2
        if cells != own and not are_words and 2 * units <= sum(map(bool, cells)):
            break
        last = at
    return last


def group_above(rows: Sequence[Row], start: int, first: int, width: int) -> int | None:
    """The line right above the header, where it names groups of columns: several cells, with blanks between."""
    above = first - 1
    if above < start or len(rows[above].cells) != width or rows[above].filled < 2:
        return None
    cells = [cell.strip() for cell in rows[above].cells]
    is_text = all(looks(cell) is Looks.TEXT or re.fullmatch("(?:19|20)[0-9]{2}", cell) for cell in cells if cell)
    return above if is_text and not all(cells) else None


def filled_on(cells: Sequence[str]) -> list[str]:
    """Let each cell stand for the blank ones behind it too, as the name of a group of columns does."""
    filled, last = [], ""
    for cell in cells:
        last = cell.strip() or last
        filled.append(last)
    return filled


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    width = max(map(len, parts))
    return [" ".join(part[at].strip() for part in parts if at < len(part) and part[at].strip()) for at in range(width)]


def names_of(parts: Sequence[Sequence[str]], width: int) -> tuple[Cells, int]:
    """The columns' names, and how many cells a row has, which may be more."""
    cells = [cell.strip() for cell in (_joined(parts) if len(parts) > 1 else parts[0])]
    while len(cells) > width > 1 and "" in cells:
        # One delimiter too many: the rows tell.
        cells.pop(cells.index("") if cells[-1] else len(cells) - 1)
    return header_cells(cells), max(len(cells), width)


def lacks_first(cells: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether a header has no name for the first column, which names or numbers the rows, as R writes tables."""
    if len(cells) != width - 1 or len(cells) < 2 or len(body) < _FEW_ROWS or not all(cell.strip() for cell in cells):
        return False
    keys = {row[0].strip() for row in body}
    return (
        len(keys) == len(body)
        and "" not in keys
        and all(row[-1].strip() for row in body)
        and not _KEY.fullmatch(cells[0].strip().casefold())
    )


def profiled(width: int) -> int:
    """How many rows of so many cells are looked at."""
    return min(1000, max(10, _PROFILE_CELLS // max(width, 1)))
