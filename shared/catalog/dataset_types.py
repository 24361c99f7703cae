"""Describe the dataset types for the API.

Reads dataset.json, rules.json and example.csv of each dataset type's folder, without importing its pipeline.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from shared.catalog.registry import PipelineInfo, dataset_types, pipelines
from shared.errors import Problem
from shared.wire.model import Model

_EXAMPLE = "example.csv"


class ColumnWanted(Model):
    """One column of a dataset type and the names it is recognised by. Case, accents and punctuation are ignored."""

    role: str = Field(description="the column's role")
    holds: Literal["text", "date", "number", "result"] = Field(description="the kind of value in most cells")
    names: list[str] = Field(description="accepted names, the usual one first")
    translations: dict[str, list[str]] = Field(description="names in other languages, by ISO 639-1 code")
    patterns: list[str] = Field(description="regular expressions of likely names, without blanks and punctuation")


class DatasetType(Model):
    """A dataset type."""

    dataset_type: str = Field(description="the name to send to POST /uploads")
    title: str = Field(description="the name to show")
    description: str = Field(description="what a file of this type contains")
    pipeline: str = Field(description="the pipeline that processes it")
    pipeline_version: str = Field(description="the pipeline's version")
    fallback: bool = Field(description="whether it accepts any table that matches no other type")
    needs: list[list[list[str]]] = Field(
        description="the required roles: each entry lists alternatives, and one alternative must be present in full"
    )
    columns: list[ColumnWanted] = Field(description="the columns that identify this type")
    often_beside: list[str] = Field(description="names of columns that often accompany these")
    speaks_against: list[str] = Field(description="names of columns that indicate a different kind of table")
    example: str = Field(description="the path of a small file of this type")


class DatasetTypes(Model):
    """All dataset types."""

    dataset_types: list[DatasetType] = Field(description="sorted by name")


@lru_cache(maxsize=1)
def all_dataset_types() -> DatasetTypes:
    """Read all dataset types, once per process. Raises OSError, KeyError or ValueError for a broken package."""
    return DatasetTypes(dataset_types=[_read(info) for info in pipelines()])


def require_dataset_type(name: str, status: int) -> PipelineInfo:
    """Return the pipeline of a dataset type. Raises Problem with `status` and the list of known types."""
    info = next((info for info in pipelines() if info.dataset_type == name), None)
    if info is None:
        known = ", ".join(sorted(dataset_types()))
        detail = f"There is no dataset type {name[:63]!r}."
        raise Problem(status, "unknown_dataset_type", detail, f"Choose one of: {known}.")
    return info


def example_of(dataset_type: str) -> Path:
    """Return the path of a dataset type's example file. Raises Problem (404)."""
    return require_dataset_type(dataset_type, 404).folder / _EXAMPLE


def _read(info: PipelineInfo) -> DatasetType:
    rules: dict[str, Any] = json.loads((info.folder / "rules.json").read_text(encoding="utf-8"))
    return DatasetType(
        dataset_type=info.dataset_type,
        title=rules["title"],
        description=rules["description"],
        pipeline=info.name,
        pipeline_version=info.version,
        fallback=rules.get("fallback", False),
        needs=[
            [[alternative] if isinstance(alternative, str) else alternative for alternative in group]
            for group in rules.get("needs", [])
        ],
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
