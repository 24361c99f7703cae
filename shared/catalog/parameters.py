"""Which parameters a dataset type takes, by the JSON Schema in its folder.

The pipeline checks them too, but only when the job runs: a client learns of a mistake here, at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import JsonValue

from shared.catalog.registry import PipelineInfo, pipelines
from shared.errors import Problem

_Schema = dict[str, Any]
_FILE = "parameters.schema.json"
_MAX_CHARACTERS = 300


def require_parameters(dataset_type: str, parameters: Mapping[str, JsonValue]) -> None:
    """Refuse parameters that a dataset type does not take; none at all suit every type. Raises Problem (422)."""
    if not parameters:
        return
    from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415  # most requests have no parameters

    info = next(info for info in pipelines() if info.dataset_type == dataset_type)
    try:
        _validator(info)(parameters, name_prefix="parameters")
    except JsonSchemaValueException as error:
        detail = f"A job of type {dataset_type} can't take these parameters: {error.message[:_MAX_CHARACTERS]}."
        raise Problem(422, "invalid_parameters", detail, _suggestion(_schema(info), error.path[1:])) from error


def _suggestion(schema: _Schema, path: list[str]) -> str:
    """List what is allowed in the innermost object on the path."""
    fields, names = schema["properties"], ["parameters"]
    for name in path:
        reference: str = fields.get(name, {}).get("$ref", "")
        if not reference:
            break
        fields = schema["$defs"][reference.removeprefix("#/$defs/")]["properties"]
        names.append(name)
    allowed = "; ".join(f"{name}: {field['description']}" for name, field in fields.items())
    return f"Allowed in {'.'.join(names)} are: {allowed}."


@lru_cache
def _schema(info: PipelineInfo) -> _Schema:
    schema: _Schema = json.loads((info.folder / _FILE).read_text(encoding="utf-8"))
    return schema


@lru_cache
def _validator(info: PipelineInfo) -> Callable[..., object]:
    from fastjsonschema import compile as compiled  # noqa: PLC0415  # as above

    validate: Callable[..., object] = compiled(_schema(info), use_default=False)
    return validate
