"""Finds pipelines by their folders; imports one only when it is to run."""

from __future__ import annotations

import importlib
from typing import Any, cast

from functions.process.detection.rules import Rules
from functions.process.pipelines.contract import Pipeline
from shared.registry import PipelineInfo, pipelines


def rules() -> dict[str, Rules]:
    """Return the detection rules (rules.json) of each dataset type. Raises pydantic.ValidationError."""
    return {info.dataset_type: rules_of(info) for info in pipelines()}


def rules_of(info: PipelineInfo) -> Rules:
    """Read one pipeline's rules.json. Raises pydantic.ValidationError."""
    return Rules.model_validate_json((info.folder / "rules.json").read_bytes())


def for_type(dataset_type: str) -> PipelineInfo:
    """Return the pipeline of a dataset type. Raises KeyError."""
    return {info.dataset_type: info for info in pipelines()}[dataset_type]


def load(info: PipelineInfo) -> Pipeline[Any]:
    """Import the pipeline: its folder's module `pipeline`, with `Parameters` and `run`."""
    module = importlib.import_module(f"functions.process.pipelines.{info.folder.name}.pipeline")
    return cast("Pipeline[Any]", module)  # a module is what carries the two names of the protocol
