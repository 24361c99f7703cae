"""Where the table is among the rows of a file: what stands above it and below it, its header, and other tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.errors import Unprocessable
from assay.formats.cells import Column, Looks, columns_of, looks, shape
from assay.formats.extent import (
    PROSE_WORDS,
    RUN,
    first_row,
    foot,
    grown_width,
    narrower_above,
    width_with_short_rows,
)
from assay.formats.header_rank import HEADER_LINES, Cells, Scorer, header_cells, header_rank, no_header
from assay.formats.heading import (
    Heading,
    Row,
    has_header,
    header_evidence,
    heading_at,
    lacks_first,
    names_of,
    profiled,
)
from assay.formats.limits import MAX_COLUMNS
from assay.formats.words import are_names, names_texts
from assay.reading import Reading


@dataclass(frozen=True)
class Block:
    """A table among rows.

    `through` is how many lines stand above its first row, `stop` the line behind its last one, None where the text
    ends there. `names` are those of the header, made up where it has none (`has_header`); `width` counts the cells of
    a row, of which the last may have no name. `columns` is what the cells of each are like. `units` are those of a
    row below the names, which is no part of them.
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
    units: tuple[str, ...] = ()


def locate_table(rows: Sequence[Row], score: Scorer, reading: Reading, *, whole: bool) -> Block:
    """Find the main table: the one whose header somebody wants, else that of the most cells, the first of equals.

    `rows` are all of the file's, or where not `whole` those of its head. Raises Unprocessable: no_header
    where there is no table, too_many_columns.
    """
    filled = [at for at, row in enumerate(rows) if row.filled]
    if not filled:
        raise no_header("the file", 0)
    given = _given_header(rows, reading)
    starts = [given] if given is not None else _without_preamble(rows, _starts(rows, filled))
    ends = [*starts[1:], len(rows)]
    wanted = _wanted(rows, starts, score) if given is None and reading.header == "auto" else given
    if wanted is not None:
        number = max(at for at, start in enumerate(starts) if start <= wanted or at == 0)
    else:
        # Lines of one cell, of whatever width the sheet is, are no table beside one.
        sizes = [
            sum(full for row in rows[start:end] if (full := row.filled) > 1)
            for start, end in zip(starts, ends, strict=True)
        ]
        if len(sizes) > 1 and _are_keys(rows[starts[0] : ends[0]]):
            sizes[0] = 0
        number = sizes.index(max(sizes))
    start, end = starts[number], ends[number]
    block = _block(rows, start, end, wanted, score, reading, whole=whole or end < len(rows))
    others = tuple(
        (rows[one].line + 1, rows[last - 1].after) for one, last in zip(starts, ends, strict=True)
        if one != start and last > one
    )  # fmt: skip
    stop = block.stop
    if stop is None and end < len(rows):
        # Blank lines before another table are no rows of this one.
        stop = rows[max(at for at in range(start, end) if rows[at].filled)].after
    return replace(block, others=others, stop=stop)


def _given_header(rows: Sequence[Row], reading: Reading) -> int | None:
    if reading.header_line is None:
        return None
    for number, row in enumerate(rows):
        if row.line <= reading.header_line - 1 < row.after:
            return number
    raise Unprocessable(
        "no_header",
        f"Line {reading.header_line:,}, which is to be the header, is beyond the first MiB, or no row.",
        "Give the number of the line in which the names of the columns stand; 1 is the first.",
    )


def _without_preamble(rows: Sequence[Row], starts: Sequence[int]) -> Sequence[int]:
    """Where tables begin, without the lines of one cell above the first: sentences, or a title or two."""
    if len(starts) < 2:
        return starts
    texts = [next(cell for cell in row.cells if cell.strip()) for row in rows[: starts[1]] if row.filled]
    is_list = len(texts) > 2 and sum(len(text.split()) for text in texts) < PROSE_WORDS * len(texts)
    is_preamble = all(row.filled < 2 for row in rows[: starts[1]]) and not is_list
    return [0, *starts[2:]] if is_preamble else starts


def _are_keys(rows: Sequence[Row]) -> bool:
    """Whether the rows above a table are keys with their values, and no table: two cells each, and no header."""
    filled = [[cell.strip() for cell in row.cells if cell.strip()] for row in rows if row.filled]
    if any(len(cells) > 2 for cells in filled) or len({cells[0] for cells in filled}) < len(filled):
        return False
    first, *body = [cells for cells in filled if len(cells) == 2] or [[]]
    return header_evidence(first, body, 2) <= 0 and not names_texts(first, body)


def _starts(rows: Sequence[Row], filled: Sequence[int]) -> list[int]:
    """Where tables begin: the first line, and each that begins rows of another kind."""
    starts = [0]
    # The rows of a sheet have all one width, so that blank cells at their end tell nothing.
    is_grid = len({len(rows[at].cells) for at in filled}) == 1
    widths = [len(header_cells(rows[at].cells)) if is_grid else len(rows[at].cells) for at in filled]
    current: Counter[int] = Counter()
    before: list[Sequence[str]] = []
    for number, at in enumerate(filled):
        width, cells = widths[number], rows[at].cells[: widths[number]]
        following = widths[number + 1 : number + RUN]
        usual = current.most_common(1)[0][0] if current else 0
        gap = number > 0 and at != filled[number - 1] + 1
        after_gap = gap or (number > 0 and (widths[number - 1] == 1 or rows[filled[number - 1]].filled == 1))
        same_run = (
            width >= 2
            and len(following) >= 1
            and all(one == width or (is_grid and gap and 2 <= one <= width) for one in following)
        )
        new_width = same_run and width != usual and current.get(width, 0) <= 1 and current[usual] >= 2 and usual >= 2
        is_other = after_gap and len(before) >= 2 and (width == usual or (is_grid and gap))
        if before and same_run and (new_width or is_other):
            body = [rows[place].cells[:width] for place in filled[number + 1 : number + 40] if not is_grid
                    or len(header_cells(rows[place].cells)) <= width]  # fmt: skip
            body = [row for row in body if len(row) == width]
            above = columns_of(before[-200:], usual) if width == usual else None
            apart = before[1:200] if width == usual else []
            if (
                _names_others(cells, columns_of(body, width), above)
                or (after_gap and _repeats(cells, before[0]))
                or (after_gap and (names_texts(cells, body, apart) or (not apart and are_names(cells, body))))
            ):
                starts.append(at)
                current.clear()
                before = []
        current[width] += 1
        if width == (current.most_common(1)[0][0]):
            before.append(cells)
    return starts


