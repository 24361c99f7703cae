"""Writes down what could be tables by columns or objects of rows while a JSON text is gone through, and keeps none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from assay.formats.json.family import Cell, Family, Labels, Member
from assay.formats.json.stream import Value, cell_of
from assay.formats.limits import MAX_JSON_TABLES

Take = Callable[[str, Value], None]
"""What takes a cell: the name under which it stands, and its value."""

# A line of a family's file has so many cells, or characters.
_LINE_CELLS = 64
_LINE_CHARACTERS = 1 << 14


class _Writer:
    """Writes a family's cells to its file, some to a line, and the names of its members to another."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self._cells = family.path.open("wb")
        self._names = family.path.with_suffix(".names").open("wb")
        self._end = 0

    def close(self) -> None:
        """Close the files."""
        self._cells.close()
        self._names.close()

    def write(self, cells: list[Cell]) -> int:
        """Write cells of a member to a line of their own; return how long it is."""
        size = self._cells.write(json.dumps(cells).encode() + b"\n")
        self._end += size
        return size

    @contextmanager
    def member(self, name: str) -> Iterator[Take]:
        """Take the cells of a member one by one, each with its name."""
        written = _Written(self, name, self._end)
        yield written.take
        written.end()
        self._end += self._cells.write(b"\n")
        self._names.write(json.dumps(name).encode() + b"\n")


class _Written:
    """A member while it is written."""

    def __init__(self, writer: _Writer, name: str, start: int) -> None:
        self._writer = writer
        self._name, self._start = name, start
        self._labels, self._digest = Labels(), blake2b(digest_size=16)
        self._kinds: set[type] = set()
        self._waiting: list[Cell] = []
        self._size = self._longest = 0

    def take(self, name: str, value: Value) -> None:
        """Take a cell."""
        cell = cell_of(value)
        self._waiting.append((name, cell))
        self._size += len(cell)
        self._labels.add(name)
        if value is not None:
            self._kinds.add(type(value))
        if not self._writer.family.arrays:
            self._writer.family.note(name, value)
        if len(self._waiting) == _LINE_CELLS or self._size > _LINE_CHARACTERS:
            self._flush()

    def end(self) -> None:
        """Write what waits, and tell the family."""
        if self._waiting:
            self._flush()
        member = Member(self._name, self._start, self._labels.count, len(self._kinds), self._longest)
        self._writer.family.add(member, self._labels, self._digest.digest())

    def _flush(self) -> None:
        if not self._writer.family.arrays:
            self._digest.update("\0".join([name for name, _ in self._waiting] + [""]).encode("utf-8", "surrogatepass"))
        self._longest = max(self._longest, self._writer.write(self._waiting))
        self._waiting, self._size = [], 0


class Families:
    """The families of a file, each with files of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[tuple[str, bool], _Writer] = {}

    @contextmanager
    def member(self, place: str, name: str, *, arrays: bool) -> Iterator[Take]:
        """Take an array or an object that stands under `name` in the object at `place`: yields what takes its cells.

        Of so many families that no table is among them, the later ones are passed over.
        """
        if (place, arrays) not in self._writers and len(self._writers) < MAX_JSON_TABLES:
            path = self._folder / f"family-{len(self._writers)}"
            self._writers[place, arrays] = _Writer(Family(place, arrays, path))
        if (place, arrays) not in self._writers:
            yield lambda _name, _value: None
            return
        with self._writers[place, arrays].member(name) as take:
            yield take

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
