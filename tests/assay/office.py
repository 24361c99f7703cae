"""Workbooks of the formats that no library here writes: XLS, XLSB and ODS, with just what a reader needs."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Cell = str | float | None
Rows = Sequence[Sequence[Cell]]

ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return file.getvalue()


def ods(sheets: Mapping[str, str]) -> bytes:
    """An ODS of these tables, each the XML of its rows."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    tables = "".join(f"<table:table table:name={quoteattr(name)}>{rows}</table:table>" for name, rows in sheets.items())
    content = f"<office:spreadsheet{names}>{tables}</office:spreadsheet>"
    return archive({"mimetype": ODS_TYPE, "META-INF/manifest.xml": "<manifest/>", "content.xml": content})


def ods_rows(rows: Rows) -> str:
    return "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)


def ods_cell(value: Cell, more: str = "") -> str:
    if value is None:
        return f"<table:table-cell{more}/>"
    kind = "string" if isinstance(value, str) else f'float" office:value="{value!r}'
    return (
        f'<table:table-cell{more} office:value-type="{kind}"><text:p>{escape(str(value))}</text:p></table:table-cell>'
    )


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(data)) + data


def xls_cells(rows: Rows) -> bytes:
    """The records of cells: numbers, and labels with their own text."""
    found = b""
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            place = struct.pack("<3H", row, column, 0)
            if isinstance(value, str):
                found += _record(0x0204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
            elif value is not None:
                found += _record(0x0203, place + struct.pack("<d", value))
    return found


def xls(sheets: Mapping[str, bytes], shared: bytes = b"") -> bytes:
    """An XLS of these sheets, each the records of its cells; `shared` are records of the workbook as a whole."""
    begin = _record(0x0809, struct.pack("<4H2L", 0x0600, 0x0005, 0, 0, 0, 0))
    inner = _record(0x0809, struct.pack("<4H2L", 0x0600, 0x0010, 0, 0, 0, 0))
    end = _record(0x000A)
    length = len(begin) + len(shared) + len(end) + sum(12 + len(name) for name in sheets)
    bounds, bodies = b"", b""
    for name, cells in sheets.items():
        data = struct.pack("<LHBB", length + len(bodies), 0, len(name), 0) + name.encode("ascii")
        bounds += _record(0x0085, data)
        bodies += inner + cells + end
    return compound({"Workbook": (begin + bounds + shared + end + bodies).ljust(4096, b"\0")})


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE2 compound file of streams that are 4,096 bytes or longer."""
    sectors: list[bytes] = []
    fat: list[int] = []
    entries = [_entry("Root Entry", 5, 0xFFFF_FFFE, 0, child=1)]
    for number, (name, data) in enumerate(streams.items(), start=1):
        start = len(sectors)
        pieces = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        sectors += pieces
        fat += [*range(start + 1, start + len(pieces)), 0xFFFF_FFFE]
        following = number + 1 if number < len(streams) else 0xFFFF_FFFF
        entries.append(_entry(name, 2, start, len(data), right=following))
    directory = b"".join(entries).ljust(-(-len(entries) // 4) * 512, b"\0")
    first = len(sectors)
    sectors += [directory[at : at + 512] for at in range(0, len(directory), 512)]
    fat += [*range(first + 1, len(sectors)), 0xFFFF_FFFE]
    count = -(-(len(fat) + 1) // 127)
    places = range(len(sectors), len(sectors) + count)
    fat += [0xFFFF_FFFD] * count
    table = b"".join(struct.pack("<L", one) for one in fat).ljust(count * 512, b"\xff")
    head = struct.pack("<8s16s5H6x9L", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
                       0, count, first, 0, 4096, 0xFFFF_FFFE, 0, 0xFFFF_FFFE, 0)  # fmt: skip
    head += b"".join(struct.pack("<L", place) for place in places)
    return head.ljust(512, b"\xff") + b"".join(sectors) + table


def _entry(name: str, kind: int, start: int, size: int, *, right: int = 0xFFFF_FFFF, child: int = 0xFFFF_FFFF) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<HBB3L", len(text) + 2, kind, 1, 0xFFFF_FFFF, right, child)
    return head.ljust(116, b"\0") + struct.pack("<LQ", start, size)


def xlsb_record(kind: int, data: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, left = b"", len(data)
    while left > 127:
        size, left = size + bytes([left & 0x7F | 0x80]), left >> 7
    return number + size + bytes([left]) + data


def xlsb_cells(rows: Rows) -> bytes:
    """The records of rows and their cells: numbers, and texts of their own."""
    found = b""
    for row, cells in enumerate(rows):
        found += xlsb_row(row)
        for column, value in enumerate(cells):
            place = struct.pack("<2L", column, 0)
            if isinstance(value, str):
                found += xlsb_record(6, place + _wide(value))
            elif value is not None:
                found += xlsb_record(5, place + struct.pack("<d", value))
    return found


def xlsb_row(row: int) -> bytes:
    return xlsb_record(0, struct.pack("<L", row) + bytes(13))


def xlsb(sheets: Mapping[str, bytes], **more: str | bytes) -> bytes:
    """An XLSB of these sheets, each the records of its rows."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"

    def relations(targets: Sequence[tuple[str, str]]) -> str:
        inner = "".join(
            f'<Relationship Id="rId{at}" Type="{office}/{kind}" Target="{target}"/>'
            for at, (kind, target) in enumerate(targets, start=1)
        )
        return f'<Relationships xmlns="{package}">{inner}</Relationships>'

    bundles = b"".join(
        xlsb_record(156, struct.pack("<2L", 0, at) + _wide(f"rId{at}") + _wide(name))
        for at, name in enumerate(sheets, start=1)
    )
    targets = [("worksheet", f"worksheets/sheet{at}.bin") for at in range(1, len(sheets) + 1)]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations([("officeDocument", "xl/workbook.bin")]),
        "xl/workbook.bin": xlsb_record(131) + xlsb_record(143) + bundles + xlsb_record(144) + xlsb_record(132),
        "xl/_rels/workbook.bin.rels": relations(targets),
    }  # fmt: skip
    for at, cells in enumerate(sheets.values(), start=1):
        size = xlsb_record(148, struct.pack("<4L", 0, 9, 0, 9))
        parts[f"xl/worksheets/sheet{at}.bin"] = (
            xlsb_record(129) + size + xlsb_record(145) + cells + xlsb_record(146) + xlsb_record(130)
        )
    return archive(parts | more)


def _wide(text: str) -> bytes:
    return struct.pack("<L", len(text)) + text.encode("utf-16-le")
