"""JSON that is no array of records: by columns, as an object of rows, with its names beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import Unprocessable
from assay.formats import Table, open_table, preview
from assay.formats.json.stream import JsonReader
from assay.reading import Reading
from tests.assay.analyses import MakeSource, write_source

Read = Callable[[object], tuple[Table, list[tuple[Any, ...]]]]

ROWS = [("1", "x"), ("2.50", "y"), (None, "z")]
A, B = ["1", "2.50", "null"], ['"x"', '"y"', '"z"']
KEYS = ["Ann", "Bob", "Eve"]


@pytest.fixture
def read(tmp_path: Path, make_source: MakeSource) -> Read:
    def call(content: object) -> tuple[Table, list[tuple[Any, ...]]]:
        text = content if isinstance(content, str) else json.dumps(content)
        source = make_source(text.encode(), "a.json")
        table = open_table(source, lambda _: 0.0, tmp_path, lambda _: None, Reading())
        rows = table.frame.collect().drop("row", "fault").rows()
        head = preview(source, lambda _: 0.0)
        assert (head.columns, [tuple(row) for row in head.rows]) == (table.columns, rows)
        return table, [tuple(cell or None for cell in row) for row in rows]

    return call


def _object(names: list[str], values: list[str]) -> str:
    pairs = (f"{json.dumps(name)}: {value}" for name, value in zip(names, values, strict=True))
    return f"{{{', '.join(pairs)}}}"


def _list(values: list[str]) -> str:
    return f"[{', '.join(values)}]"


def _by_columns(keys: list[str]) -> str:
    return _object(["a", "b"], [_object(keys, A), _object(keys, B)])


def _by_rows(keys: list[str]) -> str:
    return _object(keys, [_object(["a", "b"], [*cells]) for cells in zip(A, B, strict=True)])


def _split(keys: list[str]) -> str:
    data = _list([_list([*cells]) for cells in zip(A, B, strict=True)])
    return _object(["columns", "index", "data"], ['["a", "b"]', json.dumps(keys), data])


ARRAYS = _object(["a", "b"], [_list(A), _list(B)])
# What pandas writes: its rows are numbered, or have names of their own.
UNNAMED = {
    "arrays": ARRAYS,
    "arrays below others": f'{{"status": "ok", "units": {{"a": "m"}}, "result": {{"hourly": {ARRAYS}}}}}',
    "columns": _by_columns(["0", "1", "2"]),
    "columns under a key": f'{{"n": 3, "data": {_by_columns(["0", "1", "2"])}}}',
    "index": _by_rows(["0", "1", "2"]),
    "split": _split(["0", "1", "2"]),
}
NAMED = {"columns": _by_columns, "index": _by_rows, "split": _split}


@pytest.mark.parametrize("content", UNNAMED.values(), ids=UNNAMED)
def test_reads_every_form_of_a_table(read: Read, content: str) -> None:
    table, rows = read(content)
    assert (table.columns, rows) == (("a", "b"), ROWS)


@pytest.mark.parametrize("form", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("keys", [KEYS, ["5", "7", "9"]], ids=["names", "numbers"])
def test_the_names_of_rows_are_a_column(read: Read, form: Callable[[list[str]], str], keys: list[str]) -> None:
    table, rows = read(form(keys))
    assert (table.columns, rows) == (("", "a", "b"), [(key, *row) for key, row in zip(keys, ROWS, strict=True)])


def test_rows_of_an_object_may_lack_cells(read: Read) -> None:
    table, rows = read({"u1": {"name": "Ann", "age": 3}, "u2": {"name": "Bob"}, "u3": {"age": 5, "name": "Eve"}})
    assert table.columns == ("", "name", "age")
    assert rows == [("u1", "Ann", "3"), ("u2", "Bob", None), ("u3", "Eve", "5")]


@pytest.mark.parametrize(
    "content",
    [
        {"name": "x", "scripts": {"a": "b", "c": "d"}, "others": {"e": "1", "f": "2"}},
        {"a": [1, 2, 3], "b": [1, 2]},
        {"id": 1, "tags": ["a", "b"]},
        {"result": {"a": 1, "b": 2}},
        {"0": {"a": 1, "tags": ["x"]}, "1": {"a": 2, "tags": ["y", "z"]}},
        {"a": [], "b": []},
    ],
    ids=["settings", "unequal", "record", "object", "lists within", "nothing"],
)
def test_what_is_no_table_is_not_made_one(read: Read, content: object) -> None:
    with pytest.raises(Unprocessable) as caught:
        read(content)
    assert caught.value.code == "no_table"


def test_columns_are_described_beside_the_rows(read: Read) -> None:
    described = [{"id": -1, "name": "sid", "fieldName": ":sid"}, {"id": 7, "name": "Permit No", "fieldName": "no"}]
    content = {"meta": {"view": {"name": "Permits", "columns": described, "tags": ["a", "b"]}}, "data": [["r1", "P1"]]}
    table, rows = read(content)
    assert (table.columns, rows, table.facts["array"]) == (("sid", "Permit No"), [("r1", "P1")], "data")
    fields = {"fields": [{"name": "index", "type": "integer"}, {"name": "a", "type": "string"}]}
    table, rows = read({"schema": fields, "data": [{"index": 0, "a": "x"}]})
    assert (table.columns, rows) == (("index", "a"), [("0", "x")])


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_number_may_be_cut_where_a_piece_ends(cut: int) -> None:
    content = "[" + " " * ((1 << 20) - 1 - cut) + "1.5e3, 2]"
    assert [*JsonReader(io.TextIOWrapper(io.BytesIO(content.encode()))).items()] == ["1.5e3", "2"]


def test_a_header_that_is_not_there_is_none(read: Read) -> None:
    table, _ = read([[1, 2], [3, 4]])
    assert (table.columns, table.facts["header_line"]) == (("column_1", "column_2"), None)


cell = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(
    columns=st.dictionaries(st.text(max_size=4), st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=4),
    objects=st.booleans(),
)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_come_back(columns: dict[str, list[object]], objects: bool, tmp_path: Path) -> None:
    shaped = {name: {str(at): value for at, value in enumerate(cells)} for name, cells in columns.items()}
    source = write_source(tmp_path / "any", json.dumps(shaped if objects else columns).encode(), "any.json")
    table = open_table(source, lambda _: 0.0, tmp_path, lambda _: None, Reading())
    found = table.frame.collect()
    assert list(table.columns) == [*columns]
    for at, cells in enumerate(columns.values()):
        texts = [one if isinstance(one, str) else "" if one is None else json.dumps(one) for one in cells]
        assert [one or "" for one in found[str(at)]] == texts
