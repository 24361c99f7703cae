"""Workbooks that unpack to more than there is, or are not what they claim; and odd ones that are nothing worse."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.process.sandbox.messages import Finished
from tests.assay.analyses import Run
from tests.hostile.refusals import Opened, Refused, refused_by
from tests.hostile.workbooks import (
    COLUMNS,
    HEAD,
    PARTS,
    ROW,
    SHARED,
    SHEET,
    Make,
    bomb,
    book,
    cell,
    encrypted,
    honest_members,
    packed,
    relations,
    row,
    shared,
    sheet,
    streamed,
    styles,
    with_extra,
    workbook,
)

MIB = 1 << 20
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
DEEP = FAR.replace("XFD", "A")
GRID = "17,179,869,184"
UNNAMED = "<c><v>1</v></c>"

Case = tuple[Make, str]


def rows(after_the_first: str) -> bytes:
    return book({SHEET: sheet(HEAD + after_the_first)})


def sheets(count: int, rows: str) -> bytes:
    """A workbook of so many sheets, all with these rows, each in a part of its own."""
    names = [f"worksheets/sheet{number}.xml" for number in range(1, count + 1)]
    parts = {f"xl/{name}": sheet(rows) for name in names}
    return book({"xl/workbook.xml": workbook(count), "xl/_rels/workbook.xml.rels": relations(names), **parts})


def one_sheet_many_times(count: int) -> bytes:
    same = relations(["worksheets/sheet1.xml"] * count)
    return book({"xl/workbook.xml": workbook(count), "xl/_rels/workbook.xml.rels": same})


def sheet_in(target: str) -> bytes:
    part = f"xl/{target}" if "/" not in target else target.removeprefix("/").removeprefix("../")
    return book({"xl/_rels/workbook.xml.rels": relations([target]), part: sheet(FAR)})


def another_workbook(target: str, count: int) -> bytes:
    """A workbook elsewhere, which the reader finds by the relations of the package."""
    folder, _, name = target.removeprefix("/").rpartition("/")
    root = PARTS["_rels/.rels"]
    more = root.replace("rId1", "rId2").replace("xl/workbook.xml", target)
    both = root.replace("</Relationships>", more[more.index("<Relationship ") :])
    return book(
        {
            "_rels/.rels": both if count > 1 else more,
            f"{folder}/{name}": workbook(1),
            f"{folder}/_rels/{name}.rels": relations(["worksheets/sheet1.xml"]),
            f"{folder}/worksheets/sheet1.xml": sheet(FAR),
        }
    )


def one_text_for_all() -> bytes:
    """A text of 32,000 characters that each of a million cells shows: 32 GB."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 1_000_002))
    return book({SHEET: sheet(row(1, COLUMNS) + cells), SHARED: shared(f"<si><t>{'x' * 32_000}</t></si>")})


def zip64(off_by: int) -> bytes:
    """The honest workbook with its directory's end in the form of large archives too, as Apache POI writes it."""
    honest = book()
    *_, count, size, at, _ = struct.unpack("<4s4H2LH", honest[-22:])
    figures = (count, count, size, at - off_by)
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, *figures)
    return honest[:-22] + end + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(honest) - 22, 1) + honest[-22:]


def overlapping() -> bytes:
    """Fifty parts that are all the same bytes, as in D. Fifield's bomb (WOOT 2019)."""
    *honest, _ = honest_members()
    return packed([*honest, *((f"xl/worksheets/sheet{n}.xml", bytes(99), 99, 0) for n in range(50))], overlapping=True)


def two_of_one_name(name: str) -> bytes:
    return packed([*honest_members(), (name, *honest_members()[-1][1:])])


def with_second_name() -> bytes:
    """A part that has another name for programs that know of the field for it (APPNOTE 4.6.9)."""
    name = SHEET.encode()
    return with_extra("xl/styles.xml", struct.pack("<2HBL", 0x7075, len(name) + 5, 1, 0) + name)


