"""Refused rows are the bytes that stand in the file, whatever its encoding and its marks."""

from __future__ import annotations

import codecs
import gzip
import io
from pathlib import Path

import openpyxl
import pytest

from tests.assay.checks.checking import checked

SCHEMA = {"fields": [{"name": "id", "type": "integer"}], "fieldsMatch": "subset"}
# Lines by what they are: the first is above the rows, then rows that pass and rows that do not.
HEAD, GOOD, BAD = "id;name;note\n", '1;Zoë;"say ""x"""\n', 'x;Müller;"two\nlines"\n'
GOOD2, BAD2 = "2;Ann;b\n", " y ;;\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("codec", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("cp1252", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
def test_bytes_are_as_they_stood(tmp_path: Path, codec: str, mark: bytes, end: str) -> None:
    def written(*lines: str) -> bytes:
        return mark + "".join(lines).replace("\n", end).encode(codec)

    found = checked(tmp_path, written(HEAD, GOOD, BAD, GOOD2, BAD2, GOOD), SCHEMA)
    assert (found.checked.valid, found.checked.refused) == (3, 2)
    assert found.refused == written(HEAD, BAD, BAD2)


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        # Lines above the table go with its header; a blank line and a comment are no rows.
        (b"Report of 2024\n\nid,name\n1,a\n\nx,b\n2,c\n3,d\n", b"Report of 2024\n\nid,name\nx,b\n"),
        (b"# by hand\nid,name\n1,a\n# not a row\nx,b\n2,c\n", b"# by hand\nid,name\nx,b\n"),
        (b"id,name\n1,a\nid,name\nx,b\n2,c\n", b"id,name\nx,b\n"),
        # The shape of a row is a check too.
        (b'id,name\n1,a\n2,b,c,d\n3,"e"f\n4,g\n', b'id,name\n2,b,c,d\n3,"e"f\n'),
        (b"id\tname\n1\ta\nx\x00\tb\n", b"id\tname\nx\x00\tb\n"),
        (b"id,name\n1,a\n2,b\n", b"id,name\n"),
        # No line end at the end.
        (b"id,name\n1,a\nx,b", b"id,name\nx,b"),
    ],
)
def test_what_is_above_and_between_rows(tmp_path: Path, content: bytes, refused: bytes) -> None:
    found = checked(tmp_path, content, SCHEMA)
    assert found.refused == refused
    assert found.checked.report["refused_csv"] == "verbatim"


def test_a_text_in_an_archive_is_given_back_as_text(tmp_path: Path) -> None:
    found = checked(tmp_path, gzip.compress(b"id;name\n1;a\nx;b\n"), SCHEMA, "rows.csv.gz")
    assert found.refused == b"id;name\nx;b\n"


def test_what_is_no_text_comes_as_its_cells(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["id", "name"], [1, "a"], ["x", "b, c"], [2, "d"]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    found = checked(tmp_path, content.getvalue(), SCHEMA, "rows.xlsx")
    assert found.refused == b'id,name\r\nx,"b, c"\r\n'
    assert found.checked.report["refused_csv"] == "cells"


def test_mended_rows_pass(tmp_path: Path) -> None:
    content = "".join([HEAD, GOOD, BAD, GOOD2, BAD2, GOOD]).encode()
    refused = checked(tmp_path, content, SCHEMA).refused
    assert checked(tmp_path, refused.replace(b"x;", b"7;").replace(b" y ", b"8"), SCHEMA).checked.errors == 0


def test_no_text_is_a_formula_but_in_the_refused_rows(tmp_path: Path) -> None:
    schema = {"fields": [{"name": "id", "type": "integer"}, {"name": "=note"}]}
    found = checked(tmp_path, b"id,=note\n1,=1+1\n=2+2,a\n3,b\n", schema)
    assert (found.folder / "valid.csv").read_text() == "id,'=note\n1,'=1+1\n3,b\n"
    assert (found.folder / "violations.csv").read_text() == "row,column,check,severity,value\n2,id,type,error,'=2+2\n"
    assert found.refused == b"id,=note\n=2+2,a\n"


@pytest.mark.parametrize("rows", [b"a,b\n1,2\nx,4\n,\n,\n", b"a,b\n1,2\nx,4\n\n\n\n"])
def test_blank_rows_at_the_end_are_no_rows(tmp_path: Path, rows: bytes) -> None:
    schema = {"fields": [{"name": "a", "type": "integer", "constraints": {"unique": True}}, {"name": "b"}]}
    found = checked(tmp_path, rows, schema)
    assert (found.checked.rows, found.checked.valid, found.refused) == (2, 1, b"a,b\nx,4\n")
