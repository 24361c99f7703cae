"""Archives, Parquet, JSON and workbooks of other kinds that are made to do harm."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from assay.formats import open_table, preview
from assay.formats.packed import containers
from functions.process.sandbox.messages import Finished, NeedsType
from tests.assay.analyses import write_source
from tests.assay.office import (
    archive,
    ods,
    ods_cell,
    ods_rows,
    xls,
    xls_cells,
    xlsb,
    xlsb_cells,
    xlsb_record,
    xlsb_row,
)
from tests.hostile.refusals import Opened, Refused, refused_by

MIB = 1 << 20
HEAD = [["name", "city"], ["Ann", "Rome"]]
MANY = 10**9


def gzipped(size: int) -> bytes:
    file = io.BytesIO()
    with gzip.open(file, "w") as packed:
        packed.write(b"a,b\n")
        for _ in range(size // MIB):
            packed.write(b"1,2\n" * (MIB // 4))
    return file.getvalue()


def zipped(size: int, claimed: int | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a.csv", "w") as member:
        member.write(b"a,b\n")
        for _ in range(size // 1024):
            member.write(b"1,2\n" * 256)
    data = file.getvalue()
    if claimed is None:
        return data
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<L", claimed) + data[at + 28 :]


def zstandard_window() -> bytes:
    """A frame that asks for a window of 2 GiB."""
    return b"\x28\xb5\x2f\xfd" + bytes([0x00, 21 << 3]) + bytes([0x01, 0, 0])


def parquet(change: Callable[[bytes], bytes] = bytes) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"name": ["Ann", "Bob"], "n": [1, 2]}).write_parquet(
        file, statistics=False, compression="uncompressed"
    )
    data = file.getvalue()
    size = struct.unpack("<L", data[-8:-4])[0]
    footer = change(data[-8 - size : -8])
    return data[: -8 - size] + footer + struct.pack("<L", len(footer)) + b"PAR1"


def parquet_rows(count: int) -> bytes:
    """A column of a single value as many times: 500 bytes that stand for gigabytes."""
    file = io.BytesIO()
    frame = pl.LazyFrame({"x": [1]}).select(pl.col("x").repeat_by(count).explode(), y=1, z=2)
    frame.sink_parquet(file, row_group_size=count, statistics=False)
    return file.getvalue()


def ods_repeated(columns: int, rows: int, text: str = "x") -> bytes:
    cell = ods_cell(text, f' table:number-columns-repeated="{columns}"')
    row = f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'
    return ods({"S": ods_rows(HEAD) + row})


def xls_dimensions() -> bytes:
    claim = struct.pack("<2L3H", 0, 65_536, 0, 65_535, 0)
    return xls({"S": struct.pack("<2H", 0x0200, len(claim)) + claim + xls_cells(HEAD)})


def xls_far() -> bytes:
    far = struct.pack("<3Hd", 65_535, 65_000, 0, 1.0)
    return xls({"S": xls_cells(HEAD) + struct.pack("<2H", 0x0203, len(far)) + far})


def xls_twice() -> bytes:
    data = xls({"S": xls_cells(HEAD), "T": xls_cells(HEAD)})
    first, second = (data.index(struct.pack("<2H", 0x85, 9)), data.rindex(struct.pack("<2H", 0x85, 9)))
    return data[: second + 4] + data[first + 4 : first + 8] + data[second + 8 :]


def xls_one_text() -> bytes:
    """A text of 8,000 characters that each of 60,000 cells shows."""
    text = struct.pack("<2LHB", 1, 1, 8_000, 0) + b"x" * 8_000
    cells = b"".join(struct.pack("<2H3HL", 0x00FD, 10, row, 0, 0, 0) for row in range(60_000))
    return xls({"S": xls_cells(HEAD) + cells}, struct.pack("<2H", 0x00FC, len(text)) + text)


def xlsb_far() -> bytes:
    return xlsb({"S": xlsb_cells(HEAD) + xlsb_row(1_048_575) + xlsb_record(5, struct.pack("<2Ld", 16_383, 0, 1.0))})


def xlsb_one_text() -> bytes:
    text = "x" * 30_000
    shared = xlsb_record(19, b"\0" + struct.pack("<L", len(text)) + text.encode("utf-16-le"))
    cells = b"".join(xlsb_row(row) + xlsb_record(7, struct.pack("<3L", 0, 0, 0)) for row in range(20_000))
    return xlsb({"S": xlsb_cells(HEAD) + cells}, **{"xl/sharedStrings.bin": shared})


def encrypted_ods() -> bytes:
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest><file-entry><encryption-data/></file-entry></manifest>",
            "content.xml": "x",
        }
    )


FILES: dict[str, tuple[Callable[[], bytes], Refused]] = {
    "one row over and over in gzip": (lambda: gzipped(4 * MIB), Refused("unsafe_archive", "over 250 times")),
    "one row over and over in Zstandard": (
        lambda: zstandard.compress(b"1,2\n" * 20 * MIB),
        Refused("unsafe_archive", "over 250 times"),
    ),
    "a window of 2 GiB": (zstandard_window, Refused("unreadable_archive", "Zstandard")),
    "one row over and over in ZIP": (lambda: zipped(4 * MIB), Refused("unsafe_archive", "over 250 times")),
    "more in ZIP than it claims": (
        lambda: zipped(8 * MIB, claimed=1_000),
        Refused("unsafe_archive", "more than the 1,000"),
    ),
    "an archive in an archive": (lambda: gzip.compress(zipped(1024)), Refused("nested_archive", "zip")),
    "itself in itself, as a quine would be": (
        lambda: archive({"a.zip": zipped(1024)}),
        Refused("nested_archive", "zip"),
    ),
    "an archive of pictures": (
        lambda: archive({"a.png": b"\x89PNG\r\n\x1a\n\0\0\0\r"}),
        Refused("binary_content", "PNG"),
    ),
    "JSON that nests": (lambda: b"[" * 900_000, Refused("json_too_deep", "too deep")),
    "JSON objects that nest": (lambda: b'{"a":' * 150_000, Refused("json_too_deep", "too deep")),
    "a text without end in JSON": (lambda: b'[{"a": "' + b"x" * 50 * MIB, Refused("record_too_long", "no end")),
    "blanks without end in JSON": (lambda: b'[{"a":' + b" " * 5 * MIB + b"1}]", Refused("record_too_long", "no end")),
    "names without end in JSON": (
        lambda: b"[" + b",".join(b'{"n%d": 1}' % n for n in range(20_000)) + b"]",
        Refused("too_many_columns", "10,000"),
    ),
    "tables without end in JSON": (
        lambda: b"{" + b",".join(b'"n%d": [{"a": 1}]' % n for n in range(200)) + b"}",
        Refused("too_many_tables", "at most 100"),
    ),
    "a Parquet footer that is cut": (lambda: parquet(lambda footer: footer[:-9]), Refused("unreadable_parquet", "")),
    "a Parquet footer of one list": (
        lambda: parquet(lambda _: b"\x29\xfc\xff\xff\xff\xff\x07"),
        Refused("unreadable_parquet", "breaks off"),
    ),
    "a Parquet footer that nests": (lambda: parquet(lambda _: b"\x1c" * 5_000), Refused("unsafe_parquet", "too deep")),
    "Parquet rows that are one": (lambda: parquet_rows(20_000_000), Refused("parquet_too_large", "60,000,000 cells")),
    "ODS columns repeated": (lambda: ods_repeated(MANY, 1), Refused("spreadsheet_too_large", "at most 5,000,000")),
    "ODS rows repeated": (lambda: ods_repeated(1, MANY), Refused("spreadsheet_too_large", "at most 5,000,000")),
    "an ODS text repeated": (lambda: ods_repeated(1, 1_000_000, "x" * 900), Refused("spreadsheet_too_large", "texts")),
    "an ODS number beyond all": (lambda: ods_repeated(10**40, 1), Refused("unsafe_spreadsheet", "repeated")),
    "an ODS with entities": (
        lambda: ods({"S": "<!DOCTYPE x>" + ods_rows(HEAD)}),
        Refused("unsafe_spreadsheet", "document type"),
    ),
    "an ODS with a password": (encrypted_ods, Refused("unreadable_spreadsheet", "password")),
    "XLS dimensions": (xls_dimensions, Refused("spreadsheet_too_large", "claims 65,536 rows")),
    "an XLS cell far away": (xls_far, Refused("spreadsheet_too_large", "at most 5,000,000")),
    "an XLS sheet twice": (xls_twice, Refused("unsafe_spreadsheet", "do not stand")),
    "an XLS text for all": (xls_one_text, Refused("spreadsheet_too_large", "each cell with its own")),
    "an XLS that is cut": (lambda: xls({"S": xls_cells(HEAD)})[:1_500], Refused("unreadable_spreadsheet", "broken")),
    "an XLSB cell far away": (xlsb_far, Refused("spreadsheet_too_large", "17,179,869,184")),
    "an XLSB text for all": (xlsb_one_text, Refused("spreadsheet_too_large", "each cell with its own")),
    "an XLSB sheet elsewhere": (
        lambda: xlsb({"S": b""}, **{"xl/_rels/workbook.bin.rels": "<Relationships/>"}),
        Refused("unsafe_spreadsheet", "S stands"),
    ),
}


# Those that would cost the most, where the kernel ends what goes beyond.
IN_THE_CHILD = [
    "one row over and over in Zstandard",
    "a window of 2 GiB",
    "a text without end in JSON",
    "Parquet rows that are one",
    "ODS columns repeated",
    "XLS dimensions",
    "an XLSB cell far away",
]


@pytest.mark.parametrize("kind", FILES)
def test_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, expected = FILES[kind]
    monkeypatch.setattr(containers, "RATIO_FREE_BYTES", MIB)

    def read(content: bytes, filename: str) -> NeedsType:
        source = write_source(tmp_path / "upload", content, filename)
        preview(source, lambda _: 0.0)
        open_table(source, lambda _: 0.0, tmp_path, lambda _: None)
        raise AssertionError(f"{kind} is read")

    refused_by(read, make(), expected, "a")


@pytest.mark.parametrize("kind", IN_THE_CHILD)
def test_is_refused_before_it_costs_anything(kind: str, opened: Opened) -> None:
    make, expected = FILES[kind]
    refused_by(opened, make(), expected, "a")


@pytest.mark.parametrize(
    "make",
    [
        lambda: ods({"S": ods_rows(HEAD) + '<table:table-row table:number-rows-repeated="1048570"><table:table-cell '
                     'table:number-columns-repeated="16384"/></table:table-row>'}),
        lambda: zipped(65_536), parquet, lambda: xls({"S": xls_cells(HEAD)}), lambda: xlsb({"S": xlsb_cells(HEAD)}),
    ],
)  # fmt: skip
def test_honest_ones_are_read(make: Callable[[], bytes], opened: Opened) -> None:
    assert isinstance(opened(make(), filename="a"), Finished | NeedsType)
