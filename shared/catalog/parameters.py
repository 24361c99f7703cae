"""Validate parameters against the JSON Schema in the dataset type's folder.

The pipeline validates them as well, but only when the job runs. This check reports a mistake with the request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from pydantic import JsonValue

from shared.catalog.registry import PipelineInfo, pipelines
from shared.catalog.table_schema import fault_of
from shared.errors import Problem

_Schema = dict[str, Any]
_FILE = "parameters.schema.json"
_MAX_CHARACTERS = 300


def require_parameters(dataset_type: str, parameters: Mapping[str, JsonValue]) -> None:
    """Raise Problem (422) for parameters that the dataset type does not accept.

    Empty parameters are always accepted.
    """
    if not parameters:
        return
    from fastjsonschema import JsonSchemaValueException  # noqa: PLC0415  # most requests have no parameters

    info = next(info for info in pipelines() if info.dataset_type == dataset_type)
    try:
        _validator(info)(parameters, name_prefix="parameters")
    except JsonSchemaValueException as error:
        detail = f"A job of type {dataset_type} does not accept these parameters: {error.message[:_MAX_CHARACTERS]}."
        raise Problem(422, "invalid_parameters", detail, _suggestion(_schema(info), error.path[1:])) from error
    fault = fault_of(cast("dict[str, Any]", parameters["schema"])) if "schema" in parameters else None
    if fault is not None:
        detail = f"A job of type {dataset_type} can't take these parameters: {fault[:_MAX_CHARACTERS]}."
        raise Problem(422, "invalid_parameters", detail, "Mend the schema; assay check FILE --schema S tries it here.")


def _suggestion(schema: _Schema, path: list[str]) -> str:
    """List the fields allowed in the innermost object on the path."""
    fields, names = schema["properties"], ["parameters"]
    for name in path:
        if name.isdecimal():  # a place in the list before it
            names[-1] += f"[{name}]"
            continue
        field = fields.get(name, {})
        reference: str = field.get("items", field).get("$ref", "")
        if not reference:
            break
        fields = schema["$defs"][reference.removeprefix("#/$defs/")]["properties"]
        names.append(name)
    allowed = "; ".join(f"{name}: {field['description']}" for name, field in fields.items())
    return f"Allowed in {'.'.join(names)}: {allowed}."


@lru_cache
def _schema(info: PipelineInfo) -> _Schema:
    schema: _Schema = json.loads((info.folder / _FILE).read_text(encoding="utf-8"))
    return schema


@lru_cache
def _validator(info: PipelineInfo) -> Callable[..., object]:
    from fastjsonschema import compile as compiled  # noqa: PLC0415  # as above

    validate: Callable[..., object] = compiled(_schema(info), use_default=False)
    return validate
