"""A pipeline whose worker is killed at each attempt, as Lambda kills a function that takes more memory than it has."""

from __future__ import annotations

import json
from pathlib import Path

DATASET_TYPE = "killer"

_PIPELINE = """
import os
import signal

from pydantic import BaseModel


class Parameters(BaseModel):
    pass


def run(source, parameters, outputs, progress):
    os.kill(os.getppid(), signal.SIGKILL)
"""


def plant(package: Path) -> None:
    """Add the pipeline to a package; upload needs its version, and process the rest."""
    folder = package / "assay" / "datasets" / DATASET_TYPE
    folder.mkdir(parents=True)
    info = {"name": DATASET_TYPE, "version": "1.0.0", "dataset_type": DATASET_TYPE}
    (folder / "dataset.json").write_text(json.dumps(info), encoding="utf-8")
    rules = {
        "title": "Victim",
        "description": "A file whose worker dies.",
        "columns": [{"role": "victim", "exact": ["victim"], "holds": "text"}],
        "needs": [["victim"]],
        "enough": 1,
    }
    (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    (folder / "__init__.py").touch()
    (folder / "pipeline.py").write_text(_PIPELINE, encoding="utf-8")
