"""Write the JSON Schema of each dataset type's parameters into its folder: `python -m tools.parameters`."""

from __future__ import annotations

import json

from assay.datasets import registry


def schema_text(info: registry.DatasetInfo) -> str:
    """Return the content of a dataset type's parameters.schema.json."""
    return json.dumps(registry.load(info).Parameters.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    for dataset in registry.datasets():
        (dataset.folder / "parameters.schema.json").write_text(schema_text(dataset), encoding="utf-8")
