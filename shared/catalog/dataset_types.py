"""What the dataset types are, as their folders say it: for whoever wants to know what a file may be.

Read from dataset.json, rules.json and example.csv of each pipeline's folder, without importing a pipeline.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from shared.catalog.registry import PipelineInfo, dataset_types, pipelines
from shared.errors import Problem
from shared.wire.jobs import Model

_EXAMPLE = "example.csv"


class ColumnWanted(Model):
    """One column of a dataset type, and the names that it is known by; case, accents and punctuation are no matter."""

    role: str = Field(description="the part that it plays")
    holds: Literal["text", "date", "number"] = Field(description="what most of its cells are")
    names: list[str] = Field(description="its own names, the usual one first")
    translations: dict[str, list[str]] = Field(description="names in other languages, by ISO 639-1 code")
    patterns: list[str] = Field(description="regular expressions of likely names, without blanks and punctuation")


class DatasetType(Model):
    """What a file may be."""

    dataset_type: str = Field(description="its name, as POST /uploads takes it")
    title: str = Field(description="its name for people")
    description: str = Field(description="what such a file holds")
    pipeline: str = Field(description="what runs on it")
    pipeline_version: str = Field(description="its version")
    fallback: bool = Field(description="whether it takes any table that is nothing else")
    needs: list[list[list[str]]] = Field(
        description="the roles that it can't be without: of each list one of its lists is enough, the whole of it"
    )
    columns: list[ColumnWanted] = Field(description="by which it is recognised")
    often_beside: list[str] = Field(description="names of columns often seen beside these")
    speaks_against: list[str] = Field(description="names of columns that speak for another kind of table")
    example: str = Field(description="the path of a small file of this type")


class DatasetTypes(Model):
    """All of them; one is added by adding its folder."""

    dataset_types: list[DatasetType] = Field(description="in the order of their names")


@lru_cache(maxsize=1)
def all_dataset_types() -> DatasetTypes:
    """Read all of them, once in a process. Raises what the folders of a broken package make it raise."""
    return DatasetTypes(dataset_types=[_read(info) for info in pipelines()])


def require_dataset_type(name: str, status: int) -> PipelineInfo:
    """Return the pipeline of a dataset type. Raises Problem with this status, which names those that there are."""
    info = next((info for info in pipelines() if info.dataset_type == name), None)
    if info is None:
        known = ", ".join(sorted(dataset_types()))
        detail = f"There is no dataset type {name[:63]!r}."
        raise Problem(status, "unknown_dataset_type", detail, f"Choose one of: {known}.")
    return info


def example_of(dataset_type: str) -> Path:
    """Return the path of the example of a type. Raises Problem (404)."""
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
        needs=[[[one] if isinstance(one, str) else one for one in group] for group in rules.get("needs", [])],
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
