"""Looks through the records of an XLSB workbook before a reader opens it: the grids that its cells span.

Source of the form: [MS-XLSB] 2.1.4 (records), 2.4.301 (BrtBundleSh), 2.4.741 (BrtRowHdr), 2.5.9 (Cell).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache

from assay.contract import Source
from assay.formats.archive import members
from assay.formats.limits import MAX_OTHER_CELLS, MAX_SHEETS, MAX_TEXT_BYTES
from assay.formats.problems import shown, too_large, unreadable, unsafe
from assay.formats.workbook.check_xlsx import BINARY_WORKBOOK, ROOT_RELATIONS, Parts, part_name

_RELATIONS = "xl/_rels/workbook.bin.rels"
_SHARED = "xl/sharedstrings.bin"
_ROW, _FIRST_CELL, _LAST_CELL, _SHARED_CELL = 0, 1, 11, 7
_TEXT = 19
_SHEET = 156
# No record is longer than a cell's text in two bytes a character, with what is drawn into it.
_LONGEST = 1 << 22
_NUMBER = struct.Struct("<L")


# Asked for each time that the file at hand is opened.
@lru_cache(maxsize=1)
def check_xlsb(source: Source) -> None:
    """Look through every sheet, unpacking it piece by piece and keeping none of it.

    Raises Unprocessable: spreadsheet_too_large, unsafe_spreadsheet, unreadable_spreadsheet.
    """
    with source.path.open("rb") as file:
        parts = Parts(file, {part_name(info): info for info in members(source.path)}, (".bin", ".rels"), "xl/")
        parts.check_sizes(_SHARED)
        _check_sheets(parts)


def _check_sheets(parts: Parts) -> None:
    for _, kind, target in parts.relations(ROOT_RELATIONS):
        if kind.endswith("/officeDocument") and target.removeprefix("/") != BINARY_WORKBOOK:
            raise unsafe("it is a workbook besides the one in its place")
    targets = {relation: target for relation, _, target in parts.relations(_RELATIONS)}
    found: set[str] = set()
    for name, relation in _sheets(parts):
        target = targets.get(relation, "")
        part = f"xl/{target.removeprefix('/').removeprefix('xl/')}"
        if not target.endswith(".bin") or ".." in target or part in found or part not in parts.names:
            raise unsafe(f"its sheet {shown(name)} stands where no sheet does")
        found.add(part)
    texts = [size for kind, size, _ in _records(parts.raw(_SHARED)) if kind == _TEXT] if _SHARED in parts.names else []
    cells = size = 0
    for part in sorted(found):
        rows, columns, shared = _grid(_records(parts.raw(part)), texts)
        cells, size = cells + rows * columns, size + shared
        if cells > MAX_OTHER_CELLS:
            raise too_large(
                f"its sheets have {cells:,} cells, blank ones counted; at most {MAX_OTHER_CELLS:,} are read"
            )
        if size > MAX_TEXT_BYTES:
            raise too_large(
                f"its texts have {size:,} bytes, each cell with its own; at most {MAX_TEXT_BYTES:,} are read"
            )


def _sheets(parts: Parts) -> list[tuple[str, str]]:
    """The name and the relation of each sheet."""
    found = []
    for kind, _, data in _records(parts.raw(BINARY_WORKBOOK), keep=_SHEET):
        if kind == _SHEET:
            relation, rest = _text(data[8:])
            found.append((_text(rest)[0], relation))
            if len(found) > MAX_SHEETS:
                raise too_large(f"it has more than {MAX_SHEETS:,} sheets")
    return found


def _text(data: bytes) -> tuple[str, bytes]:
    if len(data) < 4:
        raise unreadable("the name of a sheet is broken")
    size = 4 + 2 * _NUMBER.unpack_from(data)[0]
    return data[4:size].decode("utf-16-le", "replace"), data[size:]


def _grid(records: Iterable[tuple[int, int, bytes]], texts: list[int]) -> tuple[int, int, int]:
    """Rows and columns from A1 on, and the bytes of the texts that the cells share."""
    rows = columns = row = shared = 0
    for kind, _, data in records:
        if kind == _ROW and len(data) >= 4:
            row = _NUMBER.unpack_from(data)[0] + 1
        elif _FIRST_CELL <= kind <= _LAST_CELL and len(data) >= 4:
            rows, columns = max(rows, row), max(columns, _NUMBER.unpack_from(data)[0] + 1)
            if kind == _SHARED_CELL and len(data) >= 12:
                at = _NUMBER.unpack_from(data, 8)[0]
                shared += texts[at] if at < len(texts) else 0
    return rows, columns, shared


def _records(pieces: Iterable[bytes], keep: int = -1) -> Iterator[tuple[int, int, bytes]]:
    """Each record's type and size, and its first 12 bytes (or all of them, for the type to `keep`)."""
    buffer, at, ended = b"", 0, False
    source = iter(pieces)
    while True:
        if not ended and len(buffer) - at < _LONGEST:
            more = next(source, b"")
            ended = not more
            buffer, at = buffer[at:] + more, 0
            continue
        if at >= len(buffer):
            return
        end = len(buffer)
        kind, at = buffer[at], at + 1
        if kind & 0x80 and at < end:
            kind, at = (kind & 0x7F) | (buffer[at] & 0x7F) << 7, at + 1
        size = shift = 0
        while at < end and shift < 28:
            byte, at = buffer[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if at + size > end:
            raise unreadable("one of its records breaks off, or is longer than any")
        yield kind, size, buffer[at : at + (size if kind == keep else min(size, 12))]
        at += size
