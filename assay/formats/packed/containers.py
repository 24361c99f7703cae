"""gzip, Zstandard and ZIP archives: the table in them, unpacked to disk within bounds."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath

import zstandard
from pydantic import JsonValue

from assay.contract import Source
from assay.formats.archive import members
from assay.formats.archive import unpack as unpack_member
from assay.formats.limits import (
    HEAD_BYTES,
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_RATIO,
    MAX_WINDOW_BYTES,
    MIB,
    RATIO_FREE_BYTES,
)
from assay.formats.problems import ARCHIVE
from assay.formats.recognise import recognise
from assay.formats.registry import Tick, table_extensions

_MAGIC = {b"\x1f\x8b\x08": "gzip", b"(\xb5/\xfd": "zstd", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
_ENDINGS = {".gz", ".gzip", ".zst", ".zstd"}
# What stands beside data and tells about it, by the words in its name.
_ABOUT = re.compile(
    "licen[cs]es?|copying|copyright|notice|terms|disclaimer|citation|attribution|changelog|metadata|meta|codebook|"
    "dictionary|schema|datapackage|manifest|about|info|description|documentation|notes?|legend|checksums?|md5|sha[0-9]+"
)
_READ_ME = re.compile("[^a-z]*(?:read.?me|liesmich|lisez.?moi|leeme)")
_WORDS = re.compile("[^a-z0-9]+")
# Endings that texts of any kind have, and those of what is no table.
_ANY_TEXT = {".txt", ".json"}
_NO_TABLE = {
    ".md", ".rst", ".html", ".htm", ".xml", ".pdf", ".doc", ".docx", ".rtf", ".odt", ".png", ".jpg", ".jpeg", ".gif",
    ".py", ".r", ".ipynb", ".sql", ".sh", ".yml", ".yaml", ".names", ".prj", ".shp", ".shx", ".sbn", ".sbx", ".cpg",
}  # fmt: skip
_FRAME_PIECE = 1 << 10
_LISTED = 100


def kind_of(_source: Source, head: bytes) -> str | None:
    """Return gzip, zstd or zip, or None. A workbook, which is a ZIP archive too, has been claimed before."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def unpack(source: Source, kind: str, folder: Path, tick: Tick, head_only: bool) -> tuple[Source, dict[str, JsonValue]]:
    """Return the table in an archive as a file in `folder`, and what to say about the archive.

    Of a ZIP archive with several files the largest that is data by its name is taken. With `head_only`, as much of a
    text as a preview needs. Raises Unprocessable: unreadable_archive, unsafe_archive, archive_too_large.
    """
    facts: dict[str, JsonValue] = {"container": kind}
    path = folder / "unpacked"
    if kind == "zip":
        pieces, name, others = _choose(source)
        facts |= {"member": name, "members_not_read": list[JsonValue](others[:_LISTED])}
        if data := [other for other in others if _rank(other) > 1]:
            facts["data_not_read"] = list[JsonValue](data[:_LISTED])
    else:
        pieces = _gzip(source.path) if kind == "gzip" else _zstandard(source.path)
        name = source.filename
        if PurePath(name).suffix.lower() in _ENDINGS:
            name = PurePath(name).stem
    return _write(pieces, source, path, name, tick, head_only=head_only), facts


def _write(
    pieces: Iterable[bytes],
    source: Source,
    path: Path,
    name: str,
    tick: Tick,
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
                if recognise(replace(inner, size_bytes=size)).kind == "text":
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


def _choose(source: Source) -> tuple[Iterator[bytes], str, list[str]]:
    """Unpack the file that is data by its name, of several the largest; and name the others."""
    files = [info for info in members(source.path, ARCHIVE) if not info.is_dir() and not _hidden(info.filename)]
    if not files:
        raise ARCHIVE.unreadable("there is no file in it")
    chosen = max(files, key=lambda info: (_rank(info.filename), info.file_size))
    if chosen.file_size > MAX_ARCHIVE_BYTES:
        raise ARCHIVE.too_large(f"it unpacks to {chosen.file_size:,} bytes; at most {MAX_ARCHIVE_BYTES:,} are taken")

    def pieces() -> Iterator[bytes]:
        with source.path.open("rb") as file:
            yield from unpack_member(file, chosen, ARCHIVE)

    return pieces(), chosen.filename, [info.filename for info in files if info is not chosen]


def _rank(name: str) -> int:
    """How much a file's name speaks for data: 3 where it ends like a table, 1 where it tells about data, 0 for none."""
    path = PurePosixPath(name.replace("\\", "/").lower())
    if path.suffix in _NO_TABLE:
        return 0
    # Its first word or its last: `Metadata_Country.csv`, `data.csv-metadata.json`, `terms of use.txt`.
    words = _WORDS.split(path.stem)
    if _READ_ME.match(path.name) or _ABOUT.fullmatch(words[0]) or _ABOUT.fullmatch(words[-1]):
        return 1
    return 3 if path.suffix in table_extensions() - _ANY_TEXT else 2


def _hidden(name: str) -> bool:
    """Whether a file is what macOS and others add beside those that were meant."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() == "thumbs.db"
