"""parameters.schema.json of each dataset type: what the API checks parameters by, before any pipeline is imported."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError

from assay.datasets import registry
from shared.catalog.parameters import require_parameters
from shared.errors import Problem
from tools.parameters import schema_text

TYPES = [info.dataset_type for info in registry.datasets()]
SCHEMAS: list[JsonValue] = [
    {"fields": [{"name": "a", "aliases": ["A"], "severity": {"type": "warning"}}, {"name": "b"}], "primaryKey": ["a"]},
    {"fields": [{"name": "a", "constraints": {"pattern": r"\p{Lu}+|(?<year>\d{4})"}}], "uniqueKeys": [["a"]]},
    {"fields": []},
    {"fields": [{"name": "a"}, {"name": "b", "aliases": ["a"]}]},
    {"fields": [{"name": "a"}], "primaryKey": "b"},
    {"fields": [{"name": "a"}], "uniqueKeys": [["a", "b"]]},
    {"fields": [{"name": "a", "type": "money"}]},
    {"fields": [{"name": "a", "constraints": {"minimum": 1}}]},
    {"fields": [{"name": "a", "type": "integer", "constraints": {"maxLength": 1}}]},
    {"fields": [{"name": "a", "type": "integer", "format": "email"}]},
    {"fields": [{"name": "a", "severity": "fatal"}]},
    {"fields": [{"name": "a", "constraints": {"minLenght": 1}}]},
    {"fields": [{"name": "a"}], "foreignKeys": []},
    {"fields": [{"name": "a"}], "fieldsMatch": "some"},
]
CASES: list[tuple[str, dict[str, JsonValue]]] = [
    ("station_measurements", {"aggregate": "median", "template": ["TEMP", "PH"]}),
    ("station_measurements", {"template": "TEMP,PH"}),
    ("station_measurements", {"template": 10}),
    ("station_measurements", {"template": None}),
    ("station_measurements", {"template": []}),
    ("station_measurements", {"template": True}),
    ("station_measurements", {"template": [1]}),
    ("station_measurements", {"aggregate": "average"}),
    ("table", {"reading": {"delimiter": ";", "header_line": 2, "decimal": ","}}),
    ("table", {"reading": {"delimiter": ""}}),
    ("table", {"reading": {"delimiter": ";;;"}}),
    ("table", {"reading": {"header_line": 0}}),
    ("table", {"reading": {"separator": ";"}}),
    ("table", {"reading": None}),
    ("table", {"aggregate": "mean"}),
    *(("table", {"schema": schema}) for schema in SCHEMAS),
    ("transactions", {"schema": {"fields": [{"name": "a", "type": "date", "constraints": {"minimum": "2024-01-01"}}]}}),
    ("transactions", {"top": 1000, "currency": "EUR"}),
    ("transactions", {"top": 20.0}),
    ("transactions", {"top": 0}),
    ("transactions", {"top": 1.5}),
    ("transactions", {"currency": ""}),
    ("transactions", {"currency": "x" * 41}),
    ("transactions", {"currency": 3}),
]


@pytest.mark.parametrize("dataset_type", TYPES)
def test_the_schema_is_that_of_the_pipeline(dataset_type: str) -> None:
    info = registry.for_type(dataset_type)
    written = (info.folder / "parameters.schema.json").read_text(encoding="utf-8")
    assert written == schema_text(info), "run make parameters"


@pytest.mark.parametrize("dataset_type", TYPES)
def test_every_pipeline_runs_without_parameters(dataset_type: str) -> None:
    registry.load(registry.for_type(dataset_type)).Parameters.model_validate({})
    require_parameters(dataset_type, {})


@pytest.mark.parametrize(("dataset_type", "parameters"), CASES)
def test_the_api_takes_what_the_pipeline_takes(dataset_type: str, parameters: dict[str, JsonValue]) -> None:
    try:
        registry.load(registry.for_type(dataset_type)).Parameters.model_validate(parameters)
    except ValidationError:
        with pytest.raises(Problem) as caught:
            require_parameters(dataset_type, parameters)
        assert (caught.value.status, caught.value.code) == (422, "invalid_parameters")
    else:
        require_parameters(dataset_type, parameters)


def test_a_problem_names_what_is_wrong_and_what_is_allowed_there() -> None:
    with pytest.raises(Problem) as caught:
        require_parameters("table", {"reading": {"header_line": "two"}})
    assert "parameters.reading.header_line" in caught.value.detail
    assert caught.value.suggestion.startswith("Allowed in parameters.reading: encoding: such as utf-8")


def test_a_problem_does_not_repeat_a_long_name() -> None:
    with pytest.raises(Problem) as caught:
        require_parameters("table", {"x" * 60_000: 1})
    assert len(caught.value.detail) < 500


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            {"fields": [{"name": "a"}, {"name": "b", "constraints": {"pattern": "("}}]},
            "schema.fields[1].constraints.pattern",
        ),
        ({"fields": [{"name": "a", "constraints": {"pattern": "(?=b)"}}]}, "schema.fields[0].constraints.pattern"),
        ({"fields": [{"name": "a", "constraints": {"pattern": r"(a)\1"}}]}, "schema.fields[0].constraints.pattern"),
        ({"fields": [{"name": "a", "constraints": {"required": "yes"}}]}, "schema.fields[0].constraints.required"),
        ({"fields": [{"name": "a"}, {"name": "a"}]}, "schema.fields[1]: 'a'"),
        ({"fields": [{"name": "a"}], "primaryKey": "b"}, "schema.primaryKey names 'b'"),
    ],
)
def test_a_schema_is_refused_with_where_and_why(schema: JsonValue, said: str) -> None:
    with pytest.raises(Problem) as caught:
        require_parameters("table", {"schema": schema})
    assert (caught.value.status, said in caught.value.detail) == (422, True)
