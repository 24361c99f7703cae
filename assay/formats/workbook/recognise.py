"""Which kind of workbook is a file? One that is taken has been looked through for what would harm its reader."""

from __future__ import annotations

from pathlib import PurePath

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.archive import members
from assay.formats.problems import no_table, unreadable
from assay.formats.workbook.check_ods import CONTENT, check_opendocument
from assay.formats.workbook.check_xls import check_xls
from assay.formats.workbook.check_xlsb import check_xlsb
from assay.formats.workbook.check_xlsx import BINARY_WORKBOOK, WORKBOOK, check_workbook, part_name
from assay.formats.workbook.compound import streams

EXTENSIONS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(source: Source, head: bytes) -> str | None:
    """Return xlsx, xlsb, xls or ods, or None for anything else.

    Raises Unprocessable: binary_content for another Office document, unreadable_spreadsheet, unsafe_spreadsheet,
    spreadsheet_too_large.
    """
    if head.startswith(_ZIP):
        return _zip(source)
    return _compound(source) if head.startswith(_OLE) else None


def _zip(source: Source) -> str | None:
    try:
        names = {part_name(info) for info in members(source.path)}
    except Unprocessable:
        if PurePath(source.filename).suffix.lower() in EXTENSIONS - {".xls"}:
            raise
        return None  # who unpacks archives says what is wrong with it
    if WORKBOOK in names:
        check_workbook(source)
        return "xlsx"
    if BINARY_WORKBOOK in names:
        check_xlsb(source)
        return "xlsb"
    if CONTENT in names and "mimetype" in names:
        check_opendocument(source)
        return "ods"
    if names & {"word/document.xml", "ppt/presentation.xml"}:
        raise no_table("an Office document without a table")
    return None


def _compound(source: Source) -> str:
    """An OLE2 compound file: a workbook of the years before 2007, an encrypted one of later, or another document."""
    names = set(streams(source.path))
    if "encryptedpackage" in names:
        raise unreadable("it is password protected")
    if not names & {"workbook", "book"}:
        raise no_table("an old Office document, and no workbook")
    check_xls(source)
    return "xls"
