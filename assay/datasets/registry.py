"""Finds dataset types by their folders; imports a pipeline only when it is to run."""

from __future__ import annotations

import importlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from assay.contract import Pipeline

if TYPE_CHECKING:
    from assay.detection.rules import Rules

_DATASETS = Path(__file__).resolve().parent


class DatasetInfo(NamedTuple):
    """What a folder's dataset.json says of its pipeline; `folder` is the folder itself."""

    name: str
    version: str
    dataset_type: str
    folder: Path


@lru_cache(maxsize=1)
def datasets() -> tuple[DatasetInfo, ...]:
    """Every dataset type, in the order of their folders' names. Raises KeyError or ValueError for a broken file."""
    return tuple(_info(path) for path in sorted(_DATASETS.glob("*/dataset.json")))


def _info(path: Path) -> DatasetInfo:
    content = json.loads(path.read_text(encoding="utf-8"))
    return DatasetInfo(content["name"], content["version"], content["dataset_type"], path.parent)


def info_of(module: str) -> DatasetInfo:
    """Return the dataset type that a module of its folder belongs to, by the module's `__file__`."""
    folder = Path(module).resolve().parent
    return next(info for info in datasets() if info.folder == folder)


def rules() -> dict[str, Rules]:
    """Return the detection rules (rules.json) of each dataset type. Raises pydantic.ValidationError."""
    return {info.dataset_type: rules_of(info) for info in datasets()}


def rules_of(info: DatasetInfo) -> Rules:
    """Read one dataset type's rules.json, and the known layouts in its folder `layouts`, a file each.

    Raises ValueError (pydantic.ValidationError among them) for a broken file.
    """
    from assay.detection.rules import Rules  # noqa: PLC0415  # its package loads the data engine; dataset.json needs none

    said = json.loads((info.folder / "rules.json").read_bytes())
    layouts = [
        {"name": path.stem, **json.loads(path.read_bytes())} for path in sorted(info.folder.glob("layouts/*.json"))
    ]
    return Rules.model_validate(said | {"layouts": layouts})


def for_type(dataset_type: str) -> DatasetInfo:
    """Return what dataset.json says of a dataset type. Raises KeyError."""
    return {info.dataset_type: info for info in datasets()}[dataset_type]


def load(info: DatasetInfo) -> Pipeline[Any]:
    """Import the pipeline: its folder's module `pipeline`, with `Parameters` and `run`."""
    module = importlib.import_module(f"assay.datasets.{info.folder.name}.pipeline")
    return cast("Pipeline[Any]", module)  # a module is what carries the two names of the protocol
