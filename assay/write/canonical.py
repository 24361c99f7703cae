"""Canonical JSON: equal content gives equal bytes."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import JsonValue


def write_json(content: JsonValue, path: Path) -> None:
    """Write canonical JSON: keys sorted, two spaces of indent, UTF-8, a newline at the end. NaN raises ValueError."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2, allow_nan=False)
    path.write_bytes(text.encode() + b"\n")