def _repeats(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row is a header of names that stood above already."""
    names = [cell.strip() for cell in cells]
    return names == [cell.strip() for cell in header] and all(looks(name) is Looks.TEXT for name in names)


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


def _wanted(rows: Sequence[Row], starts: Sequence[int], score: Scorer) -> int | None:
    """The line that makes the best header for somebody: among the first 20, or those where a table begins."""
    best: tuple[tuple[float, int], int] | None = None
    looked_at = [at for at, row in enumerate(rows) if row.line < HEADER_LINES]
    for start in starts[1:]:
        looked_at += [at for at in range(start, min(start + 3, len(rows))) if at not in looked_at]
    for at in looked_at:
        rank = header_rank(rows[at].cells, score)
        if rank[0] > 0 and (best is None or rank > best[0]):
            best = (rank, at)
    return best[1] if best else None


def _block(
    rows: Sequence[Row], start: int, end: int, header: int | None, score: Scorer, reading: Reading, *, whole: bool
) -> Block:
    filled = [at for at in range(start, end) if rows[at].filled]
    widths = Counter(len(rows[at].cells) for at in filled)
    widest = max(widths)
    width = max(widths, key=lambda one: (widths[one] * (one > 1), one)) if header is None else 0
    if header is None:
        width = width_with_short_rows(rows, filled, widths, width)
        first = first_row(rows, filled, width)
    else:
        first = header
        below = Counter(len(rows[at].cells) for at in filled if at > first)
        own = len(rows[first].cells)
        width = below.most_common(1)[0][0] if below else own
        if below.get(width, 0) < max(2, 0.6 * below.total()) or width < 2:
            width = own
    if width > MAX_COLUMNS or (len(header_cells(rows[first].cells)) > MAX_COLUMNS):
        raise no_header("the file", widest)
    if header is None:
        first = narrower_above(rows, filled, first, width)
    rows_below = [at for at in filled if at > first]
    body = [rows[at].cells for at in rows_below if len(rows[at].cells) == width][: profiled(width)]
    names_in = reading.header == "auto" and (header is not None or has_header(rows[first].cells, body, width))
    if width == 1 and header is None and reading.delimiter is None:
        _refuse_prose(rows, filled)
    heading = Heading(first, first, [])
    if names_in and reading.header_line is None:
        heading = heading_at(rows, start, rows_below, first, width, score)
    elif names_in:
        heading = Heading(first, first, [rows[first].cells])
    parts = heading.parts
    own_width = any(len(rows[at].cells) == len(parts[-1]) for at in rows_below) if parts else False
    if names_in and not own_width and lacks_first(parts[-1], body, width):
        parts = [["", *part] for part in parts]
    names, width = names_of(parts, width) if names_in else (tuple(f"column_{n}" for n in range(1, width + 1)), width)
    data = [at for at in rows_below if at > heading.last] if names_in else [at for at in filled if at >= first]
    grown = grown_width(rows, data, width)
    columns = _columns(rows, data, width, grown)
    width = grown
    stop_at = foot(rows, data, columns, width, is_followed=end < len(rows)) if whole else None
    return Block(
        header_at=rows[heading.first].line,
        header_rows=heading.last - heading.first + 1 if names_in else 0,
        has_header=names_in,
        names=names if names_in else tuple(f"column_{n}" for n in range(1, width + 1)),
        width=width,
        through=rows[heading.last].after if names_in else rows[first].line,
        stop=None if stop_at is None else rows[stop_at].line,
        columns=columns,
        notes_above=sum(1 for at in range(start, heading.first) if rows[at].filled),
        notes_below=0 if stop_at is None else sum(1 for at in filled if at >= stop_at),
        others=(),
        units=tuple(cell.strip() for cell in heading.units[: len(names)]),
    )


def _columns(rows: Sequence[Row], data: Sequence[int], width: int, grown: int) -> list[Column]:
    """What the columns are like; where rows have `grown`, those of the `width` before are blank behind it."""
    narrow = [rows[at].cells for at in data if len(rows[at].cells) == width][: profiled(grown)]
    if grown == width:
        return columns_of(narrow, width)
    blank = [""] * (grown - width)
    wide = [rows[at].cells for at in data if len(rows[at].cells) == grown][: profiled(grown)]
    return columns_of([*([*cells, *blank] for cells in narrow), *wide], grown)


def _refuse_prose(rows: Sequence[Row], filled: Sequence[int]) -> None:
    """Raise no_header where one cell a line is no column but sentences."""
    texts = [rows[at].cells[0] for at in filled[:200]]
    words = [len(text.split()) for text in texts]
    quoted = sum(rows[at].quoted for at in filled[:200])
    if sum(words) / len(words) >= PROSE_WORDS and words[0] > 1 and 2 * quoted < len(texts):
        raise no_header("the file", 1)
