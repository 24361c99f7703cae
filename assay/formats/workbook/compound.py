"""OLE2 compound files: the streams in one, found and read within bounds whatever it claims.

Source of the form: [MS-CFB], Compound File Binary File Format, 2.2 (header), 2.3 (FAT) and 2.6 (directory).
"""

from __future__ import annotations

import shutil
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assay.formats.limits import MAX_COMPOUND_ENTRIES
from assay.formats.problems import too_large, unreadable, unsafe

_HEADER = struct.Struct("<8s16s5H6x9L")
_DIRECTORY_ENTRY = 128
_STREAM, _ROOT = 2, 5
_NO_ENTRY = 0xFFFF_FFFF
_NO_SECTOR = 0xFFFF_FFFA
_IN_HEADER = 109


@dataclass(frozen=True)
class Stream:
    """Where a stream begins, its size in bytes, and whether it is in the small sectors."""

    start: int
    size: int
    small: bool


@dataclass(frozen=True)
class _Entry:
    """An entry of the directory: its name as it is written, its kind, its neighbours and its first child by number."""

    name: str
    kind: int
    neighbours: tuple[int, int]
    child: int
    stream: Stream


def streams(path: Path) -> dict[str, Stream]:
    """List the streams of the root storage by their names in lower case.

    Other storages may have streams of the same names: they belong to what is embedded. Raises Unprocessable:
    unreadable_spreadsheet, unsafe_spreadsheet where two streams of the root have one name, spreadsheet_too_large.
    """
    with path.open("rb") as file:
        return _Compound(file).streams


def with_one_stream(path: Path, name: str, copy: Path) -> Path:
    """Return a file in which a search by name alone finds the root's stream `name` (lower case) and no other entry.

    The reader searches the directory without regard to storages, so the workbook of an embedded object could be read
    instead. That is the file itself, or `copy`, written without the names of such entries.
    """
    with path.open("rb") as file:
        compound = _Compound(file)
        others = compound.others_called(name)
    if not others:
        return path
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        for place in others:
            file.seek(place)
            file.write(bytes(64))
    return copy


def read_stream(path: Path, name: str, most: int) -> bytes:
    """Read a stream of `most` bytes at most. Raises Unprocessable, also spreadsheet_too_large."""
    with path.open("rb") as file:
        compound = _Compound(file)
        stream = compound.streams[name]
        if stream.size > most:
            raise too_large(f"its stream {name} has {stream.size:,} bytes; at most {most:,} are read")
        return compound.read(stream)


