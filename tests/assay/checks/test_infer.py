"""A schema made from a file: what it says, and that the file itself passes it but for cells that are odd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import frictionless
import polars as pl
import pytest

import assay
from assay.checks.infer import infer_schema
from assay.files import open_file
from assay.reading import Reading
from assay.types import infer_types
from tests.assay.checks.checking import as_csv, checked

COLUMNS: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "integer"}, ["1", "2", "30"]),
    ({"type": "number", "decimalChar": ",", "groupChar": "."}, ["1.234,5", "2,25", "-7,0"]),
    ({"type": "number", "bareNumber": False}, ["$5.50", "$7.25", "$-1.00"]),
    ({"type": "date"}, ["2024-01-31", "2024-02-01", "2024-02-02"]),
    ({"type": "date", "format": "%d/%m/%Y"}, ["31/01/2024", "01/02/2024", "02/02/2024"]),
    ({"type": "date", "format": "%d.%m.%Y"}, ["31.01.2024", "01.02.2024", "02.02.2024"]),
    ({"type": "datetime", "format": "%Y-%m-%d %H:%M:%S"},
     ["2024-01-31 10:00:00", "2024-02-01 11:30:00", "2024-02-02 00:00:01"]),
    ({"type": "datetime"}, ["2024-01-31T10:00:00Z", "2024-02-01T11:30:00Z", "2024-02-02T00:00:01Z"]),
    ({"type": "time"}, ["10:00:00", "11:30:00", "12:00:00"]),
    ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, ["yes", "no", "yes"]),
    ({"type": "string"}, ["ab", "ab cd", "x-1"]),
    ({"type": "integer", "missingValues": ["", "NA"]}, ["1", "NA", "5"]),
    ({"type": "string"}, ["0123", "0456", "0789"]),
    ({"type": "date", "format": "%d/%m/%y"}, ["10/02/24", "28/02/24", "11/02/24"]),
    ({"type": "date", "format": "%m/%d/%y"}, ["02/10/24", "02/28/24", "02/11/24"]),
    ({"type": "date", "format": "%d-%b-%y"}, ["10-Feb-24", "28-Feb-24", "11-Feb-24"]),
    ({"type": "datetime", "format": "%d.%m.%y %H:%M"}, ["10.02.24 10:30", "28.02.24 11:30", "11.02.24 12:30"]),
]  # fmt: skip


def inferred(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    folder = path.parent / "between"
    folder.mkdir(exist_ok=True)
    table = open_file(path, Reading(), folder, lambda _done: None)
    return infer_schema(table, infer_types(table, Reading()))


@pytest.mark.parametrize(("field", "cells"), COLUMNS, ids=lambda one: str(one)[:50])
def test_a_column_is_what_the_standard_calls_it(tmp_path: Path, field: dict[str, Any], cells: list[str]) -> None:
    rows = [["key", "value"], *([f"row {at}", cells[at % 3]] for at in range(9))]
    (tmp_path / "rows.csv").write_bytes(as_csv(rows))
    schema, odd = inferred(tmp_path / "rows.csv")
    required = {} if "NA" in cells else {"constraints": {"required": True}}
    assert schema["fields"][1] == {"name": "value", **field, **required}
    assert odd == {}
    assert checked(tmp_path, as_csv(rows), schema).checked.errors == 0
    package = frictionless.Resource(data=rows, schema=frictionless.Schema.from_descriptor(schema))
    assert frictionless.validate(package).valid


# What the package reads without their sign, or not at all.
@pytest.mark.parametrize(
    ("field", "cells"),
    [
        ({"type": "number", "bareNumber": False}, ["-$5.50", "$7.25", "$1.00"]),
        ({"type": "number", "bareNumber": False}, ["($5.50)", "$7.25", "$1.00"]),
        ({"type": "datetime"}, ["2024-01-31T10:00:00+02:00", "2024-02-01T11:30:00+02:00", "2024-02-02T00:00:01+02:00"]),
        # One of them is read otherwise, if at all: a minus behind a point, which is no sign in Switzerland.
        ({"type": "string"}, ["5.- CHF", "6 CHF", "7.50 CHF-"]),
    ],
)
def test_a_column_is_read_as_assay_reads_it(tmp_path: Path, field: dict[str, Any], cells: list[str]) -> None:
    rows = [["key", "value"], *([f"row {at}", cells[at % 3]] for at in range(9))]
    (tmp_path / "rows.csv").write_bytes(as_csv(rows))
    schema, odd = inferred(tmp_path / "rows.csv")
    assert {name: said for name, said in schema["fields"][1].items() if name != "constraints"} == {
        "name": "value",
        **field,
    }
    found = checked(tmp_path, as_csv(rows), schema)
    assert (odd, found.checked.errors) == ({}, 0)
    valid = pl.read_parquet(found.folder / "valid.parquet")["value"].to_list()
    if field["type"] == "number":
        assert valid == assay.read(tmp_path / "rows.csv").frame["value"].to_list()


def test_odd_cells_are_counted_and_found(tmp_path: Path) -> None:
    rows = [["key", "value"], *([f"row {at}", "ice" if at == 7 else str(at)] for at in range(40))]
    (tmp_path / "rows.csv").write_bytes(as_csv(rows))
    schema, odd = inferred(tmp_path / "rows.csv")
    assert odd == {"value": 1}
    assert checked(tmp_path, as_csv(rows), schema).violations == [(8, "value", "type")]


def test_words_are_listed_where_they_are_few_and_headers_get_names(tmp_path: Path) -> None:
    rows = [["state", "state", ""], *(["open" if at % 2 else "shut", f"{at} x", "a"] for at in range(60))]
    (tmp_path / "rows.csv").write_bytes(as_csv(rows))
    schema, _ = inferred(tmp_path / "rows.csv")
    assert [one["name"] for one in schema["fields"]] == ["state", "state_2", "column_3"]
    assert schema["fields"][0]["constraints"] == {"required": True, "enum": ["open", "shut"]}
    assert "enum" not in schema["fields"][1]["constraints"]
    assert checked(tmp_path, as_csv(rows), schema).checked.errors == 0
