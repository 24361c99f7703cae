"""What the bytes are, whatever the file is called."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePath

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.head import control_characters, read_head, wide
from assay.formats.problems import binary, no_table, shown
from assay.formats.registry import Container, Format, formats

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
_TAR = (257, b"ustar")
# Names that promise something else than a table in text; where the content is text all the same, it is seldom the table
# that was meant, but the message of a server that had nothing better, or a pointer to the file.
_OTHERS = {".pdf", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".zip", ".gz", ".zst", ".bz2", ".xz", ".7z"} | {
    ".rar", ".xlsb", ".ods", ".doc", ".docx", ".parquet", ".feather", ".arrow", ".h5", ".sqlite", ".exe",
}  # fmt: skip
_NO_TABLES = {".pdf", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".doc", ".docx", ".exe"}
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|\?xml|svg)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Recognised:
    """What a file is: the format that reads it, or the container that unpacks it, and the kind of it, such as xlsx."""

    format: Format | Container
    kind: str


def recognise(source: Source) -> Recognised:
    """Say what the file is; a workbook has been looked through for what would harm its reader.

    Raises Unprocessable: empty_file, binary_content, extension_mismatch where the name promises something that is no
    table in this format, and what the formats raise.
    """
    head = read_head(source.path)
    extension = PurePath(source.filename).suffix.lower()
    if not head:
        raise Unprocessable("empty_file", "The file is empty (0 bytes).", "Send the file again with its content.")
    recognised = _asked(source, head, is_text=False)
    if recognised is not None:
        if extension in _NO_TABLES:
            raise _mismatch(extension, f"of the kind {recognised.kind}")
        return recognised
    _require_text(head, extension)
    recognised = _asked(source, head, is_text=True)
    if recognised is None:
        raise binary("a content that no format takes")
    return recognised


def _asked(source: Source, head: bytes, *, is_text: bool) -> Recognised | None:
    for each in formats():
        if each.is_text is is_text and (kind := each.claims(source, head)) is not None:
            return Recognised(each, kind)
    return None


def _require_text(head: bytes, extension: str) -> None:
    at, mark = _TAR
    if head.startswith(mark, at) and b"\x00" in head[:at]:
        raise no_table("a tar archive, not a table", "Unpack it.")
    control = 0 if wide(head) else control_characters(head)
    for magic, name in _MAGIC.items():
        # Some marks are plain letters, and a table may begin with them; a format's own file has control characters.
        if head.startswith(magic) and (control or magic in _PLAIN_MAGIC):
            raise no_table(f"{name}, not a table")
    # A few of them are slips that the text can do without.
    if control * 200 > max(len(head), 2000):
        raise binary(f"{control:,} control characters among its first {len(head):,} bytes")
    text = head.removeprefix(codecs.BOM_UTF8)
    if not text.strip():
        raise Unprocessable("empty_file", "The file holds only blanks.", "Send the file again with its content.")
    if extension in _OTHERS:
        raise _mismatch(extension, "plain text")
    if _MARKUP.match(text):
        raise no_table("a web page or XML, not a table")


def _mismatch(extension: str, content: str) -> Unprocessable:
    return Unprocessable(
        "extension_mismatch",
        f"The name ends in {shown(extension)}, but the content is {content}.",
        "Send the file that was meant; or, if this is the one, give it the ending that fits its content, such as .csv.",
    )
