"""Tables that JSON writes by columns, or as one object of many: what pandas' `to_json` makes by default, and its like.

A family are the arrays of plain values, or the objects, that stand side by side in one object. Arrays of one length are
columns: `{"a": [1, 2], "b": [3, 4]}`. Objects are columns too where all have the same names, which are then those of
the rows (`orient="columns"`), or they are rows (`orient="index"`).
Source of the forms: pandas 2.2, `DataFrame.to_json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from assay.formats.json.stream import Value, cell_of
from assay.formats.limits import MAX_COLUMNS, MAX_JSON_TABLES, MIB

Cell = tuple[str, str]
"""A cell and the name under which it stands, which is its number in an array."""

# So much of all columns together is read at a time.
_READ_BYTES = 16 * MIB
_LEAST_BYTES = 1 << 12
# A table of rows has more than so many of its cells.
_FILLED = 0.5


@dataclass(frozen=True)
class Column:
    """The values of an array, how many cells they are, and whether they are 0, 1, 2 and so on."""

    values: Iterator[str]
    cells: int
    in_order: bool


@dataclass(frozen=True)
class _Member:
    """An array or an object of a family: its name, where its cells begin, how many there are, and of how many kinds."""

    name: str
    start: int
    cells: int
    kinds: int


@dataclass
class _Labels:
    """Whether names are 0, 1, 2 and so on, or all whole numbers."""

    count: int = 0
    in_order: bool = True
    whole: bool = True

    def add(self, name: str) -> None:
        self.in_order = self.in_order and name == str(self.count)
        self.whole = self.whole and name.removeprefix("-").isdecimal()
        self.count += 1


@dataclass
class Family:
    """What stands side by side at one `place`: arrays of plain values, or objects of them.

    `count` is how many; the first 10,000 are kept as `members`. `broken` is whether something in one of them was no
    plain value, and is elsewhere.
    """

    place: str
    arrays: bool
    path: Path
    members: list[_Member] = field(default_factory=list)
    count: int = 0
    broken: bool = False
    _cells: int = 0
    _outer: _Labels = field(default_factory=_Labels)
    _inner: _Labels = field(default_factory=_Labels)
    _digests: set[bytes] = field(default_factory=set)
    _kinds: dict[str, set[type]] = field(default_factory=dict)

    def add(self, name: str, start: int, cells: _Labels, kinds: set[type], digest: bytes) -> None:
        """Take a member that is written."""
        self.count += 1
        self._cells += cells.count
        self._outer.add(name)
        if self.count == 1:
            self._inner = cells
        if len(self._digests) < 2:
            self._digests.add(digest)
        if len(self.members) < MAX_COLUMNS:
            self.members.append(_Member(name, start, cells.count, len(kinds)))

    def note(self, key: str, value: Value) -> None:
        """Take the name and the kind of a cell of an object."""
        if len(self._kinds) <= MAX_COLUMNS:
            self._kinds.setdefault(key, set()).update({type(value)} - {type(None)})

    def orient(self) -> Literal["columns", "rows"] | None:
        """Whether the members are the columns of a table, or its rows; None for neither."""
        if self.broken or not self.members or not self.members[0].cells:
            return None
        alike = len(self._digests) == 1 and self.count <= MAX_COLUMNS
        if self.arrays or (alike and self._inner.whole):
            return "columns" if alike else None
        width = len(self._kinds)
        may_be_rows = width <= MAX_COLUMNS and self._cells > _FILLED * width * self.count
        if self.count == 1 or not alike or (may_be_rows and self._outer.whole):
            # One object alone is a record of something, and no table.
            return "rows" if may_be_rows and (self.count > 1 or self._outer.whole) else None
        return "rows" if may_be_rows and self._looks_like_rows() else "columns"

    def _looks_like_rows(self) -> bool:
        """Whether members that could be both are rows.

        The cells of a column are of one kind; where that says nothing, a table has more rows than columns.
        """
        by_columns = any(member.kinds > 1 for member in self.members)
        by_rows = any(len(kinds) > 1 for kinds in self._kinds.values())
        return by_columns if by_columns != by_rows else self.count >= self.members[0].cells

    def cells(self) -> int:
        """How many cells there are."""
        return self._cells

    def table(self) -> tuple[list[str], Iterator[list[str]]]:
        """The names of the columns, and the rows; `orient` must not be None.

        The first column has the names of the rows, and none itself, where they are more than numbers in order.
        """
        if self.orient() == "columns":
            labelled = not self.arrays and not self._inner.in_order
            names = [member.name for member in self.members]
            rows = self._rows_of_columns(labelled=labelled)
        else:
            labelled = not self._outer.in_order
            names = [*self._kinds]
            rows = self._rows(labelled=labelled)
        return [""] * labelled + names, rows

    def column(self, name: str) -> Column | None:
        """The array `name`; None where there is none."""
        member = next((member for member in self.members if self.arrays and member.name == name), None)
        if member is None:
            return None
        in_order = all(cell == str(at) for at, cell in enumerate(_of(self._read(member.start, MIB))))
        return Column(_of(self._read(member.start, MIB)), member.cells, in_order)

    def lists(self, cells: int) -> Iterator[list[str]]:
        """The arrays of so many cells: one of them could be the names of as many columns."""
        for member in self.members:
            if self.arrays and member.cells == cells and member.name != "index":
                yield [*_of(self._read(member.start, MIB))]

    def _rows_of_columns(self, *, labelled: bool) -> Iterator[list[str]]:
        size = max(_LEAST_BYTES, _READ_BYTES // len(self.members))
        columns = [self._read(member.start, size) for member in self.members]
        for cells in zip(*columns, strict=True):
            yield [cells[0][0]] * labelled + [cell for _, cell in cells]

    def _rows(self, *, labelled: bool) -> Iterator[list[str]]:
        places = {name: at for at, name in enumerate(self._kinds, int(labelled))}
        with self.path.with_suffix(".names").open("rb") as names, self.path.open("rb") as file:
            for name in names:
                row = [""] * (len(places) + labelled)
                if labelled:
                    row[0] = json.loads(name)
                for line in iter(file.readline, b"\n"):
                    key, cell = json.loads(line)
                    row[places[key]] = cell
                yield row

    def _read(self, start: int, size: int) -> Iterator[Cell]:
        """The cells of a member, from a file that is open only while a piece of it is read."""
        rest = b""
        while True:
            with self.path.open("rb") as file:
                file.seek(start)
                piece = file.read(size)
            start += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if not line:
                    return
                key, cell = json.loads(line)
                yield key, cell


class _Writer:
    """Writes a family's cells to its file, one line each, and the names of its members to another."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._cells = family.path.open("wb")
        self._names = family.path.with_suffix(".names").open("wb")
        self._end = 0

    def close(self) -> None:
        self._cells.close()
        self._names.close()

    def member(self, name: str) -> Generator[None, tuple[str, Value], None]:
        """Take the cells of a member, each with its name, as they are sent; it ends where it is closed."""
        start, labels, kinds, digest = self._end, _Labels(), set[type](), blake2b(digest_size=16)
        try:
            while True:
                key, value = yield
                self._end += self._cells.write(json.dumps([key, cell_of(value)]).encode() + b"\n")
                labels.add(key)
                kinds |= {type(value)} - {type(None)}
                if not self.family.arrays:
                    digest.update(json.dumps(key).encode())
                    self.family.note(key, value)
        finally:
            digest.update(str(labels.count).encode())
            self._end += self._cells.write(b"\n")
            self._names.write(json.dumps(name).encode() + b"\n")
            self.family.add(name, start, labels, kinds, digest.digest())


