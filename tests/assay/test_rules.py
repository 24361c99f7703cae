"""rules.json of every pipeline, and the schema beside the detector."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from assay.detection.names import fold
from assay.detection.rules import Rules
from shared.catalog.registry import pipelines
from tools.rules_schema import SCHEMA, schema

COLUMN = {"role": "a", "exact": ["A"], "holds": "text"}
RULES = {"title": "T", "description": "D", "columns": [COLUMN], "needs": [["a"]]}


def test_the_schema_is_what_the_model_makes() -> None:
    """If not: python -m tools.rules_schema."""
    assert SCHEMA.read_text(encoding="utf-8") == schema()


@pytest.mark.parametrize("info", pipelines(), ids=lambda info: info.name)
def test_every_folder_keeps_to_the_schema(info: Any) -> None:
    path = info.folder / "rules.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    jsonschema_rs.validate(json.loads(SCHEMA.read_text(encoding="utf-8")), said)
    assert (path.parent / said["$schema"]).resolve() == SCHEMA
    assert (info.folder / "example.csv").stat().st_size < 20_000


def test_one_type_takes_what_is_nothing_else() -> None:
    rules = [Rules.model_validate_json((info.folder / "rules.json").read_bytes()) for info in pipelines()]
    assert [one.title for one in rules if one.fallback] == ["Table"]


def test_no_name_is_that_of_two_columns_of_a_type() -> None:
    for info in pipelines():
        rules = Rules.model_validate_json((info.folder / "rules.json").read_bytes())
        names = [name for column in rules.columns for name in column.likely_names]
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


@pytest.mark.parametrize(
    "change",
    [{"columns": [COLUMN, COLUMN]}, {"needs": [["b"]]}, {"needs": [[]]}, {"needs": []}, {"repeated": ["b"]},
     {"more": 1},
     {"fallback": True}, {"columns": [COLUMN | {"patterns": ["("]}]}, {"columns": [COLUMN | {"holds": "money"}]},
     {"columns": [COLUMN | {"translations": {"german": ["A"]}}]}, {"title": ""}],
)  # fmt: skip
def test_rules_that_are_not_right_are_loud(change: dict[str, Any]) -> None:
    Rules.model_validate(RULES)
    with pytest.raises(ValidationError):
        Rules.model_validate(RULES | change)


@pytest.mark.parametrize(
    ("name", "folded"),
    [("Messgröße", "messgrosse"), ("N° de commande", "ndecommande"), ("Result (mg/l)", "result"), ("P_Code", "pcode"),
     ("値 段", "値段")],
)  # fmt: skip
def test_folding_a_name(name: str, folded: str) -> None:
    assert fold(name) == folded
