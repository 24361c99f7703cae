"""Makes workbooks, the honest one and those that are made to harm whoever opens them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
COLUMNS = ("Station_ID", "Date_Time", "PCode", "Result")
ROW = ("CT", "2024-01-01", "D", 1.5)
SHEET = "xl/worksheets/sheet1.xml"
SHARED = "xl/sharedStrings.xml"

Make = Callable[[], bytes]


def cell(value: str | float, reference: str = "") -> str:
    at = f' r="{reference}"' if reference else ""
    if isinstance(value, str):
        return f'<c{at} t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c{at}><v>{value}</v></c>"


def row(number: int, values: Iterable[str | float]) -> str:
    cells = "".join(cell(value, f"{letter}{number}") for letter, value in zip("ABCD", values, strict=False))
    return f'<row r="{number}">{cells}</row>'


HEAD = row(1, COLUMNS) + row(2, ROW)


def sheet(rows: str, before: str = "", prefix: str = "") -> str:
    return f"{_DECLARATION}{prefix}<worksheet {_MAIN}>{before}<sheetData>{rows}</sheetData></worksheet>"


def shared(items: str, prefix: str = "") -> str:
    return f"{_DECLARATION}{prefix}<sst {_MAIN}>{items}</sst>"


def workbook(sheets: int, prefix: str = "") -> str:
    named = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in range(1, sheets + 1))
    return f'{_DECLARATION}{prefix}<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{named}</sheets></workbook>'


def relations(targets: Iterable[str], prefix: str = "") -> str:
    each = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="{target}"/>'
        for n, target in enumerate(targets, start=1)
    )
    return f"{_DECLARATION}{prefix}<Relationships {_PACKAGE}>{each}</Relationships>"


def styles(prefix: str = "") -> str:
    return f"{_DECLARATION}{prefix}<styleSheet {_MAIN}/>"


PARTS: dict[str, str] = {
    "[Content_Types].xml": f'{_DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'{_DECLARATION}<Relationships {_PACKAGE}><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": workbook(1),
    "xl/_rels/workbook.xml.rels": relations(["worksheets/sheet1.xml"]),
    "xl/styles.xml": styles(),
    SHARED: shared(""),
    SHEET: sheet(HEAD),
}


def book(
    parts: Mapping[str, str | bytes] | None = None, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """The honest workbook, with some of its parts replaced or added."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in {**PARTS, **(parts or {})}.items():
            archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


def deflated_zeros(size: int) -> bytes:
    """A raw deflate stream of `size` zeros (a multiple of 1 MiB), made of one block over and over."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + deflater.flush(zlib.Z_FINISH)


def packed(members: Iterable[tuple[str, bytes, int, int]], *, overlapping: bool = False) -> bytes:
    """An archive of members that are deflated already: name, content, claimed size, CRC-32.

    Where they are `overlapping`, all have the same local header, as in D. Fifield's bomb (WOOT 2019).
    """
    body, directory, count, at = io.BytesIO(), io.BytesIO(), 0, 0
    for name, content, claimed, checksum in members:
        encoded = name.encode()
        fields = (0, zipfile.ZIP_DEFLATED, 0, 0, checksum, len(content), claimed, len(encoded), 0)
        if not overlapping or not count:
            at = body.tell()
            body.write(struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *fields) + encoded + content)
        central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, *fields, 0, 0, 0, 0, at)
        directory.write(central + encoded)
        count += 1
    size, start = directory.tell(), body.tell()
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, start, 0)
    return body.getvalue() + directory.getvalue() + end


def deflated(content: str | bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(content if isinstance(content, bytes) else content.encode()) + deflater.flush()


def honest_members(leave_out: str = "") -> list[tuple[str, bytes, int, int]]:
    return [
        (name, deflated(text), len(text.encode()), zlib.crc32(text.encode()))
        for name, text in PARTS.items()
        if name != leave_out
    ]


def bomb(unpacked: int, claimed: int) -> bytes:
    """A workbook whose sheet unpacks to so many zeros, and claims so many."""
    return packed([*honest_members(SHEET), (SHEET, deflated_zeros(unpacked), claimed, 0)])


class _Pipe(io.BytesIO):
    """What can't be sought in: the sizes of the parts then stand behind them."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation


def streamed() -> bytes:
    """The honest workbook as it is written into a pipe, with the sizes of large archives."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in PARTS.items():
            with archive.open(name, "w", force_zip64=True) as part:
                part.write(content.encode())
    return pipe.getvalue()


def with_extra(name: str, extra: bytes) -> bytes:
    """The honest workbook with an extra field on one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in PARTS.items():
            info = zipfile.ZipInfo(part)
            info.extra = extra if part == name else b""
            archive.writestr(info, content)
    return file.getvalue()


def encrypted() -> bytes:
    """The honest workbook with the flag of an encrypted part in its directory."""
    content = bytearray(book())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)
