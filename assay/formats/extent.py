"""Where the rows of a table begin and end, and how wide they are, among the rows of a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, takewhile
from statistics import median

from assay.formats.cells import Column, Looks, columns_of, looks
from assay.formats.header_rank import HEADER_LINES
from assay.formats.heading import Row, has_header, header_evidence, is_left_part, profiled
from assay.formats.words import names_texts

# So many rows of another width, one below the other, are no slips.
RUN = 3
# A sentence or two is no table of one column.
PROSE_WORDS = 3
# So many of a few rows must fit the columns to be the table's.
_FIT = 0.8
# So many of the rows are no slips, wherever they stand.
_MANY = 0.3
_NOTE = re.compile(
    r"(?:sources?|(?:foot)?notes?|remarks?|legend|copyright|disclaimer|(?:last )?updated|quellen?|hinweise?|"
    r"anmerkung(?:en)?|stand|fuentes?|notas?|fonte|remarques?) ?:|©",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]")


def first_row(rows: Sequence[Row], filled: Sequence[int], width: int) -> int:
    """The table's first line: it has as many cells as the others, or nearly, and most of them are filled."""
    usual = median([rows[at].filled for at in filled if len(rows[at].cells) == width] or [width])
    for number, at in enumerate(filled):
        cells, full = len(rows[at].cells), rows[at].filled
        if 2 * full < min(cells, usual) or (full == 1 < width):
            continue
        following = filled[number + 1 : number + 30]
        apart = bool(following) and following[0] != at + 1
        if cells == width and not (apart and _names_below(rows, following, width)):
            if not _is_above_header(rows, at, following, width):
                return at
            continue
        if cells < 2 or abs(cells - width) > max(1, width // 4) or not following or following[0] != at + 1:
            continue
        # One cell more or less in a header is a slip; above a header of the right width it is no header.
        if len(rows[following[0]].cells) == width and not _names_below(rows, following, width):
            return at
    return filled[0]


def _is_above_header(rows: Sequence[Row], at: int, following: Sequence[int], width: int) -> bool:
    """Whether a row of a key and its value, with blank cells behind, stands above the fuller row that is the header."""
    if not is_left_part(rows[at].cells):
        return False
    for number, place in enumerate(following):
        cells = [cell.strip() for cell in rows[place].cells]
        if len(cells) != width or rows[place].filled < 2:
            continue
        if rows[place].filled <= rows[at].filled:
            if is_left_part(cells):
                continue
            return False
        body = [rows[below].cells for below in following[number + 1 :] if len(rows[below].cells) == width]
        fills = any(cell and not own for cell, own in zip(rows[at].cells, cells, strict=True))
        evidence = header_evidence(cells, body, width)
        return len(body) >= 2 and not fills and (evidence > 0 or (not evidence and names_texts(cells, body)))
    return False


def _names_below(rows: Sequence[Row], following: Sequence[int], width: int) -> bool:
    """Whether the first of the lines that follow is a header to the others."""
    below = [rows[one].cells for one in following if len(rows[one].cells) == width]
    return len(below) > 2 and below[0] == rows[following[0]].cells and has_header(below[0], below[1:], width)


def narrower_above(rows: Sequence[Row], filled: Sequence[int], first: int, width: int) -> int:
    """The table's first row, where those right above the `first` of its width are its rows too, only with fewer cells.

    So are the rows of a file that was given more columns as it grew, and a header that was not.
    """
    number = filled.index(first)
    below = [rows[at].cells for at in filled[number:] if len(rows[at].cells) == width][: profiled(width)]
    evidence = header_evidence([cell.strip() for cell in rows[first].cells], below[1:], width)
    if evidence > 0 or (not evidence and names_texts(rows[first].cells, below[1:])):
        return first
    columns = columns_of(below, width)
    top = number
    # Where nothing can name the columns from here on, a blank line parts no table from what stands above it.
    nameless = not has_header(rows[first].cells, below[1:], width)

    def above(*, beyond_gap: bool) -> Sequence[str] | None:
        if not top or not (beyond_gap or rows[filled[top]].line == rows[filled[top - 1]].after):
            return None
        cells = rows[filled[top - 1]].cells
        return cells if len(cells) < width else None

    while (cells := above(beyond_gap=nameless)) is not None and len(cells) > 1 and _is_like(cells, columns):
        top -= 1
    if (cells := above(beyond_gap=False)) is not None:
        own = len(cells)
        body = [row[:own] for row in [*(rows[at].cells for at in filled[top:number]), *below]]
        top -= has_header(cells, [row for row in body if len(row) == own], own)
    taken = [rows[at].cells for at in filled[top:number]]
    # Where all is text, nothing tells a row from a note but that it holds no sentence.
    shared = columns_of([*taken, *below], len(rows[filled[top]].cells))
    told = any(column.kind > Looks.TEXT or (len(shared) > 1 and column.shapes) for column in shared)
    return filled[top] if told or all(_is_short(cells) for cells in taken) else first


def _is_short(cells: Sequence[str]) -> bool:
    """Whether a row has two cells or more, none of which is a sentence or is called something by the first."""
    return len(cells) > 1 and cells[0].strip()[-1:] != ":" and all(len(one.split()) <= PROSE_WORDS for one in cells)


def _is_like(cells: Sequence[str], columns: Sequence[Column]) -> bool:
    """Whether a row's first cells are of the columns' kinds, or blank."""
    pairs = [(looks(cell), column.kind) for cell, column in zip(cells, columns, strict=False)]
    return all(kind in (Looks.BLANK, own) or Looks.BLANK is own for kind, own in pairs)


def width_with_short_rows(rows: Sequence[Row], filled: Sequence[int], widths: Counter[int], width: int) -> int:
    """The width of the first rows, where these are wider than most: the others end early.

    So they do where some below a header are as wide, and where the wide ones stand right above the others and are like
    them in the cells that both have, or name them.
    """
    own = max(len(rows[at].cells) for at in filled[:HEADER_LINES])
    number = next(number for number, at in enumerate(filled) if len(rows[at].cells) == own)
    first = rows[filled[number]]
    if not own > width > 1 or not all(cell.strip() for cell in first.cells[:width]):
        return width
    body = [rows[at].cells for at in filled[number + 1 :]]
    wide = [cells for cells in body if len(cells) == own]
    are_some = len(wide) >= max(2, widths.total() // 10) and first.filled == own
    if are_some and has_header(first.cells, wide[: profiled(own)], own):
        return own
    above = list(takewhile(lambda at: len(rows[at].cells) == own, filled[number:]))
    below = filled[number + len(above) : number + len(above) + profiled(width)]
    lines = [*above, *below[:1]]
    narrow = [rows[at].cells for at in below if len(rows[at].cells) == width]
    is_within = any(len(rows[at].cells) >= width for at in filled[:number])
    if is_within or len(narrow) < RUN or any(rows[one].after != rows[other].line for one, other in pairwise(lines)):
        return width
    columns = columns_of(narrow, width)
    told = any(column.kind > Looks.TEXT for column in columns)
    are_rows = told and all(_is_like(rows[at].cells, columns) for at in above[1:])
    if header_evidence([cell.strip() for cell in first.cells[:width]], narrow, width) > 0:
        second = rows[lines[1]].cells
        is_title = header_evidence([cell.strip() for cell in second[:width]], narrow[1:], width) > 0
        return own if are_rows and not is_title else width
    # One row alone has rather a delimiter too many.
    return own if are_rows and len(above) > 1 and _is_like(first.cells, columns) else width


def grown_width(rows: Sequence[Row], data: Sequence[int], width: int) -> int:
    """How many cells rows have, where those from some row on have more than `width`, or many among them all."""
    widths = [len(rows[at].cells) for at in data]
    last = len(list(takewhile(lambda own: own > width, reversed(widths))))
    wide = [at for at, own in zip(data, widths, strict=True) if own > width] if last < RUN else [*data[-last:]]
    if width < 2 or len(wide) < max(RUN, 0 if last >= RUN else _MANY * len(widths)) or len(wide) == len(widths):
        return width
    counts = Counter(len(rows[at].cells) for at in wide)
    usual = max((own for own, count in counts.items() if count >= RUN), default=min(counts))
    before = [rows[at].cells for at in data if len(rows[at].cells) == width]
    columns = columns_of(before[-profiled(width) :], width)
    fits = sum(_is_like(rows[at].cells[:width], columns) for at in wide)
    return usual if fits >= _FIT * len(wide) else width


def foot(
    rows: Sequence[Row], data: Sequence[int], columns: Sequence[Column], width: int, *, is_followed: bool
) -> int | None:
    """Where the notes below the table begin: lines of one cell (or blank) that are like no row, up to the end.

    `is_followed` is whether another table follows, of which the last line may be the title.
    """
    if width < 2 or not data:
        return None
    stop = None
    for number in range(len(data) - 1, 0, -1):
        at = data[number]
        cells = [cell.strip() for cell in rows[at].cells]
        text = next((cell for cell in cells if cell), "")
        is_note = len(text.split()) > PROSE_WORDS or text[:1] in "*#" or _NOTE.match(text) is not None
        lone = sum(map(bool, cells)) == 1 and bool(cells[0])
        gap = any(data[one] != data[one - 1] + 1 for one in range(number, len(data)))
        if not _WORD.search(text) or len(cells) > width or not (lone or gap):
            break
        if len(cells) == width and not (lone and (width > 2 or is_note or (is_followed and gap))):
            # As many cells as a row has, by chance: then it stands apart, and fits nowhere.
            unlike = [column.misfit(cell) >= 1 for cell, column in zip(cells, columns, strict=True) if column.kind > 1]
            if not gap or not unlike or not all(unlike):
                break
        elif columns[0].misfit(cells[0]) < 1 and not gap and not is_note:
            # By itself it may be a row; below a gap or a note it is none.
            continue
        stop = at
    return stop
