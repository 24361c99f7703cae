"""The client's models are those of openapi.json, and its list of types is the service's."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli.offline import dataset_types
from assay.client import account_models, models
from shared.catalog.dataset_types import all_dataset_types

DOCUMENT = json.loads((Path(__file__).parents[2] / "functions/download/openapi.json").read_text(encoding="utf-8"))
# What people read; the shape is the rest.
_WORDS = {"description", "title", "examples"}
MODELS = [
    model
    for module in (models, account_models)
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, models.Model) and model.__module__ == module.__name__
    # What only bears others is not in the document.
    if model.__name__ in DOCUMENT["components"]["schemas"] or not model.__subclasses__()
]


def shape(schema: Any, *, of_fields: bool = False) -> Any:
    if isinstance(schema, list):
        return [shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A default of null is left out of the document.
    return {
        name: shape(value, of_fields=name == "properties")
        for name, value in schema.items()
        if of_fields or (name not in _WORDS and (name, value) != ("default", None))
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_the_shape_of_its_schema(model: type[models.Model]) -> None:
    own = model.model_json_schema(ref_template="#/components/schemas/{model}")
    own.pop("$defs", None)
    assert shape(own) == shape(DOCUMENT["components"]["schemas"][model.__name__])


def test_the_command_lists_the_types_as_the_service_does() -> None:
    assert dataset_types.all_dataset_types().model_dump() == all_dataset_types().model_dump()
