"""Write the JSON Schema of each JSON output into docs/schemas: `python -m tools.output_schemas`.

They are told from outputs themselves: those of the examples, and of a few tables that are odd. What is an object whose
keys come from the data (a station, a currency) has one schema for all of its values.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import assay
from assay.checks.infer import infer_schema
from assay.datasets import registry
from assay.files import open_file
from assay.reading import Reading
from assay.types import infer_types

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "docs" / "schemas"
NAMES = ("checks", "kpis", "manifest", "profile", "quality")
_OWN_KEY = re.compile(r"\$?[a-z][a-z0-9_]*")
_SCHEMA = {"fields", "fieldsMatch"}
# Beside the examples: blank columns, no number at all, whole numbers that no double holds, what is infinite.
_ODD = (
    "a,b,c\n1,,x\n2,,y\n",
    "name,day,at,flag\nann,2024-01-31,10:00:00,yes\nbob,2024-02-01,11:00:00,no\nann,2024-02-02,12:30:00,yes\n",
    "n,v\n9007199254740993,1e300\n9007199254740995,-1e300\n9007199254740997,x\n9007199254740999,7\n",
    "e,m\na@b.org,5 EUR\nc@d.org,7 EUR\n",
)


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the name and content of every JSON output of the examples, with and without a schema to check by."""
    for path, dataset_type in _inputs():
        with tempfile.TemporaryDirectory() as folder:
            table = open_file(path, Reading(), Path(folder), lambda _done: None)
            schema, _ = infer_schema(table, infer_types(table, Reading()))
            for parameters in ({}, {"schema": schema}):
                out = Path(folder) / "out"
                found = assay.analyse(path, out, dataset_type=dataset_type, parameters=parameters)
                for output in found.outputs:
                    if output.path.stem in NAMES and output.path.suffix == ".json":
                        yield output.path.stem, json.loads(output.path.read_bytes())


def _inputs() -> Iterator[tuple[Path, str]]:
    for info in registry.datasets():
        yield info.folder / "example.csv", info.dataset_type
        yield info.folder / "example.csv", "table"
        example = PROJECT / "examples" / f"{info.dataset_type}.csv"
        if example.exists():
            yield example, info.dataset_type
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(_ODD):
            path = Path(folder) / f"odd-{number}.csv"
            path.write_text(content, encoding="utf-8")
            yield path, "table"


def schemas() -> dict[str, str]:
    """Return what each file of docs/schemas must hold, by its name."""
    seen: dict[str, list[Any]] = {name: [] for name in NAMES}
    for name, content in samples():
        seen[name].append(content)
    made = {}
    for name, contents in seen.items():
        head = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"docs/schemas/{name}.schema.json",
            "title": f"{name}.json",
        }
        made[f"{name}.schema.json"] = json.dumps(head | _schema_of(contents), indent=2) + "\n"
    return made


def _schema_of(values: list[Any]) -> dict[str, Any]:
    """A JSON Schema that all these values have."""
    kinds = sorted({_kind(value) for value in values})
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    # What could be computed here may have no value elsewhere.
    if "number" in kinds and "null" not in kinds:
        kinds.append("null")
    made: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    objects = [value for value in values if isinstance(value, dict)]
    items = [item for value in values if isinstance(value, list) for item in value]
    keys = {key for one in objects for key in one}
    # A Table Schema has its own standard, and what a user gives is no part of the output's form.
    if _SCHEMA & keys:
        return {"type": "object"}
    if any(not _OWN_KEY.fullmatch(key) for key in keys):
        made["additionalProperties"] = _schema_of([value for one in objects for value in one.values()])
    elif keys:
        made["properties"] = {key: _schema_of([one[key] for one in objects if key in one]) for key in sorted(keys)}
        made["required"] = sorted(set.intersection(*({*one} for one in objects)))
    if items:
        made["items"] = _schema_of(items)
    return made


def _kind(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return {str: "string", int: "integer", float: "number", list: "array", dict: "object"}[type(value)]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in schemas().items():
        (FOLDER / file).write_text(text, encoding="utf-8")
