"""Which pipelines there are, read from their folders' dataset.json, without importing any of them.

The functions that take uploads need the current versions and start fast: nothing but the standard library here.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_MAX_ATTEMPTS = 3
_PIPELINES = Path(__file__).resolve().parents[2] / "assay" / "datasets"


class PipelineInfo(NamedTuple):
    """What a folder's dataset.json says; `folder` is the folder itself.

    A job may have `max_attempts` attempts, 3 where the file does not say it.
    """

    name: str
    version: str
    dataset_type: str
    max_attempts: int
    folder: Path


@lru_cache(maxsize=1)
def pipelines() -> tuple[PipelineInfo, ...]:
    """Every pipeline, in the order of their folders' names.

    Raises FileNotFoundError where there is none (a package built without them), KeyError or ValueError where a file is
    not as it should be or two say the same name or dataset type.
    """
    found = tuple(_read(path) for path in sorted(_PIPELINES.glob("*/dataset.json")))
    if not found:
        raise FileNotFoundError(f"no dataset.json below {_PIPELINES}")
    for values in ([info.name for info in found], [info.dataset_type for info in found]):
        if len(set(values)) < len(values):
            raise ValueError(f"two pipelines say the same: {values}")
    return found


def current_versions() -> dict[str, str]:
    """Return the version of each pipeline by its name."""
    return {info.name: info.version for info in pipelines()}


def dataset_types() -> list[str]:
    """Return the dataset types that some pipeline takes."""
    return [info.dataset_type for info in pipelines()]


def _read(path: Path) -> PipelineInfo:
    said = json.loads(path.read_text(encoding="utf-8"))
    name, version, dataset_type = (said[key] for key in ("name", "version", "dataset_type"))
    if not all(isinstance(value, str) and value for value in (name, version, dataset_type)):
        raise ValueError(f"{path}: name, version and dataset_type must be filled strings")
    max_attempts = said.get("max_attempts", _MAX_ATTEMPTS)
    if type(max_attempts) is not int or max_attempts < 1:
        raise ValueError(f"{path}: max_attempts must be a whole number of at least 1")
    return PipelineInfo(name, version, dataset_type, max_attempts, path.parent)
