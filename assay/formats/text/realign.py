"""A row whose delimiters or quotes are not right, laid over the columns in the way that fits them best."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.formats.cells import Column, Looks
from assay.formats.text.dialect import Dialect

# What each departure from the rules costs, where a cell that can't stand in its column costs 2: whatever explains
# the most cells by the fewest slips wins.
_STRAY_QUOTE = 1.5
_LONE_QUOTES = 0.6
_ODD_QUOTE = 1.3
_EXTRA_DELIMITER = 1.9
_SURPLUS_CELL = 3.0
_LOST_DELIMITER = 2.4
_LOST_BEFORE_QUOTE = 1.9
_LOST_BETWEEN_QUOTES = 1.2
_NO_CELL = 2.6
_NO_CELL_AT_END = 1.0
_JOINED = 1.6
_JOINED_MORE = 0.1
# Beyond these the search would take long, and an honest row is not that broken.
_LONGEST_LINE = 20_000
_MOST_COLUMNS = 100
_MOST_QUOTES = 40
_MOST_JOINED = 12
# So many columns may be passed over; beyond that nothing tells any more where a cell belongs.
_FARTHEST = 8
_EDGE = re.compile(
    r"(?<=[A-Za-z])(?=[^A-Za-z])|(?<=[0-9])(?=[^0-9.,])|(?<=[^A-Za-z0-9 ])(?=[A-Za-z0-9])|(?<=[a-z])(?=[A-Z])"
)


@dataclass(frozen=True)
class Aligned:
    """A row as laid over the columns: as many cells as there are, what was left over, and whether cells moved."""

    cells: list[str]
    surplus: list[str]
    moved: bool


@dataclass(frozen=True)
class _Field:
    """One way to read on from a place: the cells that it makes, where the next begins, and what it costs."""

    cells: tuple[str, ...]
    after: int
    cost: float
    joined: bool = False


@dataclass(frozen=True)
class _Step:
    cost: float
    before: tuple[int, int] | None
    cells: tuple[str, ...]
    surplus: tuple[str, ...]
    moved: bool


def realign_row(line: str, dialect: Dialect, columns: Sequence[Column]) -> Aligned | None:
    """Lay an encoded line over the columns; None where it is too long to try, or has too many columns."""
    if len(line) > _LONGEST_LINE or not 1 < len(columns) <= _MOST_COLUMNS:
        return None
    return _search(line, dialect.mark, dialect.quote, columns)


def _search(line: str, mark: str, quote: str, columns: Sequence[Column]) -> Aligned | None:
    """The cheapest way from the line's beginning to its end, and from the first column to the last."""
    width, end = len(columns), len(line) + 1
    best: dict[tuple[int, int], _Step] = {(0, 0): _Step(0, None, (), (), moved=False)}
    places, seen = [0], {0}

    def offer(key: tuple[int, int], step: _Step) -> None:
        if key not in best or step.cost < best[key].cost:
            best[key] = step
            if key[0] not in seen:
                seen.add(key[0])
                heapq.heappush(places, key[0])

    while places:
        at = heapq.heappop(places)
        if at == end:
            break
        fields = list(_fields(line, at, mark, quote))
        before = line.count(mark, 0, at)
        for column in range(min(before + _FARTHEST, width) + 1):
            if (at, column) not in best:
                continue
            here, now = (at, column), best[at, column].cost
            if column < width:
                offer((at, column + 1), _Step(now + _NO_CELL, here, ("",), (), moved=True))
            for field in fields:
                for cost, used, cells, surplus, moved in _uses(field, columns, column, mark, quote):
                    offer((field.after, column + used), _Step(now + field.cost + cost, here, cells, surplus, moved))
    for column in range(width):
        if (end, column) in best:
            cost = best[end, column].cost + _NO_CELL_AT_END + columns[column].misfit("")
            offer((end, column + 1), _Step(cost, (end, column), ("",), (), moved=False))
    if (end, width) not in best:
        return None
    return _walked_back(best, (end, width))


def _walked_back(best: dict[tuple[int, int], _Step], key: tuple[int, int]) -> Aligned:
    cells: list[str] = []
    surplus: list[str] = []
    moved = False
    place: tuple[int, int] | None = key
    while place is not None:
        step = best[place]
        cells[:0] = step.cells
        surplus[:0] = step.surplus
        moved = moved or step.moved
        place = step.before
    return Aligned(cells, surplus, moved)


def _uses(
    field: _Field, columns: Sequence[Column], column: int, mark: str, quote: str
) -> Iterator[tuple[float, int, tuple[str, ...], tuple[str, ...], bool]]:
    """What a field may be: cost, how many columns it fills, their cells, what is left over, whether others move."""
    width = len(columns)
    if len(field.cells) == 2:
        if column + 1 < width:
            fit = columns[column].misfit(field.cells[0]) + columns[column + 1].misfit(field.cells[1])
            yield fit, 2, field.cells, (), True
        return
    cell = field.cells[0]
    if column < width:
        misfit = columns[column].misfit(cell)
        if not field.joined or not misfit or (columns[column].kind is Looks.TEXT and not columns[column].shapes):
            yield misfit, 1, (cell,), (), field.joined
    elif not field.joined:
        yield (0.5 if not cell.strip() else _SURPLUS_CELL), 0, (), (cell,), False
    if field.joined:
        return
    if not cell.strip() and column < width:
        yield _EXTRA_DELIMITER, 0, (), (), True
    if column + 1 < width and cell:
        split = _split(cell, columns[column], columns[column + 1], mark + quote)
        if split is not None:
            yield _LOST_DELIMITER + split[0], 2, split[1], (), True


