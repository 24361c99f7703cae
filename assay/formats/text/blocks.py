"""Where the table is in a text: what stands above it and below it, its header, and the other tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import Unprocessable
from assay.formats.layout import HEADER_LINES, Cells, Scorer, header_cells, header_rank, no_header
from assay.formats.limits import MAX_COLUMNS
from assay.formats.text.cells import Column, Looks, columns_of, looks, shape
from assay.formats.text.header import (
    Line,
    filled_on,
    group_above,
    has_header,
    lacks_first,
    last_header,
    names_of,
    profiled,
)
from assay.reading import Reading

# So many rows of another width, one below the other, are another table.
_RUN = 3
# A sentence or two is no table of one column.
_PROSE_WORDS = 3
_WORD = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Block:
    """A table in a text.

    `through` is how many lines stand above its first row, `stop` the line behind its last one, None where the text
    ends there. `names` are those of the header, made up where it has none (`has_header`); `width` counts the cells of
    a row, of which the last may have no name. `columns` is what the cells of each are like.
    """

    header_at: int
    header_rows: int
    has_header: bool
    names: Cells
    width: int
    through: int
    stop: int | None
    columns: Sequence[Column]
    notes_above: int
    notes_below: int
    others: tuple[tuple[int, int], ...]


def find_block(lines: Sequence[Line], score: Scorer, reading: Reading, *, whole: bool) -> Block:
    """Find the main table: the one whose header somebody wants, else that of the most rows, the first of equals.

    `lines` are all of the text's records, or where not `whole` those of its head. Raises Unprocessable: no_header
    where there is no table, too_many_columns.
    """
    filled = [at for at, line in enumerate(lines) if not line.record.is_blank]
    if not filled:
        raise no_header("the file", 0)
    given = _given_header(lines, reading)
    starts = [given] if given is not None else _starts(lines, filled)
    ends = [*starts[1:], len(lines)]
    wanted = _wanted(lines, starts, score) if given is None and reading.header == "auto" else given
    if wanted is not None:
        number = max(at for at, start in enumerate(starts) if start <= wanted or at == 0)
    else:
        sizes = [
            sum(len(line.record.cells) > 1 for line in lines[start:end])
            for start, end in zip(starts, ends, strict=True)
        ]
        number = sizes.index(max(sizes))
    start, end = starts[number], ends[number]
    block = _block(lines, start, end, wanted, score, reading, whole=whole and end == len(lines))
    others = tuple(
        (lines[one].at + 1, lines[last - 1].after) for one, last in zip(starts, ends, strict=True)
        if one != start and last > one
    )  # fmt: skip
    stop = block.stop if block.stop is not None or end == len(lines) else lines[end].at
    return Block(**{**block.__dict__, "others": others, "stop": stop})


def _given_header(lines: Sequence[Line], reading: Reading) -> int | None:
    if reading.header_line is None:
        return None
    for number, line in enumerate(lines):
        if line.at <= reading.header_line - 1 < line.after:
            return number
    raise Unprocessable(
        "no_header",
        f"Line {reading.header_line:,}, which is to be the header, is beyond the first MiB, or no row.",
        "Give the number of the line in which the names of the columns stand; 1 is the first.",
    )


def _starts(lines: Sequence[Line], filled: Sequence[int]) -> list[int]:
    """Where tables begin: the first line, and each that begins rows of another kind."""
    starts = [0]
    widths = [len(lines[at].cells) for at in filled]
    current: Counter[int] = Counter()
    rows: list[list[str]] = []
    for number, at in enumerate(filled):
        width = widths[number]
        following = widths[number + 1 : number + _RUN]
        usual = current.most_common(1)[0][0] if current else 0
        after_gap = number > 0 and (at != filled[number - 1] + 1 or widths[number - 1] == 1)
        same_run = width >= 2 and len(following) >= 1 and all(one == width for one in following)
        new_width = same_run and width != usual and current.get(width, 0) <= 1 and current[usual] >= 2 and usual >= 2
        if rows and same_run and (new_width or (after_gap and len(rows) >= 2 and width == usual)):
            body = [lines[one].cells for one in filled[number + 1 : number + 40] if len(lines[one].cells) == width]
            above = columns_of(rows[-200:], usual) if width == usual else None
            if _names_others(lines[at].cells, columns_of(body, width), above):
                starts.append(at)
                current.clear()
                rows = []
        current[width] += 1
        if width == (current.most_common(1)[0][0]):
            rows.append(lines[at].cells)
    return starts


def _names_others(cells: Sequence[str], body: Sequence[Column], above: Sequence[Column] | None) -> bool:
    """Whether a row names the columns below it and, where it is as wide as the rows above, is none of these."""
    if not all(cell.strip() for cell in cells[:-1]) or any(
        looks(cell) not in (Looks.TEXT, Looks.BLANK) for cell in cells
    ):
        return False
    if len({cell.strip() for cell in cells}) < len(cells):
        return False
    typed = sum(column.kind > Looks.TEXT or (bool(column.shapes) and shape(cell) not in column.shapes)
                for cell, column in zip(cells, body, strict=False))  # fmt: skip
    if above is not None:
        unlike = sum(column.misfit(cell) >= 1 for cell, column in zip(cells, above, strict=False))
        return typed >= 1 and unlike >= 1
    return typed >= 1


def _wanted(lines: Sequence[Line], starts: Sequence[int], score: Scorer) -> int | None:
    """The line that makes the best header for somebody: among the first 20, or those where a table begins."""
    best: tuple[tuple[float, int], int] | None = None
    looked_at = [at for at, line in enumerate(lines) if line.at < HEADER_LINES]
    for start in starts[1:]:
        looked_at += [at for at in range(start, min(start + 3, len(lines))) if at not in looked_at]
    for at in looked_at:
        rank = header_rank(lines[at].cells, score)
        if rank[0] > 0 and (best is None or rank > best[0]):
            best = (rank, at)
    return best[1] if best else None


def _block(
    lines: Sequence[Line], start: int, end: int, header: int | None, score: Scorer, reading: Reading, *, whole: bool
) -> Block:
    filled = [at for at in range(start, end) if not lines[at].record.is_blank]
    widths = Counter(len(lines[at].cells) for at in filled)
    widest = max(widths)
    width = max(widths, key=lambda one: (widths[one] * (one > 1), one)) if header is None else 0
    if header is None:
        width = _with_short_rows(lines, filled, widths, width)
        first = _first(lines, filled, width)
    else:
        first = header
        below = Counter(len(lines[at].cells) for at in filled if at > first)
        own = len(lines[first].cells)
        width = below.most_common(1)[0][0] if below else own
        if below.get(width, 0) < max(2, 0.6 * below.total()) or width < 2:
            width = own
    if width > MAX_COLUMNS or (len(header_cells(lines[first].cells)) > MAX_COLUMNS):
        raise no_header("the file", widest)
    rows_below = [at for at in filled if at > first]
    body = [lines[at].cells for at in rows_below if len(lines[at].cells) == width][: profiled(width)]
    names_in = reading.header == "auto" and (header is not None or has_header(lines[first].cells, body, width))
    if width == 1 and header is None and reading.delimiter is None:
        _refuse_prose(lines, filled)
    last, above = first, first
    parts: list[Sequence[str]] = []
    if names_in:
        last = last_header(lines, rows_below, first, width, score) if reading.header_line is None else first
        parts = [lines[at].cells for at in range(first, last + 1) if not lines[at].record.is_blank]
        if reading.header_line is None and (group := group_above(lines, start, first, width)) is not None:
            parts.insert(0, filled_on(lines[group].cells))
            above = group
        elif len(parts) > 1 and not all(cell.strip() for cell in parts[0]):
            parts[0] = filled_on(parts[0])
        if lacks_first(parts[-1], body, width):
            parts = [["", *part] for part in parts]
    names, width = names_of(parts, width) if names_in else (tuple(f"column_{n}" for n in range(1, width + 1)), width)
    data = [at for at in rows_below if at > last] if names_in else [at for at in filled if at >= first]
    body = [lines[at].cells for at in data if len(lines[at].cells) == width][: profiled(width)]
    columns = columns_of(body, width)
    stop_at = _foot(lines, data, columns, width) if whole else None
    return Block(
        header_at=lines[above].at,
        header_rows=last - above + 1 if names_in else 0,
        has_header=names_in,
        names=names,
        width=width,
        through=lines[last].after if names_in else lines[first].at,
        stop=None if stop_at is None else lines[stop_at].at,
        columns=columns,
        notes_above=sum(1 for at in range(start, above) if not lines[at].record.is_blank),
        notes_below=0 if stop_at is None else sum(1 for at in filled if at >= stop_at),
        others=(),
    )


def _with_short_rows(lines: Sequence[Line], filled: Sequence[int], widths: Counter[int], width: int) -> int:
    """The width of a header that is wider than most rows, where some are as wide: the others end early."""
    own = max(len(lines[at].cells) for at in filled[:HEADER_LINES])
    first = next(at for at in filled if len(lines[at].cells) == own)
    body = [lines[at].cells for at in filled if at > first and len(lines[at].cells) == own]
    is_header = own > width > 1 and len(body) >= max(2, widths.total() // 10) and lines[first].filled == own
    return own if is_header and has_header(lines[first].cells, body[: profiled(own)], own) else width


def _first(lines: Sequence[Line], filled: Sequence[int], width: int) -> int:
    """The table's first line: it has as many cells as the others, or nearly, and most of them are filled."""
    for number, at in enumerate(filled):
        cells, full = len(lines[at].cells), lines[at].filled
        if 2 * full < min(cells, width) or (full == 1 < width):
            continue
        following = filled[number + 1 : number + 30]
        apart = bool(following) and following[0] != at + 1
        if cells == width and not (apart and _names_below(lines, following, width)):
            return at
        if cells < 2 or abs(cells - width) > max(1, width // 4) or not following or following[0] != at + 1:
            continue
        # One cell more or less in a header is a slip; above a header of the right width it is no header.
        if len(lines[following[0]].cells) == width and not _names_below(lines, following, width):
            return at
    return filled[0]


def _names_below(lines: Sequence[Line], following: Sequence[int], width: int) -> bool:
    """Whether the first of the lines that follow is a header to the others."""
    below = [lines[one].cells for one in following if len(lines[one].cells) == width]
    return len(below) > 2 and below[0] == lines[following[0]].cells and has_header(below[0], below[1:], width)


def _refuse_prose(lines: Sequence[Line], filled: Sequence[int]) -> None:
    """Raise no_header where one cell a line is no column but sentences."""
    texts = [lines[at].cells[0] for at in filled[:200]]
    words = [len(text.split()) for text in texts]
    quoted = sum(lines[at].record.lines[0].lstrip().startswith(('"', "'")) for at in filled[:200])
    if sum(words) / len(words) >= _PROSE_WORDS and words[0] > 1 and 2 * quoted < len(texts):
        raise no_header("the file", 1)


def _foot(lines: Sequence[Line], data: Sequence[int], columns: Sequence[Column], width: int) -> int | None:
    """Where the notes below the table begin: lines of one cell (or blank) that are like no row, up to the end."""
    if width < 2 or not data:
        return None
    stop = None
    for number in range(len(data) - 1, 0, -1):
        at = data[number]
        cells = [cell.strip() for cell in lines[at].cells]
        text = next((cell for cell in cells if cell), "")
        is_note = len(text.split()) > _PROSE_WORDS or text[:1] in "*#"
        lone = sum(map(bool, cells)) == 1 and bool(cells[0])
        gap = any(data[one] != data[one - 1] + 1 for one in range(number, len(data)))
        if not _WORD.search(text) or len(cells) > width or not (lone or gap):
            break
        if len(cells) == width and not (lone and (width > 2 or is_note)):
            # As many cells as a row has, by chance: then it stands apart, and fits nowhere.
            unlike = [column.misfit(cell) >= 1 for cell, column in zip(cells, columns, strict=True) if column.kind > 1]
            if not gap or not unlike or not all(unlike):
                break
        elif columns[0].misfit(cells[0]) < 1 and not gap and not is_note:
            break
        stop = at
    return stop
