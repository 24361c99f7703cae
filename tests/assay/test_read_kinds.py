"""Kinds of files that people have, each by a small one: which header, which rows, which other tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import Unprocessable
from assay.formats import Table, open_table
from assay.reading import Reading
from assay.types import Kind, infer_types
from tests.assay.analyses import MakeSource

Read = Callable[..., tuple[Table, list[list[str]]]]

COUNTRIES = ["Chile", "Fiji", "Ghana", "Iran", "Japan", "Kenya", "Laos", "Mali", "Oman", "Peru"]


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: bytes | str, **reading: object) -> tuple[Table, list[list[str]]]:
        given = Reading.model_validate(reading)
        table = open_table(make_source(content), lambda _names: 0.0, tmp_path, lambda _done: None, given)
        rows = [[cell or "" for cell in row] for row in table.frame.drop("row", "fault").collect().iter_rows()]
        return table, [row for row in rows if any(row)]

    return call


def lines(*rows: list[str]) -> str:
    return "".join(",".join(row) + "\n" for row in rows)


def numbered(columns: int) -> list[list[str]]:
    """Rows of a name and numbers that are no labels."""
    return [[name, *(str((at * 37 + column * 53) % 91 + 3) for column in range(columns))]
            for at, name in enumerate(COUNTRIES)]  # fmt: skip


LABELS = {
    "years": ["Country", "2015", "2016", "2017"],
    "one year": ["Country", "2023"],
    "years backwards": ["Country", "2023", "2022", "2021"],
    "years and a total": ["Country", "2021", "2022", "Total"],
    "years under a blank corner": ["", "2015", "2016", "2017"],
    "hours": ["Day", *map(str, range(24))],
    "months": ["Item", *map(str, range(1, 13))],
    "depths": ["Station", "0", "5", "10", "20", "50"],
    "steps": ["Item", "0.5", "1.0", "1.5"],
    "dates": ["Item", "2024-01-01", "2024-02-01", "2024-03-01"],
    "times": ["Day", "00:00", "06:00", "12:00", "18:00"],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_above_numbers_are_a_header(kind: str, read: Read) -> None:
    header = LABELS[kind]
    rows = numbered(len(header) - 1)
    table, found = read(lines(header, *rows))
    assert (table.columns, found) == (tuple(header), rows)


NO_HEADERS = {
    "years in every row": [[name, str(2000 + at), str(2005 + at)] for at, name in enumerate(COUNTRIES)],
    "steps in every row": [[name, str(at), str(at + 1), str(at + 2)] for at, name in enumerate(COUNTRIES)],
    "numbers": numbered(4),
    "dates in every row": [[name, f"2024-01-{at + 1:02}", "5"] for at, name in enumerate(COUNTRIES)],
}


@pytest.mark.parametrize("kind", NO_HEADERS)
def test_a_row_like_the_others_is_no_header(kind: str, read: Read) -> None:
    table, found = read(lines(*NO_HEADERS[kind]))
    assert table.facts["header_line"] is None
    assert found == NO_HEADERS[kind]


DAYS = [f"2024-01-{day:02}" for day in range(1, 13)]
READINGS = [[day, f"{at}.5", f"{at}.25", "ok"] for at, day in enumerate(DAYS)]
NAMES = ["time", "temp", "level", "flag"]
ABOVE = {
    "keys and values": [["Station", "Oslo", "", ""], ["Owner", "City", "", ""], ["", "", "", ""], NAMES],
    "one right above": [["Station", "Oslo", "", ""], NAMES],
    "keys and values, not padded": [["Station", "Oslo"], ["Owner", "City"], [""], NAMES],
    "thirty lines": [*[["a note"]] * 30, NAMES],
}


@pytest.mark.parametrize("kind", ABOVE)
def test_keys_and_values_above_a_header_are_none(kind: str, read: Read) -> None:
    table, found = read(lines(*ABOVE[kind], *READINGS))
    assert (table.columns, found) == (tuple(NAMES), READINGS)


def test_a_row_of_units_is_told_and_is_no_part_of_the_names(read: Read) -> None:
    table, found = read(lines(NAMES, ["UTC", "degC", "m", ""], *READINGS))
    assert (table.columns, found) == (tuple(NAMES), READINGS)
    assert table.facts["units"] == {"time": "UTC", "temp": "degC", "level": "m"}


def test_a_row_of_currencies_is_a_row_of_units(read: Read) -> None:
    table, found = read(lines(["time", "net", "tax", ""], ["UTC", "kr", "US$", ""], *READINGS))
    assert (table.columns[:3], found) == (("time", "net", "tax"), READINGS)
    assert table.facts["units"] == {"time": "UTC", "net": "kr", "tax": "US$"}


def test_the_definition_row_of_rdb_is_no_part_of_the_names(read: Read) -> None:
    table, found = read("# a remark\nagency\tsite\tflow\n5s\t15s\t12n\nUSGS\t03\t1.5\nUSGS\t04\t2.5\n")
    assert table.columns == ("agency", "site", "flow")
    assert found == [["USGS", "03", "1.5"], ["USGS", "04", "2.5"]]


HEADERS = {
    "expenses": (
        [["A. Person", *[""] * 4], [""] * 5, ["Date", "Purpose", "Travel", "", "Total"], ["", "", "Air", "Rail", ""]],
        ["Date", "Purpose", "Travel Air", "Travel Rail", "Total"],
        [["04/04/2014", "talk", "", "£5.50", "£5.50"], ["05/04/2014", "visit", "£3", "", "£3"]] * 2,
    ),
    "groups of years": (
        [["", "2023", "", "2024", ""], ["", "H1", "H2", "H1", "H2"], ["Region", "USD", "USD", "USD", "USD"]],
        ["Region", "2023 H1 USD", "2023 H2 USD", "2024 H1 USD", "2024 H2 USD"],
        numbered(4),
    ),
    "years of groups": (
        [["", "Sales", "", "Costs", ""], ["Region", "2022", "2023", "2022", "2023"]],
        ["Region", "Sales 2022", "Sales 2023", "Costs 2022", "Costs 2023"],
        numbered(4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
def test_the_rows_of_a_header_are_joined(kind: str, read: Read) -> None:
    above, names, rows = HEADERS[kind]
    table, found = read(lines(*above, *rows))
    assert (list(table.columns), found) == (names, rows)


SHORT, LONG = [[str(n), f"x{n}"] for n in range(20)], [[str(n), f"x{n}", "new"] for n in range(20, 60)]
GROWING = {
    "most rows are wide": [["a", "b"], *SHORT, *LONG],
    "few rows are wide": [["a", "b"], *[[str(n), f"x{n}"] for n in range(40)], *LONG[:6]],
    "twice": [["a", "b"], *SHORT, *LONG, *[[*row, "9"] for row in LONG]],
    "a log": [["time", "level"], *[["2024-01-01 00:00:01", "INFO"]] * 15, *[["2024-01-01 00:00:02", "INFO", "h"]] * 30],
}


@pytest.mark.parametrize("kind", GROWING)
def test_no_row_is_lost_where_rows_grow_wider(kind: str, read: Read) -> None:
    header, *rows = GROWING[kind]
    table, found = read(lines(header, *rows))
    assert [name for name in table.columns if name] == header
    width = max(map(len, rows))
    assert found == [row + [""] * (width - len(row)) for row in rows]


def test_a_line_alone_with_a_delimiter_is_a_cell(read: Read) -> None:
    table, found = read("c0\nv0\na;b\n")
    assert (table.columns, found) == (("c0",), [["v0"], ["a;b"]])


ITEMS = [[name, str(at), f"{at}.5"] for at, name in enumerate(COUNTRIES)]
BELOW = {
    "notes": "\nNotes: none\nSource: ERP\n",
    "notes behind blank cells": ",,\nNotes: excl. VAT,,\nSource: ERP,,\n",
    "a star": "* estimated,,\n",
}


@pytest.mark.parametrize("kind", BELOW)
def test_notes_below_are_no_rows(kind: str, read: Read) -> None:
    table, found = read(lines(["Item", "Qty", "Price"], *ITEMS) + BELOW[kind])
    assert found == ITEMS
    assert table.facts["lines_below"]


@pytest.mark.parametrize("title", ["", "Table 2\n", "Table 2,,\n"])
def test_a_second_table_with_the_same_header_is_another(title: str, read: Read) -> None:
    text = lines(["Item", "Qty", "Price"], *ITEMS)
    table, found = read(f"{text}\n{title}{text}")
    assert found == ITEMS
    assert table.facts["other_tables"]


COLUMNS = {
    "ts": [f"2024-09-{n:02} 12:{n:02}:00" for n in range(1, 25)],
    "Start Time": [f"{n}/12/2024 1:{n:02} PM" for n in range(1, 12)],
    "date": [f"{n:02}/03/2024" for n in range(1, 25)],
    "name": [f"{name} {name[::-1].title()}" for name in COUNTRIES],
    "surname": [f"{name}, {name[::-1].title()}" for name in COUNTRIES],
    "phone": [f"+49 30 1234{n}" for n in range(10, 30)],
    "Phone Number": [f"(212) 555-01{n}" for n in range(10, 30)],
    "Telefon": [f"030/1234{n}" for n in range(10, 30)],
    "url": [f"https://example.org/a/{n}?x={n}" for n in range(20)],
    "path": [f"/var/log/{n}.log" for n in range(20)],
    "mac": [f"00:1a:2b:3c:4d:{n}" for n in range(10, 30)],
    "price": [f"{n},25" for n in range(20)],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_one_column_of_text_stays_one(name: str, read: Read) -> None:
    table, found = read(name + "\n" + "".join(f"{cell}\n" for cell in COLUMNS[name]))
    assert (table.columns, found) == ((name,), [[cell] for cell in COLUMNS[name]])


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('20,"N20, jr",,"C20",2.5', ["20", "N20, jr", "C20", "2.5"]),
        ('20,"N20","C20",,2.5', ["20", "N20", "C20", "2.5"]),
        ('20,"N20""C20",2.5', ["20", "N20", "C20", "2.5"]),
        ('20,"N20" "C20",2.5', ["20", "N20", "C20", "2.5"]),
        ('20,"N20, jr""C20",2.5', ["20", "N20, jr", "C20", "2.5"]),
    ],
)
def test_quoted_cells_are_neither_glued_nor_left_together(row: str, cells: list[str], read: Read) -> None:
    rows = "".join(f'{n},"N{n}, jr","C{n}",{n}.5\n' for n in range(10, 20))
    _, found = read(f"id,name,city,v\n{rows}{row}\n")
    assert found[-1] == cells


def test_quotes_doubled_within_other_quotes_are_one(read: Read) -> None:
    _, found = read("id,name,v\n1,'it''s a, b',2\n2,'x''y',3\n3,'plain',4\n")
    assert [row[1] for row in found] == ["it's a, b", "x'y", "plain"]


def test_what_somebody_wants_makes_no_delimiter_of_what_is_none(tmp_path: Path, make_source: MakeSource) -> None:
    header = "@id,point.label,sample/date,result,unit/label"
    text = header + "\n" + "".join(f"http://x.org/a/b{n},P{n},2024-01-01,{n}.5,mg/l\n" for n in range(20))

    def wants_slashes(names: object) -> float:
        return 9.0 if isinstance(names, (list, tuple)) and "a" in names else 0.0

    table = open_table(make_source(text), wants_slashes, tmp_path, lambda _done: None)
    assert table.columns == tuple(header.split(","))


@pytest.mark.parametrize("name", ["report [2024].csv", "report *.csv", "a?.csv"])
def test_no_path_is_a_pattern(name: str, tmp_path: Path, make_source: MakeSource) -> None:
    folder = tmp_path / "f [ab]*"
    folder.mkdir()
    for other in ("report 2.csv", "report 4.csv", "ab.csv"):
        (folder / other).write_text("x,y\n9,9\n")
    (folder / name).write_text("id,v\n1,2\n3,4\n")
    source = make_source("")
    source = type(source)(folder / name, name, "", (folder / name).stat().st_size)
    frame = open_table(source, lambda _names: 0.0, folder, lambda _done: None).frame
    assert frame.select("0", "1").collect().rows() == [("1", "2"), ("3", "4")]


TEXTS = {
    "cp932": "番号,氏名/1,山田太郎/2,鈴木花子",
    "euc_jp": "番号,氏名/1,やまだ/2,鈴木",
    "gb18030": "编号,姓名/1,张伟/2,李娜",
    "big5": "編號,姓名/1,陳大文/2,林小明",
    "cp949": "번호,이름/1,김철수/2,이영희",
    "cp1252": "name;price/Zoë Müller;5 €",
    "cp1250": "jméno,město/Dvořák,Plzeň/Řehoř,Děčín",
    "cp1251": "имя,город/Иван,Москва/Юлия,Тюмень",
    "cp1254": "ad,şehir/Ayşe,İstanbul/Çağlar,Eskişehir",
    "cp850": "name,ort/Müller,Köln/Größe,Mädchen",
}


@pytest.mark.parametrize("times", [1, 300])
@pytest.mark.parametrize("encoding", TEXTS)
def test_an_encoding_is_found_in_short_and_long_texts(encoding: str, times: int, read: Read) -> None:
    header, body = f"{TEXTS[encoding]}/".replace("/", "\n").split("\n", 1)
    table, found = read((header + "\n" + body * times).encode(encoding))
    delimiter = ";" if ";" in header else ","
    assert table.facts["encoding"] == encoding
    assert list(table.columns) == header.split(delimiter)
    assert len(found) == times * body.count("\n")


def test_an_encoding_that_would_do_as_well_is_named_and_may_be_given(read: Read) -> None:
    content = "name,n\nZoë,1\n".encode("cp1252")
    assert read(content)[0].facts["other_encodings"] == ["cp1257"]
    assert read(content, encoding="cp1257")[1] == [["Zoė", "1"]]


def test_bytes_that_make_words_in_no_encoding_are_refused(read: Read) -> None:
    with pytest.raises(Unprocessable, match="neither"):
        read(b"a,b\n\x81\x9d\x8f x,\xff\xfe\xfd\x90y\n" * 3)


def test_cells_that_are_named_hold_no_value(read: Read) -> None:
    table, found = read("id,v\n1,5\n2,closed\n3,\n4,7\n", missing_values=["closed"])
    assert [row[1] for row in found] == ["5", "", "", "7"]
    assert [kind.kind for kind in infer_types(table, Reading())] == [Kind.INTEGER, Kind.INTEGER]


NUMBERED = [(str(number), str(number * 2)) for number in range(40)]
KEYS = "".join(f"Key{number},val{number}\n" for number in range(25))
LOG = [f"2024-01-01 00:00:{number:02},INFO,started job {number}" for number in range(40)]
WHERE_THE_TABLE_IS: dict[str, tuple[str, tuple[list[str], int, dict[str, object]]]] = {
    "the later rows end early": (
        "a,b,c\n" + "".join(f"{one},{two}" + (",9" if at < 3 else "") + "\n" for at, (one, two) in enumerate(NUMBERED)),
        (["a", "b", "c"], 40, {}),
    ),
    "all rows end early": ("a,b,c,d\n1,2\n3,4\n5,6\n", (["a", "b", "c", "d"], 3, {})),
    "every third row has a cell more": (
        "a,b\n" + "".join(f"{one},{two}" + ",9" * (at % 3 == 0) + "\n" for at, (one, two) in enumerate(NUMBERED)),
        (["a", "b", ""], 40, {}),
    ),
    "the last rows of a log have a cell more": (
        "time,level,msg\n" + "".join(line + ",extra" * (at > 36) + "\n" for at, line in enumerate(LOG)),
        (["time", "level", "msg", ""], 40, {}),
    ),
    "keys and values above": (
        KEYS + "\nTime,Temp,Hum\n10:00,1.5,80\n10:10,1.6,81\n10:20,1.7,82\n",
        (["Time", "Temp", "Hum"], 3, {"other_tables": [{"first_line": 1, "last_line": 26}]}),
    ),
    "keys behind colons above": (
        "".join(f"Setting {number}: value {number}\n" for number in range(30))
        + "\nid,city,people\n1,Rome,10\n2,Paris,11\n3,Bonn,12\n",
        (["id", "city", "people"], 3, {"lines_above": 30}),
    ),
    "three rows of a header above three of data": (
        ",Pay,Pay\nPost,Senior,Senior\nUnique,Floor,Ceiling\n1,10,20\n2,11,21\n3,15,26\n",
        (["Post Unique", "Pay Senior Floor", "Pay Senior Ceiling"], 3, {"header_rows": 3}),
    ),
    "two tables of text": (
        "PERSON,PLACE\nann,rome\nbob,paris\ncy,bonn\n\nTHING,LOOK\nmug,red\npen,blue\n",
        (["PERSON", "PLACE"], 3, {"other_tables": [{"first_line": 6, "last_line": 8}]}),
    ),
    "two tables of text of other widths": (
        "Who,Home\nAnn,Rome\nBob,Paris\nCy,Bonn\n\nThing,Look,Spot\nMug,Red,Here\nPen,Blue,There\nCup,Green,Here\n",
        (["Thing", "Look", "Spot"], 3, {"other_tables": [{"first_line": 1, "last_line": 5}]}),
    ),
    "a source right below": (
        "item,qty,price\na,1,2.5\nb,2,3.5\nc,3,4.5\nSource: the office\n",
        (["item", "qty", "price"], 3, {"lines_below": 1}),
    ),
}


@pytest.mark.parametrize("kind", WHERE_THE_TABLE_IS)
def test_the_table_is_found_whole_where_rows_are_of_several_widths(kind: str, read: Read) -> None:
    content, (header, count, facts) = WHERE_THE_TABLE_IS[kind]
    table, found = read(content)
    assert (list(table.columns), len(found)) == (header, count)
    assert {name: table.facts.get(name) for name in facts} == facts


def test_rows_of_text_that_grow_wider_are_all_kept(read: Read) -> None:
    text = "".join(",".join(f"{column}{row}" for column in "abcdef"[: 2 + row // 3]) + "\n" for row in range(9))
    table, found = read(text)
    assert table.facts["header_line"] is None
    assert [[cell for cell in row if cell] for row in found] == [line.split(",") for line in text.splitlines()]
