"""gzip, Zstandard and ZIP archives: the table in them, unpacked to disk within bounds."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

import zstandard
from pydantic import JsonValue

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.content import TABLE_ENDINGS, Format, recognise
from assay.formats.limits import (
    HEAD_BYTES,
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_RATIO,
    MAX_WINDOW_BYTES,
    MIB,
    RATIO_FREE_BYTES,
)
from assay.formats.packed.archive import members, unpack
from assay.formats.problems import ARCHIVE

_PACKED = {Format.GZIP, Format.ZSTD, Format.ZIP}
_ENDINGS = {".gz", ".gzip", ".zst", ".zstd"}
_FRAME_PIECE = 1 << 10
_LISTED = 100


def unpacked(
    source: Source, folder: Path, tick: Callable[[float], None], *, head_only: bool = False
) -> tuple[Source, Format, dict[str, JsonValue]]:
    """The table in an archive as a file in `folder`, its format, and what to say about the archive; or `source` itself.

    Of a ZIP archive with several files the largest table is taken. With `head_only`, as much of a text as a preview
    needs. Raises Unprocessable: unreadable_archive, unsafe_archive, archive_too_large, nested_archive, and what
    `recognise` raises.
    """
    form = recognise(source)
    if form not in _PACKED:
        return source, form, {}
    facts: dict[str, JsonValue] = {"container": form.value}
    path = folder / "unpacked"
    if form is Format.ZIP:
        pieces, name, others = _largest(source)
        facts |= {"member": name, "members_not_read": list[JsonValue](others[:_LISTED])}
    else:
        pieces = _gzip(source.path) if form is Format.GZIP else _zstandard(source.path)
        name = source.filename
        if PurePath(name).suffix.lower() in _ENDINGS:
            name = PurePath(name).stem
    inner = _write(pieces, source, path, name, tick, head_only=head_only)
    found = recognise(inner)
    if found in _PACKED:
        raise Unprocessable(
            "nested_archive",
            f"The {form.value} archive holds another archive ({found.value}), which is not unpacked.",
            "Unpack it and send the table that is in it.",
        )
    return inner, found, facts


def _write(
    pieces: Iterable[bytes],
    source: Source,
    path: Path,
    name: str,
    tick: Callable[[float], None],
    *,
    head_only: bool,
) -> Source:
    size = 0
    inner = replace(source, path=path, filename=name)
    checked = not head_only
    with path.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MAX_ARCHIVE_BYTES:
                raise ARCHIVE.too_large(f"it unpacks to {size:,} bytes or more; at most {MAX_ARCHIVE_BYTES:,} are read")
            if size > RATIO_FREE_BYTES and size > MAX_ARCHIVE_RATIO * source.size_bytes:
                raise ARCHIVE.unsafe(
                    f"its {source.size_bytes:,} bytes unpack to {size:,} bytes, over {MAX_ARCHIVE_RATIO} times as much"
                )
            file.write(piece)
            if not checked and size > 2 * HEAD_BYTES:
                checked = True
                file.flush()
                if recognise(replace(inner, size_bytes=size)) is Format.TEXT:
                    break
            tick(0.0)
    return replace(inner, size_bytes=size)


def _gzip(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            while piece := file.read(MIB):
                yield piece
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ARCHIVE.unreadable(f"its gzip stream is broken ({type(error).__name__})") from error


def _zstandard(path: Path) -> Iterator[bytes]:
    made = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    frame = made.decompressobj()
    begun = False
    try:
        with path.open("rb") as file:
            # A block of 4 bytes may stand for 128 KiB: fed by the KiB, no piece has more than 32 MiB.
            while packed := file.read(_FRAME_PIECE):
                while packed:
                    begun = True
                    if piece := frame.decompress(packed):
                        yield piece
                    packed = frame.unused_data if frame.eof else b""
                    if frame.eof:
                        frame, begun = made.decompressobj(), False
    except zstandard.ZstdError as error:
        raise ARCHIVE.unreadable(f"its Zstandard stream is broken ({error})") from error
    if begun:
        raise ARCHIVE.unreadable("its Zstandard stream breaks off")


def _largest(source: Source) -> tuple[Iterator[bytes], str, list[str]]:
    """Unpack the largest file that is called like a table, or else the largest; and name the others."""
    files = [info for info in members(source.path, ARCHIVE) if not info.is_dir() and not _hidden(info.filename)]
    if not files:
        raise ARCHIVE.unreadable("there is no file in it")
    tables = [info for info in files if PurePosixPath(info.filename).suffix.lower() in TABLE_ENDINGS] or files
    chosen = max(tables, key=lambda info: info.file_size)
    if chosen.file_size > MAX_ARCHIVE_BYTES:
        raise ARCHIVE.too_large(f"it unpacks to {chosen.file_size:,} bytes; at most {MAX_ARCHIVE_BYTES:,} are taken")

    def pieces() -> Iterator[bytes]:
        with source.path.open("rb") as file:
            yield from unpack(file, chosen, ARCHIVE)

    return pieces(), chosen.filename, [info.filename for info in files if info is not chosen]


def _hidden(name: str) -> bool:
    """Whether a file is what macOS and others add beside those that were meant."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() == "thumbs.db"