class _Compound:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        head = file.read(512)
        if len(head) < 512:
            raise unreadable("its container is broken: it is too short")
        (_, _, _, version, _, sector_shift, small_shift, _, fat_sectors, directory, _, self._small_below,
         small_fat, small_fat_sectors, more_fat, more_fat_sectors) = _HEADER.unpack_from(head)  # fmt: skip
        if (version, sector_shift) not in ((3, 9), (4, 12)) or small_shift != 6:
            raise unreadable("its container is of no known version")
        self._size = 1 << sector_shift
        file.seek(0, 2)
        self._sectors = max(0, -(-file.tell() // self._size) - 1)
        if fat_sectors > self._sectors or small_fat_sectors > self._sectors or more_fat_sectors > self._sectors:
            raise unreadable("its container is broken")
        self._fat = self._allocation(head, fat_sectors, more_fat)
        self._small_fat = self._numbers(self._chain(small_fat, self._fat, small_fat_sectors))
        self._directory = [*_follow(directory, self._fat, self._sectors)]
        self._entries = self._list(b"".join(map(self._sector, self._directory)))
        root = next((entry for entry in self._entries if entry.kind == _ROOT), None)
        if root is None:
            raise unreadable("its container is broken: its directory has no root")
        self._root = root.stream
        self._root_streams = self._in_storage(root.child)
        self.streams = {name: self._entries[number].stream for name, number in self._root_streams.items()}
        self._small: bytes | None = None

    def read(self, stream: Stream) -> bytes:
        """The bytes of a stream."""
        if not stream.small:
            found = b"".join(self._chain(stream.start, self._fat, -(-stream.size // self._size)))
            return found[: stream.size]
        if self._small is None:
            whole = -(-self._root.size // self._size)
            self._small = b"".join(self._chain(self._root.start, self._fat, whole))
        pieces = [
            self._small[at * 64 : at * 64 + 64] for at in _follow(stream.start, self._small_fat, stream.size // 64 + 1)
        ]
        return b"".join(pieces)[: stream.size]

    def _allocation(self, head: bytes, count: int, more: int) -> array[int]:
        places = list(struct.unpack_from(f"<{_IN_HEADER}L", head, 76))
        entries = self._size // 4
        seen = 0
        while more < _NO_SECTOR and len(places) < count:
            numbers = self._numbers([self._sector(more)])
            places += numbers[: entries - 1]
            more = numbers[-1]
            seen += 1
            if seen > self._sectors:
                raise unsafe("its container refers to itself")
        return self._numbers(self._sector(place) for place in places[:count] if place < _NO_SECTOR)

    def others_called(self, name: str) -> list[int]:
        """Where in the file the entries are that have the name of the root's stream `name`, and are another."""
        size = self._size // _DIRECTORY_ENTRY
        return [
            (self._directory[number // size] + 1) * self._size + number % size * _DIRECTORY_ENTRY
            for number, entry in enumerate(self._entries)
            if entry.name.lower() == name and number != self._root_streams[name]
        ]

    def _list(self, directory: bytes) -> list[_Entry]:
        if len(directory) // _DIRECTORY_ENTRY > MAX_COMPOUND_ENTRIES:
            raise too_large(
                f"it has {len(directory) // _DIRECTORY_ENTRY:,} streams; at most {MAX_COMPOUND_ENTRIES:,} are taken"
            )
        entries = []
        for at in range(0, len(directory) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            entry = directory[at : at + _DIRECTORY_ENTRY]
            kind, _, left, right, child = struct.unpack_from("<2B3L", entry, 66)
            start, size = struct.unpack_from("<LQ", entry, 116)
            if self._size == 512:
                size &= 0xFFFF_FFFF  # version 3: the upper half may hold anything
            # A reader takes the name up to its first NUL, whatever its length is said to be.
            name = entry[:64].decode("utf-16-le", "replace").partition("\0")[0]
            small = kind == _STREAM and size < self._small_below
            entries.append(_Entry(name, kind, (left, right), child, Stream(start, size, small=small)))
        return entries

    def _in_storage(self, child: int) -> dict[str, int]:
        """The numbers of a storage's streams by their names in lower case; `child` is its first entry."""
        names: dict[str, int] = {}
        seen: set[int] = set()
        waiting = [child]
        while waiting:
            number = waiting.pop()
            if number == _NO_ENTRY:
                continue
            if number >= len(self._entries) or number in seen:
                raise unsafe("its container refers to itself, or to what is not there")
            seen.add(number)
            entry = self._entries[number]
            waiting += entry.neighbours
            if entry.kind == _STREAM:
                name = entry.name.lower()
                if name in names:
                    raise unsafe("two of its streams have one name")
                names[name] = number
        return names

    def _chain(self, start: int, fat: array[int], most: int) -> Iterator[bytes]:
        for at in _follow(start, fat, most):
            yield self._sector(at)

    def _sector(self, at: int) -> bytes:
        if at >= self._sectors:
            raise unreadable("its container is broken: a part of it is missing")
        self._file.seek((at + 1) * self._size)
        return self._file.read(self._size)

    def _numbers(self, pieces: Iterator[bytes] | list[bytes]) -> array[int]:
        found = array("I")
        for piece in pieces:
            found.frombytes(piece.ljust(self._size, b"\xff"))
        return found


def _follow(start: int, fat: array[int], most: int) -> Iterator[int]:
    """The sectors of a chain, `most` of them at most."""
    at = start
    for _ in range(most):
        if at >= _NO_SECTOR:
            return
        yield at
        if at >= len(fat):
            raise unreadable("its container is broken: a part of it is missing")
        at = fat[at]
