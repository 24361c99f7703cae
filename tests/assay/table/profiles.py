"""Profile a text and read the profile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.contract import Outputs, Source, Sources, Summary
from assay.datasets.table import pipeline


@dataclass(frozen=True)
class Profiled:
    """What a run of the pipeline wrote."""

    folder: Path
    summary: Summary
    profile: Any  # whatever JSON holds: the tests look into it

    def column(self, name: str) -> Any:
        (one,) = (column for column in self.profile["columns"] if column["name_cleaned"] == name)
        return one

    def hashes(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.folder.iterdir())}


def profile_in(folder: Path, content: bytes | str) -> Profiled:
    data = content.encode() if isinstance(content, str) else content
    outputs = folder / "out"
    outputs.mkdir(parents=True)
    path = folder / "upload"
    path.write_bytes(data)
    source = Source(path, "some.csv", hashlib.sha256(data).hexdigest(), len(data))
    summary = pipeline.run(Sources((source,)), pipeline.Parameters(), Outputs(outputs), lambda _done, _stage: None)
    return Profiled(outputs, summary, json.loads((outputs / "profile.json").read_bytes()))


Profile = Callable[[bytes | str], Profiled]
