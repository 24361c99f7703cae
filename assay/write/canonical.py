"""Canonical JSON: equal content gives equal bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from pydantic import JsonValue


def described(name: str, content: JsonValue) -> dict[str, JsonValue]:
    """Name the JSON Schema that an object has in docs/schemas."""
    return {"$schema": f"docs/schemas/{name}.schema.json", **cast("dict[str, JsonValue]", content)}


def write_json(content: JsonValue, path: Path) -> None:
    """Write canonical JSON: keys sorted, two spaces of indent, UTF-8, a newline at the end. NaN raises ValueError."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_bytes(text.encode() + b"\n")
