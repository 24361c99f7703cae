"""Files as people have them: whatever parts their cells, and wherever the table stands in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import Unprocessable
from assay.formats import Table, open_table
from assay.formats.cells import Looks, columns_of, looks
from assay.formats.text.dialect import RUNS, Dialect
from assay.formats.text.realign import realign_row
from assay.reading import Reading
from tests.assay.analyses import MakeSource, write_source

NAMES = ["day", "code", "price", "thing"]
ROWS = [
    ["2024-01-05", "AB-1234", "$3.50", "Boots, brown"],
    ["2024-02-17", "CD-5678", "$12.00", 'A 5" nail'],
    ["2024-03-28", "EF-9012", "$7.25", "Hat"],
    ["2024-04-02", "GH-3456", "$40.10", "Lamp; red"],
    ["2024-05-30", "IJ-7890", "$9.99", "Sofa"],
]

Read = Callable[..., tuple[list[list[str]], Table]]


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: bytes | str, **reading: object) -> tuple[list[list[str]], Table]:
        source = make_source(content)
        given = Reading.model_validate(reading)
        table = open_table(source, lambda _names: 0.0, tmp_path, lambda _done: None, given)
        frame = table.frame.drop("row", "fault").collect()
        header = [] if table.facts["header_line"] is None else [[*table.columns]]
        rows = [[cell or "" for cell in row] for row in frame.iter_rows()]
        return header + [row for row in rows if any(row)], table

    return call


def text(rows: list[list[str]], delimiter: str = ",", quote: str = '"', end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=end).writerows(rows)
    return out.getvalue()


WHOLE = [NAMES, *ROWS]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", "^", "~", "§"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_delimiter_and_quote_are_found(delimiter: str, quote: str, read: Read) -> None:
    rows, table = read(text(WHOLE, delimiter, quote))
    assert rows == WHOLE
    assert table.facts["header_line"] == 1


@pytest.mark.parametrize("delimiter", [RUNS, "||", "::", ", ", "\t\t"])
def test_a_delimiter_may_have_several_characters(delimiter: str, read: Read) -> None:
    plain = [[cell.replace(",", "").replace('"', "") for cell in row] for row in WHOLE]
    rows, _ = read("".join(delimiter.join(row) + "\n" for row in plain))
    assert rows == plain


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_the_encoding_is_found(encoding: str, read: Read) -> None:
    rows = [*WHOLE, ["2024-06-01", "KL-1111", "$1.00", "Größe für Mädchen"]]
    assert read(text(rows).encode(encoding))[0] == rows


def test_a_language_with_letters_of_its_own_is_read_in_its_encoding(read: Read) -> None:
    for encoding, words in {"cp1251": "Иван Москва Ольга", "cp1250": "Świętosław Łódź Gdańsk Zażółć"}.items():
        rows = [["name", "n"], *([word, str(n)] for n, word in enumerate(words.split() * 4))]
        found, table = read(text(rows).encode(encoding))
        assert found == rows
        assert table.facts["encoding"] == encoding


def test_a_few_nuls_are_taken_out_and_reported(read: Read) -> None:
    rows, table = read(text(WHOLE).replace("Sofa", "So\0fa"))
    assert rows == WHOLE
    assert table.facts["nul_bytes_removed"] == 1


ABOVE = {
    "a title": "Report of the week\n\n",
    "a title with a comma": "Made by the office, for all\n\n",
    "blank cells": "Report,,,\n,,,\n",
    "comments": "# made on Monday\n# by hand, with care\n",
    "many lines": "note\n" * 30,
}


@pytest.mark.parametrize("above", ABOVE)
def test_what_stands_above_the_table_is_no_row(above: str, read: Read) -> None:
    rows, table = read(ABOVE[above] + text(WHOLE))
    assert rows == WHOLE
    assert table.facts["header_line"] == ABOVE[above].count("\n") + 1


BELOW = {
    "a source": "\nSource: own survey, provisional\n",
    "a note in the first cell": "All prices are those of the day,,,\n",
    "a star": "\n* estimated\n",
    "another table": "\nplace,visits\nOslo,1\nRio,2\n",
    "another table without a gap": "a,b,c,d,e\n1,2,3,4,5\n6,7,8,9,1\n2,3,4,5,6\n",
}


@pytest.mark.parametrize("below", BELOW)
def test_what_stands_below_the_table_is_no_row_but_reported(below: str, read: Read) -> None:
    rows, table = read(text(WHOLE) + BELOW[below])
    assert rows == WHOLE
    assert ("other_tables" if "table" in below else "lines_below") in table.facts


def test_the_table_of_the_most_rows_is_the_main_one(read: Read) -> None:
    rows, table = read("place,visits\nOslo,1\nRio,2\n\n" + text(WHOLE))
    assert rows == WHOLE
    assert table.facts["other_tables"] == [{"first_line": 1, "last_line": 4}]


def test_a_header_that_comes_again_is_no_row(read: Read) -> None:
    rows, table = read(text([*WHOLE, *WHOLE]))
    assert rows == [*WHOLE, *ROWS]
    assert table.facts["repeated_headers"] == 1


def test_a_header_of_several_rows_is_joined(read: Read) -> None:
    units = ["", "[text]", "[$]", "[text]"]
    rows, table = read(text([NAMES, units, *ROWS]))
    assert rows == [["day", "code [text]", "price [$]", "thing [text]"], *ROWS]
    assert table.facts["header_rows"] == 2
    groups = ["When", "", "What", ""]
    assert read(text([groups, NAMES, *ROWS]))[0][0] == ["When day", "When code", "What price", "What thing"]


def test_without_a_header_columns_have_numbers_and_none_is_made_up(read: Read) -> None:
    rows, table = read(text(ROWS))
    assert rows == ROWS
    assert table.columns == ("column_1", "column_2", "column_3", "column_4")
    assert table.facts["header_line"] is None


@pytest.mark.parametrize("content", ["id,name\n", "id,name"])
def test_a_header_alone_is_a_table_of_no_rows(content: str, read: Read) -> None:
    assert read(content)[0] == [["id", "name"]]


def test_one_column_is_a_table_and_sentences_are_none(read: Read) -> None:
    assert read("name\nAnn\nBob\n")[0] == [["name"], ["Ann"], ["Bob"]]
    with pytest.raises(Unprocessable) as caught:
        read("Dear all\nhere is the file that you asked for\n")
    assert caught.value.code == "no_header"


BROKEN = {
    "a delimiter lost": ("CD-5678,", "CD-5678", "too_few_fields"),
    "a delimiter lost before a quote": (',"A 5""', '"A 5""', "too_few_fields"),
    "a delimiter more": ("CD-5678,", "CD-5678,,", "too_many_fields"),
    "parted by blanks": (
        '2024-02-17,CD-5678,$12.00,"A', '2024-02-17 CD-5678 $12.00 "A', "too_few_fields",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_row_whose_delimiters_are_wrong_is_put_right_and_marked(kind: str, read: Read) -> None:
    before, after, fault = BROKEN[kind]
    rows, table = read(text(WHOLE).replace(before, after, 1))
    assert rows == WHOLE
    assert table.frame.collect()["fault"].to_list() == [None, fault, None, None, None]


def test_a_row_that_fits_nowhere_stays_as_it_is(read: Read) -> None:
    rows, table = read(text([*WHOLE, ["x"], ["1", "2", "3", "4", "5", "6"]]))
    assert rows[-2:] == [["x", "", "", ""], ["1", "2", "3", "4"]]
    assert table.facts["unequal_rows"] == [
        {"row": 6, "reason": "too_few_fields"},
        {"row": 7, "reason": "too_many_fields", "surplus": ["5", "6"]},
    ]


@pytest.mark.parametrize("column", range(4))
def test_a_stray_quote_stays_in_its_cell(column: int, read: Read) -> None:
    lines = text(WHOLE).split("\r\n")
    cells = lines[3].split(",")
    cells[column] = '"' + cells[column]
    lines[3] = ",".join(cells)
    expected = [list(row) for row in WHOLE]
    expected[3][column] = '"' + expected[3][column]
    assert read("\r\n".join(lines))[0] == expected


@pytest.mark.parametrize("escaped", ['\\"', '"'])
def test_quotes_may_be_escaped_otherwise_or_not_at_all(escaped: str, read: Read) -> None:
    content = text(WHOLE).replace('""', escaped)
    assert read(content)[0] == WHOLE


def test_what_a_user_says_goes_before_what_is_found(read: Read) -> None:
    content = "a;b,c\n1;2,5\n3;4,5\n"
    assert read(content)[0][1] == ["1", "2,5"]
    assert read(content, delimiter=",")[0] == [["a;b", "c"], ["1;2", "5"], ["3;4", "5"]]
    assert read(content, header="none")[0][0] == ["a", "b,c"]
    assert read("x\n" + content, header_line=2)[0][0] == ["a", "b,c"]
    assert read("a,b\n'1,2'\n", quote="")[0][1] == ["'1", "2'"]
    assert read("!x\na,b\n1,2\n!y,z\n", comment="!")[0] == [["a", "b"], ["1", "2"]]
    with pytest.raises(Unprocessable) as caught:
        read(content, encoding="klingon")
    assert caught.value.code == "unknown_encoding"


cell = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8)


@given(rows=st.lists(st.lists(cell, min_size=4, max_size=4), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_lost_whatever_is_in_it(rows: list[list[str]], tmp_path: Path) -> None:
    given = Reading(delimiter=",", quote='"', escape="", header_line=1, comment="")
    source = write_source(tmp_path / "any", text([NAMES, *rows]), "any.csv")
    table = open_table(source, lambda _names: 0.0, tmp_path, lambda _done: None, given)
    found = [[one or "" for one in row] for row in table.frame.drop("row", "fault").collect().iter_rows()]
    assert found == rows


@given(line=st.text(alphabet='a1",; ', max_size=60))
@settings(deadline=None)
def test_laying_a_line_over_columns_loses_no_letter(line: str) -> None:
    found = realign_row(line, Dialect(), columns_of(ROWS, 4))
    assert found is not None
    assert len(found.cells) == 4
    kept = "".join([*found.cells, *found.surplus])
    assert [kept.count(one) for one in "a1"] == [line.count(one) for one in "a1"]


@pytest.mark.parametrize(
    ("text_of_a_cell", "expected"),
    [
        ("", Looks.BLANK),
        ("-1,234.50", Looks.NUMBER),
        ("1.234,5", Looks.NUMBER),
        ("€ 5", Looks.NUMBER),
        ("12 %", Looks.NUMBER),
        ("1e-5", Looks.NUMBER),
        ("2024-01-02T03:04:05Z", Looks.DATE),
        ("2 Jan 2024", Looks.DATE),
        ("31.12.2024", Looks.DATE),
        ("10:30", Looks.TIME),
        ("a@b.example", Looks.LINK),
        ("CT-12", Looks.TEXT),
    ],
)  # fmt: skip
def test_cells_look_like_what_they_are(text_of_a_cell: str, expected: Looks) -> None:
    assert looks(text_of_a_cell) is expected
