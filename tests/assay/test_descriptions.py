"""What describes the outputs is right: datapackage.json by the `frictionless` package, JSON by its JSON Schema."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import frictionless
import jsonschema_rs
import pytest

from assay.datasets import registry
from tests.assay.analyses import Run
from tests.assay.outputs import path_of

PROJECT = Path(__file__).parents[2]
TEXTS = (
    "=1+1,name,when,many\n1,Zoë,2024-01-31 10:00:00,inf\n2,,2024-02-01 11:00:00,2.5\n3,c,2024-02-02 12:00:00,1e300\n"
)
CONTENTS = [
    *(((info.folder / "example.csv").read_text(encoding="utf-8"), info.dataset_type) for info in registry.datasets()),
    (TEXTS, "table"),
]


@pytest.mark.parametrize(("content", "dataset_type"), CONTENTS, ids=lambda one: str(one)[:20])
def test_outputs_are_what_is_said_of_them(run: Run, content: str, dataset_type: str) -> None:
    header = content.splitlines()[0].split(",")
    schema = {"fields": [{"name": name} for name in header], "primaryKey": header[0]}
    found = run(content, {"schema": schema}, dataset_type=dataset_type)
    path = path_of(found, "datapackage.json")
    package = json.loads(path.read_bytes())
    report = frictionless.Package(str(path)).validate()
    assert report.valid, report.flatten(["name", "message"])
    described = {one["path"]: one for one in package["resources"]}
    assert [*described] == [output.name for output in found.outputs[:-2]]
    for output in found.outputs[:-2]:
        one, content_of = described[output.name], output.path.read_bytes()
        assert (one["bytes"], one["hash"]) == (len(content_of), f"sha256:{hashlib.sha256(content_of).hexdigest()}")
        tabular = output.path.suffix in {".csv", ".parquet"} and output.name != "refused.csv"
        assert (one["mediatype"], "schema" in one) == (output.media_type, tabular)
    as_json = [output.path for output in found.outputs if output.path.suffix == ".json" and output.path != path]
    assert len(as_json) == 3
    for one in as_json:
        said = json.loads(one.read_bytes())
        assert said["$schema"] == f"docs/schemas/{one.stem}.schema.json"
        jsonschema_rs.validate(json.loads((PROJECT / said["$schema"]).read_bytes()), said)