TOO_LARGE: dict[str, Case] = {
    "more zeros than there is memory": (lambda: bomb(2 << 30, 0xFFFF_0000), "unpacks to 4,294,9"),
    "twenty thousand parts": (lambda: book({f"xl/media/{n}.xml": "" for n in range(20_000)}), "20,007 parts"),
    "ten thousand sheets": (lambda: sheets(9_000, ""), "more than 1,000 sheets"),
    "a cell in the last corner": (lambda: rows(FAR), GRID),
    "the same with a prefix": (lambda: rows(FAR.replace("<", "<x:").replace("<x:/", "</x:")), GRID),
    "the same in single quotes": (lambda: rows(FAR.replace('"', "'").replace(" r=", "\n r = ")), GRID),
    "the same made up as two blank cells": (
        lambda: rows('<row r="9"><c a="/>" r="XFD1048576" b="/>"><v>1</v></c></row>'), GRID,
    ),
    "the same made up as a blank cell": (
        lambda: rows('<row r="9"><c r="XFD1048576" a="/>"><v>1</v></c></row>'), GRID,
    ),
    "a cell beyond the last corner": (lambda: rows(f"<row>{cell(1, 'ZZZ99999999')}</row>"), "99,999,999 rows"),
    "a wide row and a deep one, with no references": (
        lambda: rows(f"<row>{UNNAMED * 16_000}</row>{'<row/>' * 999_000}<row>{UNNAMED}</row>"), "16,004 columns",
    ),
    "a wide row that comments cut into many": (
        lambda: rows(f"<row>{(UNNAMED * 100 + '<!-- <row > -->') * 160}</row>{DEEP}"), "and 16,0",
    ),
    "a wide row with a long comment within": (
        lambda: rows(f"<row>{UNNAMED * 9_000}<!--{'<row > ' * 500_000}-->{UNNAMED * 9_000}</row>{DEEP}"), "and 18,0",
    ),
    "sheets that are too large together": (
        lambda: sheets(30, row(1, COLUMNS) + '<row><c r="A1000000"><v>1</v></c></row>'), "with the sheet S4",
    ),
    "one text for a million cells": (one_text_for_all, "536,870,912"),
    "a cell without end": (
        lambda: book({SHEET: sheet(HEAD + row(3, ["x" * 200 * MIB]))}, zipfile.ZIP_STORED), "one of its texts",
    ),
    "an attribute without end": (
        lambda: book({SHEET: sheet(HEAD, f'<sheetPr codeName="{"x" * 200 * MIB}"/>')}, zipfile.ZIP_STORED),
        "one of its texts",
    ),
    "texts that no cell shows": (
        lambda: book({SHARED: shared("<si><t>0123456789</t></si>" * 12 * MIB)}, zipfile.ZIP_STORED), "327,155,",
    ),
}  # fmt: skip

UNSAFE: dict[str, Case] = {
    "more zeros than it claims": (lambda: bomb(2 << 30, 1_000), "more than the 1,000 bytes"),
    "a hundred MiB of zeros": (lambda: bomb(100 * MIB, 100 * MIB), "more than 100 times"),
    "parts over one another": (overlapping, "over one another"),
    "two parts of one name": (lambda: two_of_one_name(SHEET), "two ways"),
    "two parts of one name, but for the case": (lambda: two_of_one_name("XL\\Worksheets/SHEET1.xml"), "two ways"),
    "a part with a second name": (with_second_name, "two ways"),
    "two directories": (lambda: book() + rows(FAR), "does not stand where it says"),
    "a directory in the comment of another": (lambda: book(comment=book()[-22:] + b"x"), "does not end where it says"),
    "two ends of one directory": (lambda: zip64(off_by=1), "two ways"),
    "something behind the end": (lambda: book() + b"\0", "does not end where it says"),
    "one sheet many times": (lambda: one_sheet_many_times(500), "S1 and S2 are one and the same"),
    "a sheet in a part of another kind": (lambda: sheet_in("a.bin"), "where no sheet does"),
    "a sheet in another folder": (lambda: sheet_in("/evil/a.xml"), "where no sheet does"),
    "a sheet one folder up": (lambda: sheet_in("../evil/a.xml"), "where no sheet does"),
    "another workbook": (lambda: another_workbook("evil/workbook.xml", 1), "a workbook besides"),
    "another workbook in its folder": (lambda: another_workbook("/xl/other.xml", 1), "a workbook besides"),
    "another workbook after the first": (lambda: another_workbook("evil/workbook.xml", 2), "a workbook besides"),
    "a sheet in UTF-16": (lambda: book({SHEET: sheet(HEAD).encode("utf-16")}), "not in UTF-8"),
}  # fmt: skip

