"""Write the JSON schema of rules.json anew from the model: `python -m tools.rules_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from assay.detection.rules import Rules

SCHEMA = Path(__file__).parents[1] / "assay" / "detection" / "rules.schema.json"


def schema() -> str:
    """The schema (JSON Schema 2020-12), as it lies beside the detector for editors and for tests."""
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **Rules.model_json_schema()}, indent=2)
        + "\n"
    )


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