class Families:
    """The families of a file, each with files of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[tuple[str, bool], _Writer] = {}

    @contextmanager
    def member(self, place: str, name: str, *, arrays: bool) -> Iterator[Callable[[str, Value], object]]:
        """Take an array or an object that stands under `name` in the object at `place`: yields what takes its cells.

        Of so many families that no table is among them, the later ones are passed over.
        """
        if (place, arrays) not in self._writers and len(self._writers) < MAX_JSON_TABLES:
            path = self._folder / f"family-{len(self._writers)}"
            self._writers[place, arrays] = _Writer(Family(place, arrays, path))
        if (place, arrays) not in self._writers:
            yield lambda _key, _value: None
            return
        writing = self._writers[place, arrays].member(name)
        next(writing)
        with closing(writing):
            yield lambda key, value: writing.send((key, value))

    def break_off(self, place: str) -> None:
        """Say that an object at `place` holds more than plain values."""
        if (place, False) in self._writers:
            self._writers[place, False].family.broken = True

    def close(self) -> None:
        """Close the files; the families can be read then."""
        for writer in self._writers.values():
            writer.close()

    def arrays_at(self, place: str) -> Family | None:
        """The arrays of plain values in the object at `place`."""
        writer = self._writers.get((place, True))
        return writer.family if writer else None

    def tables(self) -> list[Family]:
        """Those that make a table."""
        return [writer.family for writer in self._writers.values() if writer.family.orient() is not None]


def _of(cells: Iterator[Cell]) -> Iterator[str]:
    return (cell for _, cell in cells)
