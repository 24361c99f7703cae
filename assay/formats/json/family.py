"""Tables that JSON writes by columns, or as one object of many: what pandas' `to_json` makes by default, and its like.

A family are the arrays of plain values, or the objects, that stand side by side in one object. Arrays of one length are
columns: `{"a": [1, 2], "b": [3, 4]}`. Objects are columns too where all have the same names, which are then those of
the rows (`orient="columns"`), or they are rows (`orient="index"`).
Source of the forms: pandas 2.2, `DataFrame.to_json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assay.errors import Unprocessable
from assay.formats.json.stream import Value
from assay.formats.limits import MAX_COLUMNS, MIB

Cell = tuple[str, str]
"""A cell and the name under which it stands, which is its number in an array."""

# So much of all columns together is read at a time.
_READ_BYTES = 4 * MIB
# The lines of all columns that are in work at a time.
_HELD_BYTES = 64 * MIB
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
class Member:
    """An array or an object of a family.

    `start` is where its cells begin in the family's file, `cells` how many there are, `kinds` of how many kinds, and
    `longest` how many bytes the longest line has.
    """

    name: str
    start: int
    cells: int
    kinds: int
    longest: int


@dataclass
class Labels:
    """Whether names are 0, 1, 2 and so on, or all whole numbers."""

    count: int = 0
    in_order: bool = True
    whole: bool = True

    def add(self, name: str) -> None:
        """Take the next name."""
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
    members: list[Member] = field(default_factory=list)
    count: int = 0
    broken: bool = False
    _cells: int = 0
    _outer: Labels = field(default_factory=Labels)
    _inner: Labels = field(default_factory=Labels)
    _digests: set[bytes] = field(default_factory=set)
    _kinds: dict[str, set[type]] = field(default_factory=dict)

    def add(self, member: Member, labels: Labels, digest: bytes) -> None:
        """Take a member that is written; `labels` and `digest` tell of the names of its cells."""
        self.count += 1
        self._cells += member.cells
        self._outer.add(member.name)
        if self.count == 1:
            self._inner = labels
        if len(self._digests) < 2:
            self._digests.add(digest + str(member.cells).encode())
        if len(self.members) < MAX_COLUMNS:
            self.members.append(member)

    def note(self, name: str, value: Value) -> None:
        """Take the name and the kind of a cell of an object."""
        if len(self._kinds) <= MAX_COLUMNS:
            kinds = self._kinds.setdefault(name, set())
            if value is not None:
                kinds.add(type(value))

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
        if sum(member.longest for member in self.members) > _HELD_BYTES:
            raise Unprocessable(
                "record_too_long",
                f"A row, of which each column has a cell, may have more than {_HELD_BYTES:,} bytes.",
                "Send the rows as an array of objects.",
            )
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
                    for key, cell in json.loads(line):
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
                yield from json.loads(line)


def _of(cells: Iterator[Cell]) -> Iterator[str]:
    return (cell for _, cell in cells)
