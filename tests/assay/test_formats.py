"""Workbooks of every kind, Parquet, JSON, and any of them in an archive: the same table comes out as from its text."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats import Table, open_table, preview
from assay.reading import Reading
from tests.assay.analyses import MakeSource, write_source
from tests.assay.office import Rows, archive, ods, ods_rows, xls, xls_cells, xlsb, xlsb_cells

Read = Callable[..., tuple[Table, list[tuple[str | None, ...]]]]

ROWS: list[list[str | float | None]] = [
    ["name", "city", "amount"],
    ["Ann", "Höfn", 1.5],
    ["Bob", None, 1 / 3],
    ["Eve", "007", 1e22],
]
NAMES = ("name", "city", "amount")
CSV = "name,city,amount\nAnn,Höfn,1.5\nBob,,0.3333333333333333\nEve,007,1e22\n"
CELLS = [("Ann", "Höfn", "1.5"), ("Bob", None, "0.3333333333333333"), ("Eve", "007", "1e22")]


def nobody(_: Sequence[str]) -> float:
    return 0.0


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: bytes | str, filename: str = "a", **reading: str) -> tuple[Table, list[tuple[str | None, ...]]]:
        return opened(make_source(content, filename), tmp_path, Reading.model_validate(reading))

    return call


def opened(source: Source, folder: Path, reading: Reading) -> tuple[Table, list[tuple[str | None, ...]]]:
    """The table, and its cells; what a preview shows has to be the same."""
    table = open_table(source, nobody, folder, lambda _: None, reading)
    frame = table.frame.collect(engine="streaming")
    assert frame.columns == ["row", "fault", *(str(at) for at in range(len(table.columns)))]
    assert frame["row"].to_list() == list(range(1, frame.height + 1))
    cells = frame.drop("row", "fault").rows()
    head = preview(source, nobody, reading)
    assert head.columns == table.columns
    if table.facts["format"] in ("xlsx", "xls", "xlsb", "ods"):
        assert [row[0] for row in head.rows] == [cells[at][0] for at in range(len(head.rows))]  # it rounds numbers
    else:
        shown = [tuple((cell or "").strip() or None for cell in row) for row in cells[: len(head.rows)]]
        assert [(*row, *[None] * (len(table.columns) - len(row))) for row in head.rows] == shown
    return table, cells


def parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def xlsx(*sheets: Rows) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS[1:]]
FILES: dict[str, bytes] = {
    "text": CSV.encode(),
    "xlsx": xlsx(ROWS),
    "xls": xls({"S": xls_cells(ROWS)}),
    "xlsb": xlsb({"S": xlsb_cells(ROWS)}),
    "ods": ods({"S": ods_rows(ROWS)}),
    "parquet": parquet(pl.DataFrame(RECORDS)),
    "json": json.dumps(RECORDS, indent=1).encode(),
    "ndjson": "\n\n".join(json.dumps(one, ensure_ascii=False) for one in RECORDS).encode(),
}


def same(cells: Sequence[Sequence[str | None]]) -> list[tuple[str | None, ...]]:
    """Cells with their numbers in one form."""
    return [(name, city, repr(float(amount or "nan"))) for name, city, amount in cells]


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("packed", [None, "gzip", "zstd", "zip"])
def test_the_content_decides(form: str, packed: str | None, read: Read) -> None:
    content = FILES[form]
    if packed == "gzip":
        content = gzip.compress(content)
    elif packed == "zstd":
        half = len(content) // 2
        content = zstandard.compress(content[:half]) + zstandard.compress(content[half:])
    elif packed == "zip":
        content = archive({"folder/a.csv": content, "read.me": "x" * 5000, "__MACOSX/b.csv": "y" * 9000})
    for name in ("a", "a.csv", "a.XLSX"):
        table, cells = read(content, name)
        assert (table.columns, same(cells)) == (NAMES, same(CELLS))
        assert table.facts["format"] == form
        assert table.facts.get("container") == packed
    if packed == "zip":
        assert (table.facts["member"], table.facts["members_not_read"]) == ("folder/a.csv", ["read.me"])


def test_the_largest_table_of_an_archive_is_read(read: Read) -> None:
    table, _ = read(
        archive({"b.csv": CSV, "a.json": "[]", "c.csv": CSV + "Zoe,Bonn,2\n", "notes.doc": "z" * 999}), "x.zip"
    )
    assert (table.facts["member"], table.facts["members_not_read"]) == ("c.csv", ["b.csv", "a.json", "notes.doc"])


@pytest.mark.parametrize(
    ("name", "about"),
    [("data.csv", "README.txt"), ("survey/d.csv", "survey/LICENSE.txt"), ("api.csv", "Metadata_Country_api.csv"),
     ("d.csv", "d.csv-metadata.json"), ("d.csv", "how.txt"), ("d.txt", "00_readme.txt"), ("i.data", "terms of use.txt"),
     ("d.dat", "README"), ("d.csv", "page.html"), ("d.json", "datapackage.json")],
)  # fmt: skip
def test_data_is_read_before_what_tells_about_it(read: Read, name: str, about: str) -> None:
    content = '[{"name": "Ann"}]' if name.endswith(".json") else CSV
    table, _ = read(archive({about: "all about these data\n" * 99, name: content}), "x.zip")
    assert (table.facts["member"], table.facts["members_not_read"]) == (name, [about])


number = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
scalar = number | st.text(max_size=9) | st.booleans() | st.none()
value = st.recursive(
    scalar, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3)
)
records = st.lists(st.dictionaries(st.sampled_from(["a", "b", "ö d"]), value, min_size=1), min_size=1, max_size=6)


@given(found=records, lines=st.booleans(), plain=st.booleans())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_json_comes_back(found: list[dict[str, object]], lines: bool, plain: bool, tmp_path: Path) -> None:
    if lines:
        content = "\n".join(json.dumps(one, ensure_ascii=plain) for one in found)
    else:
        content = json.dumps({"n": 1, "in": {"rows": found}}, ensure_ascii=plain)
    source = write_source(tmp_path / "any", content.encode(), "any.ndjson" if lines else "any.json")
    table, cells = opened(source, tmp_path, Reading())
    assert set(table.columns) == {name for one in found for name in one}
    for record, row in zip(found, cells, strict=True):
        for name, cell in zip(table.columns, row, strict=True):
            given_value = record.get(name)
            if isinstance(given_value, str):
                assert (cell or "") == given_value
            else:
                assert json.loads(cell or "null") == given_value


def test_numbers_of_json_stay_as_they_are_written(read: Read) -> None:
    table, cells = read('[{"a": 1.10, "b": 12345678901234567890, "c": {"x": [1e5, null, "\\u00f6"]}}, {"d": NaN}]')
    assert table.columns == ("a", "b", "c", "d")
    assert cells[0] == ("1.10", "12345678901234567890", '{"x":[1e5,null,"ö"]}', None)
    assert read('[{"a": "x\\ud800\\u0000"}]')[1] == [("x\\ud800\x00",)]


def test_arrays_of_arrays_have_their_names_first_or_beside(read: Read) -> None:
    assert read('[["name", "n"], ["Ann", 1]]')[0].columns == ("name", "n")
    assert read('{"columns": ["p", "q"], "data": [[1, 2], [3, 4]]}')[0].columns == ("p", "q")
    table, cells = read("[[1, 2], [3, 4]]")
    assert (table.columns, len(cells), table.facts["header"]) == (("column_1", "column_2"), 2, "none")


def test_the_largest_array_is_read_and_the_others_named(read: Read) -> None:
    table, cells = read('{"few": [{"x": 1}], "many": [{"y": 1}, {"y": 2}]}')
    assert (table.columns, len(cells)) == (("y",), 2)
    assert table.facts["tables_not_read"] == [{"array": "few", "rows": 1, "columns": 1}]


@pytest.mark.parametrize("content", ["[id],[name]\n1,x\n", "{a};{b}\n1;2\n", '"a","b"\n1,2\n', "[1],[2]\n3,4\n"])
def test_brackets_alone_make_no_json(content: str, read: Read) -> None:
    assert read(content)[0].facts["format"] == "text"


def test_parquet_loses_nothing(read: Read) -> None:
    frame = pl.DataFrame(
        {
            "whole": [2**63 - 1, None],
            "float": [0.1, float("nan")],
            "decimal": pl.Series(["1.50", "-0.05"]).cast(pl.Decimal(10, 2)),
            "text": ["007", ""],
            "day": [date(2024, 1, 2), None],
            "moment": [datetime(2024, 1, 2, 3, 4, 5, 6000, UTC), None],
            "clock": [time(1, 2, 3), None],
            "flag": [True, None],
            "list": [[1, 2], None],
            "bytes": [b"\xff", None],
        }
    )
    table, cells = read(parquet(frame))
    assert table.columns == tuple(frame.columns)
    assert cells == [
        ("9223372036854775807", "0.1", "1.50", "007", "2024-01-02", "2024-01-02 03:04:05.006+00:00", "01:02:03", "true",
         "[1,2]", "ff"),
        (None, None, "-0.05", "", None, None, None, None, None, None),
    ]  # fmt: skip


def test_names_in_two_lines_are_joined(read: Read) -> None:
    rows: Rows = [
        ["Sales of all years"],
        [],
        ["Region", 2023, None, 2024, None],
        [None, "Q1", "Q2", "Q1", "Q2"],
        ["North", 1, 2, 3, 4],
    ]
    table, cells = read(xlsx(rows))
    assert table.columns == ("Region", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2")
    assert (len(cells), table.facts["header_line"], table.facts["header_rows"]) == (1, 3, 2)


def test_the_largest_sheet_is_read_or_the_one_that_is_named(read: Read) -> None:
    notes: Rows = [["about", "this"], ["a", "b"]]
    data: Rows = [["k", "v"], *([n, n] for n in range(9))]
    assert read(xlsx(notes, data))[0].facts["sheets"] == ["Sheet1"]
    assert read(xlsx(notes, data), sheet="Sheet")[0].columns == ("about", "this")
    with pytest.raises(Unprocessable) as caught:
        read(xlsx(notes), sheet="None")
    assert (caught.value.code, caught.value.suggestion) == ("no_such_sheet", "Its sheets are: Sheet.")


def test_a_sheet_without_a_header_has_numbered_columns(read: Read) -> None:
    table, cells = read(xlsx([[1, 2.5], [3, 4.5]]))
    assert (table.columns, cells) == (("column_1", "column_2"), [("1", "2.5"), ("3", "4.5")])
    assert table.facts["header_line"] is None
    assert read(xlsx([["a", "b"], ["c", "d"]]), header="none")[1] == [("a", "b"), ("c", "d")]
    assert read(xlsx([["a", "b"], ["c", "d"], ["e", "f"]]), header_line="2")[0].columns == ("c", "d")