UNREADABLE: dict[str, Case] = {
    "the end is missing": (lambda: book()[:-30], "the end is missing"),
    "a password": (encrypted, "password"),
    "a method of another kind": (lambda: book(method=zipfile.ZIP_BZIP2), "method 12"),
    "a wrong checksum": (
        lambda: packed([*honest_members(SHEET), (SHEET, *honest_members()[-1][1:3], 7)]), "damaged",
    ),
    "a stream that is none": (lambda: packed([*honest_members(SHEET), (SHEET, b"\xff" * 99, 99, 0)]), "damaged"),
    "no XML": (lambda: book({"xl/workbook.xml": "Station_ID,Date_Time"}), "well-formed"),
    "a sheet that is not there": (
        lambda: book({
            "xl/workbook.xml": workbook(2),
            "xl/_rels/workbook.xml.rels": relations(["worksheets/sheet1.xml", "worksheets/none.xml"]),
        }),
        "sheet S2",
    ),
}  # fmt: skip

BILLION = "".join(
    f"<!ENTITY {name} '{f'&{of};' * 10}'>" for of, name in zip("abcdefghi", "bcdefghij", strict=True)
)  # fmt: skip
DOCTYPES = {
    "a billion laughs": f"<!DOCTYPE x [<!ENTITY a 'lol'>{BILLION}]>",
    "a long one many times": f"<!DOCTYPE x [<!ENTITY j '{'x' * 100_000}'>]>",
    "a file": "<!DOCTYPE x [<!ENTITY j SYSTEM 'file:///etc/passwd'>]>",
    "an address": "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'>",
}
WITH_DOCTYPE: dict[str, Callable[[str], str]] = {
    SHEET: lambda doctype: sheet(HEAD + row(3, ("&j;" * 100, *ROW[1:])), prefix=doctype),
    SHARED: lambda doctype: shared("<si><t>&j;</t></si>", doctype),
    "xl/workbook.xml": lambda doctype: workbook(1, doctype),
    "xl/_rels/workbook.xml.rels": lambda doctype: relations(["worksheets/sheet1.xml"], doctype),
    "xl/styles.xml": styles,
}

HARMLESS: dict[str, Make] = {
    "as it should be": book,
    "a dimension of the whole grid": lambda: book({SHEET: sheet(HEAD, '<dimension ref="A1:XFD1048576"/>')}),
    "a format as far as the grid goes": lambda: rows(
        '<row r="3" s="1"><c r="A3" s="1"/><c r="XFD3" s="1"/></row><row r="1048576" ht="15"/>'
    ),
    "no references at all": lambda: book(
        {SHEET: sheet("".join(f"<row>{''.join(cell(value) for value in each)}</row>" for each in (COLUMNS, ROW)))}
    ),
    "ten million blank texts": lambda: book({SHARED: shared("<si/>" * 10_000_000)}),
    "a bomb that nobody opens": lambda: packed([*honest_members(), ("xl/media/bomb.zip", bytes(99), 0xFFFF_0000, 0)]),
    "another workbook within": lambda: book({"xl/embeddings/inner.xlsx": book()}),
    "the end of large archives": lambda: zip64(off_by=0),
    "written into a pipe": streamed,
    "a comment": lambda: book(comment=b"made by hand"),
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_what_is_too_large_is_not_opened(kind: str, opened: Opened) -> None:
    make, says = TOO_LARGE[kind]
    refused_by(opened, make(), Refused("spreadsheet_too_large", says), "field.xlsx")


@pytest.mark.parametrize("kind", UNSAFE)
def test_what_is_not_what_it_claims_is_not_opened(kind: str, opened: Opened) -> None:
    make, says = UNSAFE[kind]
    refused_by(opened, make(), Refused("unsafe_spreadsheet", says), "field.xlsx")


@pytest.mark.parametrize(
    ("part", "doctype"), [*((part, "a file") for part in WITH_DOCTYPE), *((SHEET, doctype) for doctype in DOCTYPES)]
)
def test_a_document_type_is_refused_wherever_it_stands(part: str, doctype: str, run: Run) -> None:
    content = book({part: WITH_DOCTYPE[part](DOCTYPES[doctype])})
    refused_by(run, content, Refused("unsafe_spreadsheet", "document type"), "field.xlsx")


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_broken_is_told_so(kind: str, run: Run) -> None:
    make, says = UNREADABLE[kind]
    refused_by(run, make(), Refused("unreadable_spreadsheet", says), "field.xlsx")


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_only_odd_is_read(kind: str, opened: Opened, outputs: Path) -> None:
    found = opened(HARMLESS[kind](), "field.xlsx")
    assert isinstance(found, Finished)
    assert found.summary.counts["rows"].used == 1
    assert (outputs / "CT_Analysis.csv").read_text() == "Station,Dates,D\nCT,2024-01-01,1.5\n"


def test_the_honest_workbook_has_the_parts_that_the_others_replace() -> None:
    assert set(WITH_DOCTYPE) < set(PARTS)
