"""Lines of delimited text to records, also where quotes are broken or a row is parted otherwise than the others."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from assay.formats.cells import Column, Looks, misfit
from assay.formats.limits import MAX_LINE_BYTES, REREAD_FREE, REREAD_TIMES
from assay.formats.problems import broken_quotes
from assay.formats.text.dialect import Dialect

_NUL = "\x00"
# So much better must cells fit the columns: one that could not stand where it stood, and can where it stands now.
CLEARLY = 1
# What may part the cells of one row, or of the header alone. A row of two cells tells too little, but where no blank
# stands beside the only mark.
_OTHERS = ",;\t| "
_ONE_OTHER = re.compile(r"[^,;\t|]*[^,;\t|\s][,;\t|][^,;\t|\s][^,;\t|]*")
_FEW_CELLS = 3
_LONGEST_OTHERWISE = 20_000


@dataclass(slots=True)
class Record:
    """One record: its cells, the lines that it takes (with their ends), and what is odd about it.

    `broken` is whether its quotes are, `otherwise` whether another delimiter parts it than the others.
    """

    cells: list[str]
    lines: list[str]
    broken: bool = False
    otherwise: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell and not cell.isspace() for cell in self.cells)


def records(lines: Iterable[str], dialect: Dialect, width: int, columns: Sequence[Column] = ()) -> Iterator[Record]:
    """Split lines (with their ends) into records; `columns`, where they are known, help to tell cells from rows.

    A quoted field may span lines. Where quotes don't close within a million characters, or something follows a closing
    quote, or what the quotes hold are rows of `width` cells themselves, the line where that begins is split without
    regard to quotes and marked, and reading goes on with the next line. Raises Unprocessable broken_quotes where so
    much has to be read again that the whole would take much longer than its size says.
    """
    ahead: deque[str] = deque()
    source = iter(lines)
    fed = again = done = 0
    quote = dialect.quote
    passes_over = bool(dialect.comment) or dialect.ruled

    def pull() -> str | None:
        nonlocal fed
        line = ahead.popleft() if ahead else next(source, None)
        fed += len(line or "")
        return line

    mark = dialect.mark
    is_simple = dialect.is_simple
    alone = _Alone(dialect)
    while (line := pull()) is not None:
        done += 1
        if passes_over and dialect.passes_over(line):
            continue
        if is_simple and (not quote or quote not in line):
            record = Record(line.rstrip("\r\n").split(mark), [line])
            yield record if len(record.cells) == width else _checked(record, dialect, width, columns)
            continue
        encoded = dialect.encoded(line)
        if not quote or quote not in encoded:
            yield _checked(Record(dialect.decoded(dialect.parts(encoded)), [line]), dialect, width, columns)
            continue
        if (whole := alone.cells(encoded)) is not None:
            yield _checked(Record(dialect.decoded(whole), [line]), dialect, width, columns)
            continue
        taken = [line]
        try:
            cells = _gathered(taken, pull, dialect, width, columns)
        except csv.Error:
            rest = taken[1:]
            ahead.extendleft(reversed(rest))
            if not rest and not line.strip(quote + " \t\r\n"):
                yield Record([""], [line])
            else:
                yield _checked(
                    Record(dialect.decoded(dialect.parts(encoded)), [line], broken=True), dialect, width, columns
                )
            again += sum(map(len, rest))
            if again > REREAD_FREE + REREAD_TIMES * (fed - again):
                raise broken_quotes(done) from None
        else:
            done += len(taken) - 1
            yield _checked(Record(dialect.decoded(cells), taken), dialect, width, columns)


class _Alone:
    """Takes lines apart that are records by themselves, all by one reader: making one takes longer than its work."""

    def __init__(self, dialect: Dialect) -> None:
        self._line: str | None = None
        self._reader = dialect.strict(self)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self._line = self._line, None
        if line is None:
            raise StopIteration
        return line

    def cells(self, line: str) -> list[str] | None:
        """The cells of an encoded line; None where its quotes are broken, or it goes on in the next."""
        self._line = line
        try:
            return next(self._reader)
        except csv.Error:
            return None


def _checked(record: Record, dialect: Dialect, width: int, columns: Sequence[Column]) -> Record:
    """The record, by another delimiter than the others' where that parts it into as many cells as they have."""
    line = record.lines[0]
    is_right = len(record.cells) == width and not record.broken
    if is_right or width < 2 or len(record.lines) > 1 or len(line) > _LONGEST_OTHERWISE:
        return record
    if width < _FEW_CELLS and (record.broken or len(record.cells) > 1 or not _ONE_OTHER.fullmatch(line.rstrip("\r\n"))):
        return record
    for delimiter in _OTHERS:
        if delimiter != dialect.delimiter and line.count(delimiter) >= width - 1:
            try:
                cells = _whole(Dialect(delimiter, dialect.quote), line)
            except csv.Error:
                continue
            if cells is not None and len(cells) == width and (delimiter != " " or _knows(columns, cells, record)):
                return Record(cells, [line], otherwise=True)
    return record


