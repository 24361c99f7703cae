"""OLE2 compound files: the streams in one, found and read within bounds whatever it claims.

Source of the form: [MS-CFB], Compound File Binary File Format, 2.2 (header), 2.3 (FAT) and 2.6 (directory).
"""

from __future__ import annotations

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
_END_OF_CHAIN = 0xFFFF_FFFE
_NO_SECTOR = 0xFFFF_FFFA
_IN_HEADER = 109


@dataclass(frozen=True)
class Stream:
    """Where a stream begins, its size in bytes, and whether it is in the small sectors."""

    start: int
    size: int
    small: bool


def streams(path: Path) -> dict[str, Stream]:
    """List the streams by their names in lower case. Raises Unprocessable: unreadable_, unsafe_spreadsheet."""
    with path.open("rb") as file:
        return _Compound(file).streams


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
        self._root = Stream(_END_OF_CHAIN, 0, small=False)
        self.streams: dict[str, Stream] = {}
        self._list(b"".join(self._chain(directory, self._fat, self._sectors)))
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

    def _list(self, directory: bytes) -> None:
        if len(directory) // _DIRECTORY_ENTRY > MAX_COMPOUND_ENTRIES:
            raise too_large(
                f"it has {len(directory) // _DIRECTORY_ENTRY:,} streams; at most {MAX_COMPOUND_ENTRIES:,} are taken"
            )
        for at in range(0, len(directory) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            entry = directory[at : at + _DIRECTORY_ENTRY]
            name_bytes, kind = struct.unpack_from("<HB", entry, 64)
            start, size = struct.unpack_from("<LQ", entry, 116)
            if self._size == 512:
                size &= 0xFFFF_FFFF  # version 3: the upper half may hold anything
            if kind == 5:
                self._root = Stream(start, size, small=False)
            elif kind == 2:
                name = entry[: max(name_bytes - 2, 0)].decode("utf-16-le", "replace").lower()
                if name in self.streams:
                    raise unsafe("two of its streams have one name")
                self.streams[name] = Stream(start, size, small=size < self._small_below)

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
