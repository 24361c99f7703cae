"""Looks through a Parquet file's footer and the headers of its pages before the engine opens it.

Source of the form: parquet-format 2.11 (parquet.thrift: FileMetaData, RowGroup, ColumnMetaData, PageHeader), written
in Thrift's compact protocol.
"""

from __future__ import annotations

from functools import lru_cache
from typing import BinaryIO, TypeAlias

from assay.contract import Source
from assay.formats.limits import (
    MAX_COLUMNS,
    MAX_FOOTER_BYTES,
    MAX_GROUP_BYTES,
    MAX_GROUP_CELLS,
    MAX_PAGE_BYTES,
)
from assay.formats.problems import PARQUET

_MAGIC = b"PAR1"
_HEADER_BYTES = 1 << 14
_LARGEST_HEADER = 1 << 22
_DEEPEST = 12
# Types of the compact protocol.
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12

Thrift: TypeAlias = "bool | int | bytes | list[Thrift] | Fields"
Fields: TypeAlias = "dict[int, Thrift]"


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_parquet(source: Source) -> None:
    """Hold what the file claims to its bytes, and to what a machine takes at a time.

    Raises Unprocessable: parquet_too_large, unsafe_parquet, unreadable_parquet.
    """
    with source.path.open("rb") as file:
        file.seek(0, 2)
        end = file.tell() - 8
        file.seek(max(end, 0))
        tail = file.read(8)
        size = int.from_bytes(tail[:4], "little")
        if end < 4 or tail[4:] != _MAGIC or size > end - 4:
            raise PARQUET.unreadable("its end is missing, or it is encrypted")
        if size > MAX_FOOTER_BYTES:
            raise PARQUET.too_large(f"its footer has {size:,} bytes; at most {MAX_FOOTER_BYTES:,} are read")
        file.seek(end - size)
        try:
            footer = _Compact(file.read(size)).struct(0)
        except IndexError:
            raise PARQUET.unreadable("its footer breaks off") from None
        columns = sum(1 for one in _structs(footer, 2) if 5 not in one)
        if columns > MAX_COLUMNS:
            raise PARQUET.too_large(f"it has {columns:,} columns; at most {MAX_COLUMNS:,} are taken")
        groups = _structs(footer, 4)
        if sum(_number(group, 3) for group in groups) != _number(footer, 3):
            raise PARQUET.unsafe("its rows are not those of its row groups")
        for group in groups:
            _check_group(file, group, columns, end - size)


def _check_group(file: BinaryIO, group: Fields, columns: int, end: int) -> None:
    rows = _number(group, 3)
    if rows * columns > MAX_GROUP_CELLS:
        raise PARQUET.too_large(
            f"a row group has {rows:,} rows of {columns:,} columns, which is {rows * columns:,} cells; "
            f"at most {MAX_GROUP_CELLS:,} are read at a time"
        )
    unpacked = 0
    for chunk in _structs(group, 1):
        if 1 in chunk:
            raise PARQUET.unsafe("a part of it is in another file")
        column = chunk.get(3)
        if not isinstance(column, dict):
            raise PARQUET.unreadable("it is encrypted, or a column of it is not described")
        places = [_number(column, field) for field in (9, 11) if column.get(field)]
        start = min(places, default=0)
        values, size = _pages(file, start, start + _number(column, 7), end)
        if values != _number(column, 5) or values > MAX_GROUP_CELLS:
            raise PARQUET.unsafe("a column has other values than it says")
        unpacked += size
        if unpacked > MAX_GROUP_BYTES:
            raise PARQUET.too_large(
                f"a row group unpacks to {unpacked:,} bytes or more; at most {MAX_GROUP_BYTES:,} are read at a time"
            )


def _pages(file: BinaryIO, start: int, stop: int, end: int) -> tuple[int, int]:
    """How many values the pages of a column have, and how many bytes they unpack to."""
    if not 4 <= start <= stop <= end:
        raise PARQUET.unreadable("a column stands outside of it")
    values = size = 0
    at = start
    while at < stop:
        header, length = _header(file, at, stop)
        packed, unpacked = _number(header, 3), _number(header, 2)
        if unpacked > MAX_PAGE_BYTES:
            raise PARQUET.too_large(f"a page unpacks to {unpacked:,} bytes; at most {MAX_PAGE_BYTES:,} are read")
        for field in (5, 8):
            page = header.get(field)
            if isinstance(page, dict):
                values += _number(page, 1)
        size += unpacked
        at += length + packed
    if at != stop:
        raise PARQUET.unreadable("a page breaks off")
    return values, size


def _header(file: BinaryIO, at: int, stop: int) -> tuple[Fields, int]:
    most = _HEADER_BYTES
    while True:
        file.seek(at)
        data = file.read(min(most, stop - at))
        reader = _Compact(data)
        try:
            return reader.struct(0), reader.at
        except IndexError:
            # The statistics of a page may hold long texts.
            if len(data) < most or most >= _LARGEST_HEADER:
                raise PARQUET.unreadable("the head of a page breaks off") from None
            most *= 4


def _structs(of: Fields, field: int) -> list[Fields]:
    found = of.get(field, [])
    if not isinstance(found, list):
        raise PARQUET.unreadable("its footer is broken")
    return [one for one in found if isinstance(one, dict)]


def _number(of: Fields, field: int) -> int:
    found = of.get(field)
    if not isinstance(found, int) or found < 0:
        raise PARQUET.unreadable("its footer is broken")
    return found


class _Compact:
    """Reads Thrift's compact protocol. Raises IndexError where the bytes end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int) -> Fields:
        """The fields of a struct by their numbers."""
        if depth > _DEEPEST:
            raise PARQUET.unsafe("its footer is nested too deep")
        found: Fields = {}
        field = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            field = field + step if step else self._zigzag()
            found[field] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Thrift:  # noqa: PLR0911 - one for each type
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            # No item has less than a byte.
            if count > len(self._data) - self.at:
                raise IndexError
            item = head & 15
            return [
                self._byte() == _TRUE if item in (_TRUE, _FALSE) else self._value(item, depth) for _ in range(count)
            ]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind == _BYTE:
            return self._byte()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _MAP:
            return self._map(depth)
        raise PARQUET.unreadable("its footer is broken")

    def _map(self, depth: int) -> Thrift:
        count = self._varint()
        if count > len(self._data) - self.at:
            raise IndexError
        if count:
            kinds = self._byte()
            for _ in range(count):
                self._value(kinds >> 4, depth)
                self._value(kinds & 15, depth)
        return []

    def _byte(self) -> int:
        found = self._data[self.at]
        self.at += 1
        return found

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self.at:
            raise IndexError
        self.at += size
        return self._data[self.at - size : self.at]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return found
            if shift > 63:
                raise PARQUET.unreadable("its footer is broken")

    def _zigzag(self) -> int:
        found = self._varint()
        return (found >> 1) ^ -(found & 1)
