"""ZIP archives, unpacked within bounds whatever their directory claims."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from os import SEEK_CUR
from pathlib import Path
from typing import BinaryIO

from assay.formats.limits import MAX_DIRECTORY_BYTES, MAX_MEMBERS, MIB
from assay.formats.problems import WORKBOOK, Packed

# Records of APPNOTE.TXT, PKWARE's specification of ZIP: 4.3.16, 4.3.15, 4.3.14 and 4.3.7.
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_FULL = (0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
_ENCRYPTED = 1
_UNICODE_PATH = 0x7075
_RAW_DEFLATE = -zlib.MAX_WBITS


def members(path: Path, kind: Packed = WORKBOOK) -> list[zipfile.ZipInfo]:
    """List the archive's members, having made sure that every program reads the same list from it.

    `kind` says what it is to whom. Raises Unprocessable: spreadsheet_too_large, unsafe_spreadsheet,
    unreadable_spreadsheet, or the like of an archive.
    """
    directory_at = _check_end(path, kind)
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
            begins_at = archive.start_dir
    # For a broken directory, zipfile raises its own error or lets those of its parts through. It raises
    # NotImplementedError for an archive that needs a later version of the format.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise kind.unreadable(f"its ZIP container is broken ({type(error).__name__})") from error
    if not found:
        raise kind.unreadable("there is nothing in it")
    names = {info.filename.replace("\\", "/").casefold() for info in found}
    if begins_at != directory_at or len(names) < len(found) or any(_second_name(info.extra) for info in found):
        raise kind.unsafe("its ZIP directory can be read in two ways")
    if any(info.flag_bits & _ENCRYPTED for info in found):
        raise kind.unreadable("it is password protected")
    placed = sorted(found, key=lambda info: info.header_offset)
    starts = [info.header_offset for info in placed]
    ends = [info.header_offset + _LOCAL.size + info.compress_size for info in placed]
    if any(end > start for end, start in zip(ends, [*starts[1:], directory_at], strict=True)):
        raise kind.unsafe("parts of its ZIP container lie over one another")
    return found


def unpack(file: BinaryIO, info: zipfile.ZipInfo, kind: Packed = WORKBOOK) -> Iterator[bytes]:
    """Unpack one member in pieces of at most a MiB, and never more of it than the directory claims.

    Raises Unprocessable: unsafe_spreadsheet where there is more, unreadable_spreadsheet where it is damaged, or the
    like of an archive.
    """
    file.seek(info.header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise kind.unreadable("its ZIP container is broken")
    *_, name_bytes, extra_bytes = _LOCAL.unpack(header)
    file.seek(name_bytes + extra_bytes, SEEK_CUR)
    size = checksum = 0
    for piece in _pieces(file, info, kind):
        size += len(piece)
        if size > info.file_size:
            raise kind.unsafe(f"a part of it unpacks to more than the {info.file_size:,} bytes that it claims")
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if size < info.file_size or checksum != info.CRC:
        raise kind.unreadable("its ZIP container is damaged")


def _second_name(extra: bytes) -> bool:
    """Whether extra fields (APPNOTE 4.5.1) hold a name of their own, which some programs go by and others do not."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == _UNICODE_PATH:
            return True
        extra = extra[4 + size :]
    return False


def _pieces(file: BinaryIO, info: zipfile.ZipInfo, kind: Packed) -> Iterator[bytes]:
    left = info.compress_size
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    while left and (packed := file.read(min(left, MIB))):
        left -= len(packed)
        if info.compress_type == zipfile.ZIP_STORED:
            yield packed
            continue
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise kind.unreadable(f"a part of it is packed by method {info.compress_type}, which is not read")
        while packed:
            try:
                piece = inflater.decompress(packed, MIB)
            except zlib.error as error:
                raise kind.unreadable("its ZIP container is damaged") from error
            if piece:
                yield piece
            packed = inflater.unconsumed_tail


def _check_end(path: Path, kind: Packed) -> int:
    """Return where the directory begins, having looked at nothing but the record at the archive's very end.

    Python and the reader look for that record each in its own way, so it must be there for both: the last of its kind,
    with nothing behind it, right behind the directory, and with the same figures in its two forms.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        base = max(0, size - _END.size - _LONGEST_COMMENT - _LOCATOR.size - _END_64.size)
        file.seek(base)
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise kind.unreadable("its ZIP container is broken: the end is missing")
    count: int
    directory_bytes: int
    directory_at: int
    *_, count, directory_bytes, directory_at, comment_bytes = _END.unpack_from(tail, at)
    if at + _END.size + comment_bytes != len(tail):
        raise kind.unsafe("its ZIP container does not end where it says")
    figures = (count, directory_bytes, directory_at)
    locator_at = at - _LOCATOR.size
    if locator_at >= 0 and tail.startswith(b"PK\x06\x07", locator_at):
        at = locator_at - _END_64.size
        if at < 0 or not tail.startswith(b"PK\x06\x06", at) or _LOCATOR.unpack_from(tail, locator_at)[2] != base + at:
            raise kind.unsafe("its ZIP directory can be read in two ways")
        figures_64 = _END_64.unpack_from(tail, at)[-3:]
        if any(one not in (two, full) for one, two, full in zip(figures, figures_64, _FULL, strict=True)):
            raise kind.unsafe("its ZIP directory can be read in two ways")
        count, directory_bytes, directory_at = figures_64
    if count > MAX_MEMBERS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise kind.too_large(f"it has {count:,} parts; at most {MAX_MEMBERS:,} are taken")
    if directory_at + directory_bytes != base + at:
        raise kind.unsafe("its ZIP directory does not stand where it says")
    return directory_at
