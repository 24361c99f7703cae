"""A schema given to a job: the same checks, among the outputs of any dataset type."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from assay.datasets import registry
from assay.errors import Unprocessable
from tests.assay.analyses import Run
from tests.assay.checks.checking import as_csv
from tests.assay.outputs import path_of

OUTPUTS = {"checks.json", "violations.parquet", "violations.csv", "valid.parquet", "valid.csv", "refused.csv"}


@pytest.mark.parametrize("info", registry.datasets(), ids=lambda info: info.name)
def test_any_dataset_type_takes_a_schema(run: Run, info: registry.DatasetInfo) -> None:
    content = (info.folder / "example.csv").read_bytes()
    header = content.splitlines()[0].decode().split(",")
    fields: list[dict[str, Any]] = [{"name": name} for name in header]
    fields[0]["constraints"] = {"maxLength": 1}
    schema = {"fields": fields}
    found = run(content, {"schema": schema}, dataset_type=info.dataset_type)
    assert {output.name for output in found.outputs} > OUTPUTS
    rows = len(content.splitlines()) - 1
    report = json.loads(path_of(found, "checks.json").read_bytes())
    assert report["rows"]["valid"] + report["rows"]["refused"] == report["rows"]["read"] == rows
    assert found.summary.figures["rows_refused_by_schema"] == report["rows"]["refused"] > 0
    manifest = json.loads(path_of(found, "manifest.json").read_bytes())
    assert manifest["parameters"]["schema"]["fields"][0]["constraints"] == {"maxLength": 1}
    assert {one["name"] for one in manifest["outputs"]} > OUTPUTS
    assert run(content, {"schema": schema}, dataset_type=info.dataset_type).manifest_sha256 == found.manifest_sha256


def in_sheets(rows: list[list[str]]) -> bytes:
    """A workbook of three sheets, each of which has these rows."""
    book = openpyxl.Workbook()
    for name in ("M1", "M2", "M3"):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def beside_another(rows: list[list[str]]) -> bytes:
    """A text of these rows, a blank line, and a longer table of something else."""
    other = [
        ["Employee", "City", "Phone", "Age", "Height"],
        *([f"P{at}", "Town", "-", "30", "1.8"] for at in range(30)),
    ]
    return as_csv([*rows, [], *other])


@pytest.mark.parametrize("made", [in_sheets, beside_another])
@pytest.mark.parametrize("info", registry.datasets(), ids=lambda info: info.name)
def test_the_rows_that_are_checked_are_those_that_are_analysed(
    run: Run, info: registry.DatasetInfo, made: Callable[[list[list[str]]], bytes]
) -> None:
    rows = [line.split(",") for line in (info.folder / "example.csv").read_text().splitlines()[:6]]
    found = run(made(rows), {"schema": {"fields": [{"name": rows[0][0]}]}}, dataset_type=info.dataset_type)
    report = json.loads(path_of(found, "checks.json").read_bytes())
    assert report["rows"]["valid"] + report["rows"]["refused"] == found.summary.counts["rows"].read
    if info.dataset_type != "table":
        assert [one["column"] for one in report["columns"]] == [rows[0][0]]
        assert report["rows"]["read"] == (15 if made is in_sheets else 5)


def test_without_a_schema_nothing_is_checked(run: Run) -> None:
    found = run("a,b\n1,2\n3,4\n", dataset_type="table")
    assert OUTPUTS.isdisjoint(output.name for output in found.outputs)
    assert "schema" not in json.loads(path_of(found, "manifest.json").read_bytes())["parameters"]


def test_a_schema_that_is_none_is_the_users_fault(run: Run) -> None:
    with pytest.raises(Unprocessable) as caught:
        run("a,b\n1,2\n", {"schema": {"fields": [{"name": "a", "type": "int"}]}}, dataset_type="table")
    assert (caught.value.code, "schema.fields.0.type" in caught.value.detail) == ("invalid_parameters", True)
