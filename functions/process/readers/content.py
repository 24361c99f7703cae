"""What the bytes are, whatever the file is called."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePath

from charset_normalizer import from_bytes

from functions.process.pipelines.contract import Source
from functions.process.readers.archive import members
from functions.process.readers.limits import HEAD_BYTES, MAX_LINE_BYTES
from functions.process.readers.problems import line_too_long, shown, unreadable
from functions.process.readers.scan import Runs
from functions.process.readers.workbook import WORKBOOK, check_workbook, part_name
from shared.errors import Unprocessable

_CHUNK = 1 << 22
_SAMPLE = 1 << 16

_PDF = b"%PDF-"
_MAGIC = {
    _PDF: "a PDF document",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG\r\n": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"Rar!\x1a": "a RAR archive",
    b"(\xb5/\xfd": "a Zstandard archive",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SHEETS = {".xlsx", ".xlsm"}
_TEXTS = {"", ".csv", ".tsv", ".txt", ".tab"}
# Names that promise something else than a table in text.
_OTHERS = {".pdf", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".zip", ".gz", ".bz2", ".xz", ".7z", ".rar"} | {
    ".xls", ".xlsb", ".ods", ".doc", ".docx", ".parquet", ".feather", ".h5", ".sqlite", ".exe",
}  # fmt: skip
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1e\x7f]")
_SEND = "Send the table as CSV, TSV or XLSX."


class Kind(Enum):
    """What the readers can read."""

    TEXT = "text"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Bytes:
    """What one pass over a text file's bytes found; `lines` counts line feeds, and one for what follows the last."""

    lines: int
    bad_utf8_at: int | None
    has_quotes: bool
    has_lone_cr: bool


def recognise(source: Source) -> Kind:
    """Say how to read the file.

    Raises Unprocessable: empty_file, binary_content, unreadable_spreadsheet, or extension_mismatch where the name
    promises another format.
    """
    head = read_head(source.path)
    extension = PurePath(source.filename).suffix.lower()
    if not head:
        raise Unprocessable("empty_file", "The file is empty (0 bytes).", "Send the file again with its content.")
    if head.startswith(b"PK\x03\x04"):
        return _zip(source, extension)
    if head.startswith(_OLE):
        raise _compound(source.path, extension)
    control = 0 if utf16(head) else len(_CONTROL.findall(head))
    for magic, name in _MAGIC.items():
        # Some marks are plain letters, and a table may begin with them; a format's own file has control characters.
        if head.startswith(magic) and (control or magic == _PDF):
            raise Unprocessable("binary_content", f"The file is {name}, not a table.", _SEND)
    if control * 200 > len(head) or (control and b"\x00" in head):
        raise _binary(f"{control:,} control characters among its first {len(head):,} bytes")
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        raise Unprocessable("empty_file", "The file holds only blanks.", "Send the file again with its content.")
    if extension in _SHEETS or extension in _OTHERS:
        raise Unprocessable(
            "extension_mismatch",
            f"The name ends in {extension}, but the content is plain text.",
            "Give the file the ending that fits its content (.csv, .tsv or .txt), or send the file that was meant.",
        )
    return Kind.TEXT


def read_head(path: Path) -> bytes:
    """The first MiB of the file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def utf16(head: bytes) -> str | None:
    """`utf-16` where a byte order mark says so. UTF-32 is not read: its mark begins as that of UTF-16 does."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not head.startswith(codecs.BOM_UTF32_LE):
        return "utf-16"
    return None


