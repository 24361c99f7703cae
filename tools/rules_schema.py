"""Generate the JSON Schema of rules.json from the model: `python -m tools.rules_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from assay.detection.rules import Rules

SCHEMA = Path(__file__).parents[1] / "assay" / "detection" / "rules.schema.json"


def schema() -> str:
    """Return the schema (JSON Schema 2020-12), which editors and tests use."""
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **Rules.model_json_schema()}, indent=2)
        + "\n"
    )


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