def _split(cell: str, left: Column, right: Column, marks: str) -> tuple[float, tuple[str, str]] | None:
    """Part a cell where a delimiter was lost: only where both columns know their own cells at sight, or one does."""
    if not left.shapes and left.kind is Looks.TEXT and not right.shapes and right.kind in (Looks.TEXT, Looks.BLANK):
        return None
    edges = {found.start() for found in _EDGE.finditer(cell)}
    found: list[tuple[float, int]] = []
    for at in range(1, min(len(cell), 200)):
        if cell[at - 1] in marks or cell[at] in marks:
            continue
        misfit = left.misfit(cell[:at])
        if misfit < 1:
            misfit += right.misfit(cell[at:])
        if misfit < 1:
            blank = " " in cell[at - 1 : at + 1]
            found.append((misfit + (0.2 if blank else 0 if at in edges else 0.4), at))
    if not found:
        return None
    cost, at = min(found)
    return cost, (cell[:at].strip(" "), cell[at:].strip(" "))


def _fields(line: str, at: int, mark: str, quote: str) -> Iterator[_Field]:
    if quote and line.startswith(quote, at):
        yield from _quoted(line, at, mark, quote)
    stop = line.find(mark, at)
    stop = len(line) if stop < 0 else stop
    cell = line[at:stop]
    odd = _ODD_QUOTE * (cell.count(quote) % 2) if quote else 0
    yield _Field((cell,), stop + 1, _STRAY_QUOTE if quote and cell.startswith(quote) else odd)
    if quote and (inner := cell.find(quote, 1)) > 0:
        # A delimiter was lost in front of a quoted cell.
        for field in _quoted(line, at + inner, mark, quote):
            if len(field.cells) > 1:
                continue
            yield _Field((line[at : at + inner], *field.cells), field.after, field.cost + _LOST_BEFORE_QUOTE)
    cost = _JOINED
    for _ in range(_MOST_JOINED):
        # A delimiter that is followed by a blank, or is one itself, may belong to the text.
        if stop >= len(line) or not (mark == " " or line.startswith(" ", stop + 1)):
            return
        following = line.find(mark, stop + 1)
        stop = len(line) if following < 0 else following
        if quote and quote + mark in line[at : stop + 1]:
            return
        yield _Field((line[at:stop],), stop + 1, cost, joined=True)
        cost += _JOINED_MORE


def _pairs(line: str, at: int, quote: str) -> bool:
    """Whether a quote begins a run of pairs with text behind it, as within a cell."""
    after = at
    while line.startswith(quote, after):
        after += 1
    return (after - at) % 2 == 0 and after < len(line) and (line[after] == " " or line[after].islower())


def _stands_alone(line: str, begin: int, at: int, mark: str, quote: str) -> bool:
    """Whether a doubled quote is the only one up to where the cell ends, with no digit before it: it quotes no word."""
    end = line.find(quote + mark, at + 2)
    text = line[begin + 1 : end if end >= 0 else len(line) - 1]
    return (
        text.count(quote) == 2 and not line[at - 1].isdigit() and line[at - 1] != " " and line[at + 2 : at + 3] != " "
    )


def _quoted(line: str, begin: int, mark: str, quote: str) -> Iterator[_Field]:
    """Every way to read on from an opening quote: it closes where a delimiter follows, or a cell that lost its own."""
    at = begin
    between = re.compile(f"{re.escape(quote)}(?:{re.escape(mark)} ?)+{re.escape(quote)}")
    for _ in range(_MOST_QUOTES):
        at = line.find(quote, at + 1)
        if at < 0:
            return
        inside = line[begin + 1 : at]
        text = inside.replace(quote * 2, quote)
        if between.search(inside.replace(quote * 2, "")):
            # Here a cell ended, and another quoted one began.
            return
        # Within a cell quotes come in pairs, or the cell ends elsewhere.
        lone = _LONE_QUOTES * (quote in inside.replace(quote * 2, ""))
        if at + 1 == len(line) or line.startswith(mark, at + 1):
            yield _Field((text,), at + 2, lone)
        elif not lone and not (
            line.startswith(quote, at + 1)
            and _pairs(line, at, quote)
            and not _stands_alone(line, begin, at, mark, quote)
        ):
            stop = line.find(mark, at + 1)
            stop = len(line) if stop < 0 else stop
            rest = line[at + 1 : stop]
            if quote not in rest:
                yield _Field((text, rest), stop + 1, _LOST_DELIMITER)
            elif rest.lstrip(" ").startswith(quote):
                for field in _quoted(line, line.find(quote, at + 1), mark, quote):
                    if len(field.cells) > 1:
                        continue
                    yield _Field((text, *field.cells), field.after, field.cost + _LOST_BETWEEN_QUOTES)