def look_through(path: Path) -> Bytes:
    """Read all bytes once. Raises Unprocessable: binary_content for a NUL byte, line_too_long."""
    runs = Runs((b"\n", b"\r"), MAX_LINE_BYTES)
    lines = 1
    decoder = codecs.getincrementaldecoder("utf-8")()
    bad_at: int | None = None
    quotes = lone_cr = ends_in_cr = False
    at = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if (nul := chunk.find(b"\x00")) >= 0:
                raise _binary(f"a NUL byte at {at + nul:,}")
            if (begun := runs.feed(chunk)) is not None:
                raise line_too_long(f"The line that begins at byte {begun:,}", MAX_LINE_BYTES)
            lines += chunk.count(b"\n")
            quotes = quotes or b'"' in chunk
            if b"\r" in chunk or ends_in_cr:
                text = b"\r" + chunk if ends_in_cr else chunk
                ends_in_cr = text.endswith(b"\r")
                lone_cr = lone_cr or text.count(b"\r") - ends_in_cr > text.count(b"\r\n")
            if bad_at is None:
                pending = len(decoder.getstate()[0])
                if pending or not chunk.isascii():
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError as error:
                        bad_at = at - pending + error.start
            at += len(chunk)
    if bad_at is None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            bad_at = at - 1
    return Bytes(lines, bad_at, quotes, lone_cr or ends_in_cr)


def encoding_of(path: Path, bad_utf8_at: int) -> str:
    """The encoding of a text that is not UTF-8: cp1252 or latin_1. Raises Unprocessable unknown_encoding."""
    with path.open("rb") as file:
        file.seek(max(0, bad_utf8_at - _SAMPLE // 2))
        sample = file.read(_SAMPLE)
    # A sample that starts within a character would count as broken UTF-8.
    sample = sample.lstrip(bytes(range(0x80, 0xC0))) if bad_utf8_at > _SAMPLE // 2 else sample
    read = sample.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= char <= "\udcff" for char in read)
    if sum(char > "\x7f" for char in read) - broken >= max(broken, 1):
        raise _unknown(f"is mostly UTF-8, but broken at byte {bad_utf8_at:,}")
    found = from_bytes(sample, cp_isolation=["cp1252", "latin_1"]).best()
    if found is None:
        raise _unknown(f"is neither UTF-8 (byte {bad_utf8_at:,}) nor Windows-1252 nor Latin-1")
    return found.encoding


def decode_problem(encoding: str, error: UnicodeError) -> Unprocessable:
    """The problem of a text that breaks off its own encoding."""
    return _unknown(f"begins as {encoding}, but can't be read as that to its end ({error})")


def _zip(source: Source, extension: str) -> Kind:
    try:
        names = {part_name(info) for info in members(source.path)}
    except Unprocessable as problem:
        if extension in _SHEETS:
            raise
        raise Unprocessable(
            "binary_content", "The file is a ZIP archive, and none that can be read.", _SEND
        ) from problem
    if WORKBOOK not in names:
        if extension in _SHEETS:
            raise unreadable("it is a ZIP archive without a workbook in it")
        code = "extension_mismatch" if extension in _TEXTS - {""} else "binary_content"
        raise Unprocessable(
            code,
            f"The name ends in {shown(extension) or 'nothing'}, but the content is a ZIP archive.",
            "Unpack it. " + _SEND,
        )
    if extension in _TEXTS - {""} or extension in _OTHERS:
        raise Unprocessable(
            "extension_mismatch",
            f"The name ends in {extension}, but the content is an XLSX workbook.",
            "Give the file the ending .xlsx, or send the file that was meant.",
        )
    check_workbook(source)
    return Kind.XLSX


def _compound(path: Path, extension: str) -> Unprocessable:
    """The problem of an OLE2 compound file: an encrypted workbook, or a document of the years before 2007."""
    with path.open("rb") as file:
        content = file.read(16 * HEAD_BYTES)
    if extension in _SHEETS or "EncryptedPackage".encode("utf-16-le") in content:
        return unreadable("it is password protected or an old Excel workbook (.xls)")
    return Unprocessable("binary_content", "The file is an old Office document, such as .xls.", "Save it as XLSX.")


def _binary(what: str) -> Unprocessable:
    return Unprocessable("binary_content", f"The file is not text and no known kind of table: it has {what}.", _SEND)


def _unknown(what: str) -> Unprocessable:
    return Unprocessable("unknown_encoding", f"The text {what}.", "Save the file as UTF-8 and send it again.")
