"""The OpenAPI document says of everything what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tools.openapi import document

DOCUMENT = document()
OPERATIONS = {
    f"{method} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_a_tag_and_words(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert all(parameter["description"] for parameter in operation.get("parameters", ()))
    [tag] = operation["tags"]
    assert tag in {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}


def test_no_tag_is_without_operations() -> None:
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {name for one in OPERATIONS.values() for name in one["tags"]}


def undescribed(name: str, schema: dict[str, Any]) -> Iterator[str]:
    for field, described in schema.get("properties", {}).items():
        if not described.get("description"):
            yield f"{name}.{field}"


def test_every_field_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert [field for name, schema in schemas.items() for field in undescribed(name, schema)] == []


@pytest.mark.parametrize("name", ["UploadRequest", "TypeChoiceRequest", "WebhookRequest"])
def test_what_a_request_must_have_has_an_example(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert [field for field in schema["required"] if not schema["properties"][field].get("examples")] == []