def _knows(columns: Sequence[Column], cells: Sequence[str], record: Record) -> bool:
    """Whether a line that blanks part is a row and no sentence: its cells are those of the columns, or are quoted."""
    told = any(column.kind > Looks.TEXT or column.shapes for column in columns) or '"' in record.lines[0]
    return bool(columns) and told and misfit(cells, columns) < min(CLEARLY, misfit(record.cells, columns))


def _gathered(
    taken: list[str], pull: Callable[[], str | None], dialect: Dialect, width: int, columns: Sequence[Column]
) -> list[str]:
    """The cells of the record that begins with the line in `taken`, to which the lines that it goes on in are added.

    Raises csv.Error where quotes are broken, or the record has no end within a million characters.
    """
    text = [dialect.encoded(taken[0])]
    size = len(taken[0])
    cells = _whole(dialect, *text)
    while cells is None:
        line = pull()
        if line is not None:
            taken.append(line)
            size += len(line)
        if line is None or size > MAX_LINE_BYTES:
            raise csv.Error("a record without end")
        text.append(dialect.encoded(line, inside=True))
        if not _stays_open(text[-1], dialect):
            cells = _whole(dialect, *text)
    if len(text) > 1 and not _is_row(cells, text[0], dialect, columns):
        _check_lines(text, dialect, width)
    return cells


def _whole(dialect: Dialect, *lines: str) -> list[str] | None:
    """The cells of one record, or None where it goes on. Raises csv.Error where quotes are broken."""
    found = dialect.strict(lines)
    try:
        cells = next(found)
    except csv.Error as error:
        if "unexpected end" not in str(error):
            raise
        return None
    if next(found, None) is not None:
        raise csv.Error("a record ends before its last line")
    return cells


def _stays_open(line: str, dialect: Dialect) -> bool:
    """Whether a line that begins within quotes ends within quotes. Raises csv.Error where they are broken."""
    quote, mark, at = dialect.quote, dialect.mark, 0
    while (end := line.find(quote, at)) >= 0:
        if line.startswith(quote, end + 1):
            at = end + 2
            continue
        at = end + 1
        if not line[at:].strip("\r\n"):
            return False
        if not line.startswith(mark, at):
            raise csv.Error("something behind a closing quote")
        while True:
            at += 1
            while dialect.trims and line.startswith(" ", at):
                at += 1
            if line.startswith(quote, at):
                at += 1
                break
            at = line.find(mark, at)
            if at < 0:
                return False
    return True


def _is_row(cells: Sequence[str], first: str, dialect: Dialect, columns: Sequence[Column]) -> bool:
    """Whether a record of several lines fits the columns, and its first line alone does not."""
    if not columns or len(cells) != len(columns):
        return False
    hidden = _quoted_part(dialect.quote).sub(lambda one: one.group().replace(dialect.mark, " "), first)
    alone = dialect.parts(hidden)
    return misfit(cells, columns) < 1 <= misfit(alone, columns) + abs(len(alone) - len(columns))


def _quoted_part(quote: str) -> re.Pattern[str]:
    return re.compile(f"{quote}[^{quote}]*{quote}")


def _check_lines(lines: Sequence[str], dialect: Dialect, width: int) -> None:
    """Raise csv.Error where a record swallows rows: a stray quote opens a field and another one far below closes it.

    It does when most lines within it, or where it has but two both of them, have as many cells as a row.
    """
    quote, mark = dialect.quote, dialect.mark
    quoted = _quoted_part(quote)
    first, *within, last = (line.replace(quote * 2, "") for line in lines)
    # The commas of sentences part no cells.
    prose = ", " if mark == "," and not dialect.trims else _NUL
    # The last line begins within quotes: what stands in quotes of its own is seen from its end.
    ahead, back = quoted.sub("", first), quoted.sub("", last[::-1])[::-1]
    opening, closing = (text.count(mark) - text.count(prose) for text in (ahead, back))
    rows = {width - 1, max(width - 1, opening)} - {0}
    alike = sum(quote not in line and line.count(mark) - line.count(prose) in rows for line in within)
    if 2 * alike > len(within) or (not within and opening in rows and closing in rows):
        raise csv.Error("rows within quotes")
