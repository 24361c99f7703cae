"""List the pipelines from each folder's dataset.json, without importing them.

The upload function needs only the current versions and must start fast, so this module uses the standard library alone.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_MAX_ATTEMPTS = 3
_PIPELINES = Path(__file__).resolve().parents[2] / "assay" / "datasets"


class PipelineInfo(NamedTuple):
    """The content of one dataset.json, and its folder.

    `max_attempts` limits the attempts of a job; the default is 3.
    """

    name: str
    version: str
    dataset_type: str
    max_attempts: int
    folder: Path


@lru_cache(maxsize=1)
def pipelines() -> tuple[PipelineInfo, ...]:
    """Return every pipeline, sorted by folder name.

    Raises FileNotFoundError if there is none (a package built without them), and KeyError or ValueError if a file is
    malformed or two files share a name or dataset type.
    """
    infos = tuple(_read(path) for path in sorted(_PIPELINES.glob("*/dataset.json")))
    if not infos:
        raise FileNotFoundError(f"no dataset.json under {_PIPELINES}")
    for values in ([info.name for info in infos], [info.dataset_type for info in infos]):
        if len(set(values)) < len(values):
            raise ValueError(f"two pipelines share a name or dataset type: {values}")
    return infos


def current_versions() -> dict[str, str]:
    """Return the version of each pipeline by its name."""
    return {info.name: info.version for info in pipelines()}


def dataset_types() -> list[str]:
    """Return the dataset types that have a pipeline."""
    return [info.dataset_type for info in pipelines()]


def _read(path: Path) -> PipelineInfo:
    content = json.loads(path.read_text(encoding="utf-8"))
    name, version, dataset_type = (content[key] for key in ("name", "version", "dataset_type"))
    if not all(isinstance(value, str) and value for value in (name, version, dataset_type)):
        raise ValueError(f"{path}: name, version and dataset_type must be non-empty strings")
    max_attempts = content.get("max_attempts", _MAX_ATTEMPTS)
    if type(max_attempts) is not int or max_attempts < 1:
        raise ValueError(f"{path}: max_attempts must be a whole number of at least 1")
    return PipelineInfo(name, version, dataset_type, max_attempts, path.parent)
