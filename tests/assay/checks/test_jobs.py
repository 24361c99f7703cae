"""A schema given to a job: the same checks, among the outputs of any dataset type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.datasets import registry
from assay.errors import Unprocessable
from tests.assay.analyses import Run
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


def test_without_a_schema_nothing_is_checked(run: Run) -> None:
    found = run("a,b\n1,2\n3,4\n", dataset_type="table")
    assert OUTPUTS.isdisjoint(output.name for output in found.outputs)
    assert "schema" not in json.loads(path_of(found, "manifest.json").read_bytes())["parameters"]


def test_a_schema_that_is_none_is_the_users_fault(run: Run) -> None:
    with pytest.raises(Unprocessable) as caught:
        run("a,b\n1,2\n", {"schema": {"fields": [{"name": "a", "type": "int"}]}}, dataset_type="table")
    assert (caught.value.code, "schema.fields.0.type" in caught.value.detail) == ("invalid_parameters", True)
