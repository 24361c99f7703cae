"""The dataset types of this installation, in the format of `GET /dataset-types`."""

from __future__ import annotations

import json
from typing import Any

from assay.client.models import ColumnWanted, DatasetType, DatasetTypes
from assay.datasets.registry import DatasetInfo, datasets


def all_dataset_types() -> DatasetTypes:
    """Read the dataset types from their folders, without the data engine."""
    return DatasetTypes(dataset_types=[_read(info) for info in datasets()])


def _read(info: DatasetInfo) -> DatasetType:
    rules: dict[str, Any] = json.loads((info.folder / "rules.json").read_text(encoding="utf-8"))
    return DatasetType(
        dataset_type=info.dataset_type,
        title=rules["title"],
        description=rules["description"],
        pipeline=info.name,
        pipeline_version=info.version,
        fallback=rules.get("fallback", False),
        needs=[[[role] if isinstance(role, str) else role for role in group] for group in rules.get("needs", [])],
        columns=[
            ColumnWanted(
                role=column["role"],
                holds=column["holds"],
                names=column["exact"],
                translations=column.get("translations", {}),
                patterns=column.get("patterns", []),
            )
            for column in rules.get("columns", [])
        ],
        often_beside=rules.get("companions", []),
        speaks_against=rules.get("against", []),
        example=f"/dataset-types/{info.dataset_type}/example",
    )
