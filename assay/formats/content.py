"""What the bytes are, whatever the file is called."""

from __future__ import annotations

import codecs
import json
import re
from enum import Enum
from pathlib import Path, PurePath

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.limits import HEAD_BYTES
from assay.formats.packed.archive import members
from assay.formats.problems import shown, unreadable
from assay.formats.text.encoding import binary, wide
from assay.formats.workbook.check_ods import CONTENT, check_opendocument
from assay.formats.workbook.check_xls import check_xls
from assay.formats.workbook.check_xlsb import check_xlsb
from assay.formats.workbook.check_xlsx import BINARY_WORKBOOK, WORKBOOK, check_workbook, part_name
from assay.formats.workbook.compound import streams


class Format(Enum):
    """What the readers can read: tables, and what holds one."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    GZIP = "gzip"
    ZSTD = "zstd"
    ZIP = "zip"


WORKBOOKS = {Format.XLSX, Format.XLSB, Format.XLS, Format.ODS}
TABLE_ENDINGS = {".csv", ".tsv", ".txt", ".tab", ".json", ".ndjson", ".jsonl", ".parquet"} | {
    ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods",
}  # fmt: skip
"""How the name of a table may end."""

_PDF = b"%PDF-"
_MAGIC = {
    _PDF: "a PDF document",
    b"{\\rtf": "an RTF document",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG\r\n": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"Rar!\x1a": "a RAR archive",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
}
_PLAIN_MAGIC = {_PDF, b"{\\rtf"}
_PARQUET = b"PAR1"
_PACKED = {b"\x1f\x8b\x08": Format.GZIP, b"(\xb5/\xfd": Format.ZSTD}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TAR = (257, b"ustar")
_LINES = {".ndjson", ".jsonl", ".jsonlines"}
# Names that promise something else than a table in text; where the content is text all the same, it is seldom the table
# that was meant, but the message of a server that had nothing better, or a pointer to the file.
_OTHERS = {".pdf", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".zip", ".gz", ".zst", ".bz2", ".xz", ".7z"} | {
    ".rar", ".xlsb", ".ods", ".doc", ".docx", ".parquet", ".feather", ".arrow", ".h5", ".sqlite", ".exe",
}  # fmt: skip
_NO_TABLES = {".pdf", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".doc", ".docx", ".exe"}
_CONTROL = re.compile(rb"[\x00\x02-\x08\x0e-\x19\x1c-\x1e\x7f]")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|\?xml|svg)\b", re.IGNORECASE)
_SEND = "Send the table as CSV, TSV, XLSX, JSON or Parquet."


def recognise(source: Source) -> Format:
    """Say what the file is; a workbook has been looked through for what would harm its reader.

    Raises Unprocessable: empty_file, binary_content, unreadable_spreadsheet, unsafe_spreadsheet, spreadsheet_too_large,
    or extension_mismatch where the name promises something that is no table in this format.
    """
    head = read_head(source.path)
    extension = PurePath(source.filename).suffix.lower()
    if not head:
        raise Unprocessable("empty_file", "The file is empty (0 bytes).", "Send the file again with its content.")
    found = _binary_format(source, head)
    if found is not None:
        if extension in _NO_TABLES:
            raise _mismatch(extension, f"of the kind {found.value}")
        return found
    control = 0 if wide(head) else len(_CONTROL.findall(head))
    for magic, name in _MAGIC.items():
        # Some marks are plain letters, and a table may begin with them; a format's own file has control characters.
        if head.startswith(magic) and (control or magic in _PLAIN_MAGIC):
            raise Unprocessable("binary_content", f"The file is {name}, not a table.", _SEND)
    # A few of them are slips that the text can do without.
    if control * 200 > max(len(head), 2000):
        raise binary(f"{control:,} control characters among its first {len(head):,} bytes")
    text = head.removeprefix(codecs.BOM_UTF8)
    if not text.strip():
        raise Unprocessable("empty_file", "The file holds only blanks.", "Send the file again with its content.")
    if extension in _OTHERS:
        raise _mismatch(extension, "plain text")
    if _MARKUP.match(text):
        raise Unprocessable("binary_content", "The file is a web page or XML, not a table.", _SEND)
    return _json(text, extension) or Format.TEXT


def read_head(path: Path) -> bytes:
    """The first MiB of the file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _binary_format(source: Source, head: bytes) -> Format | None:
    for magic, found in _PACKED.items():
        if head.startswith(magic):
            return found
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(source)
    if head.startswith(_OLE):
        return _compound(source)
    if head.startswith(_PARQUET) and _CONTROL.search(head):
        return Format.PARQUET
    at, mark = _TAR
    if head.startswith(mark, at) and b"\x00" in head[:at]:
        raise Unprocessable("binary_content", "The file is a tar archive, not a table.", "Unpack it. " + _SEND)
    return None


def _zip(source: Source) -> Format:
    try:
        names = {part_name(info) for info in members(source.path)}
    except Unprocessable:
        if PurePath(source.filename).suffix.lower() in (".xlsx", ".xlsm", ".xlsb", ".ods"):
            raise
        return Format.ZIP  # which says of an archive what is wrong with it
    if WORKBOOK in names:
        check_workbook(source)
        return Format.XLSX
    if BINARY_WORKBOOK in names:
        check_xlsb(source)
        return Format.XLSB
    if CONTENT in names and "mimetype" in names:
        check_opendocument(source)
        return Format.ODS
    if names & {"word/document.xml", "ppt/presentation.xml"}:
        raise Unprocessable("binary_content", "The file is an Office document without a table.", _SEND)
    return Format.ZIP


def _compound(source: Source) -> Format:
    """An OLE2 compound file: a workbook of the years before 2007, an encrypted one of later, or another document."""
    names = set(streams(source.path))
    if "encryptedpackage" in names:
        raise unreadable("it is password protected")
    if not names & {"workbook", "book"}:
        raise Unprocessable("binary_content", "The file is an old Office document, and no workbook.", _SEND)
    check_xls(source)
    return Format.XLS


def _json(head: bytes, extension: str) -> Format | None:  # noqa: PLR0911 - one for each way to begin
    """JSON or NDJSON where the text begins as that and not only with a letter of it: `[id],[name]` is a header."""
    try:
        text = head.decode(wide(head) or "utf-8", "ignore").lstrip("\ufeff \t\r\n")
    except UnicodeError:
        return None
    if text[:1] not in ("{", "["):
        return None
    whole = len(head) < HEAD_BYTES - 4
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        return Format.JSON
    except json.JSONDecodeError as error:
        if whole and extension not in {".json", *_LINES}:
            # What breaks off, or has a slip far from its beginning, is broken JSON, and no other text.
            return Format.JSON if error.pos > len(text) // 2 and re.match(r'\[\s*[\[{]|\{\s*"', text) else None
        return Format.JSON if re.match(r'[\[{]\s*(?:["\[{\]}]|$)', text) or extension == ".json" else None
    rest = text[end:].lstrip()
    if isinstance(value, dict):
        return Format.NDJSON if rest[:1] == "{" or extension in _LINES else (None if rest else Format.JSON)
    if rest:
        return Format.NDJSON if rest[:1] == "[" else None
    return Format.JSON if extension == ".json" or any(isinstance(one, dict | list) for one in value) else None


def _mismatch(extension: str, content: str) -> Unprocessable:
    return Unprocessable(
        "extension_mismatch",
        f"The name ends in {shown(extension)}, but the content is {content}.",
        "Send the file that was meant; or, if this is the one, give it the ending that fits its content, such as .csv.",
    )
