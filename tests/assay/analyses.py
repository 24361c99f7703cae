"""Analyse a text or a file as the worker does, but in this process."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from assay.contract import Source, Sources
from assay.detection import Detection
from assay.run import Analysis, NeedsType, analyse

HEADER = "Station_ID,Date_Time,PCode,Result\n"
MakeSource = Callable[..., Source]
Run = Callable[..., Analysis]


def write_source(path: Path, content: bytes | str, filename: str) -> Source:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return Source(path, filename, hashlib.sha256(data).hexdigest(), len(data))


def run_in(
    folder: Path, source: Source, parameters: Mapping[str, JsonValue] | None = None, dataset_type: str | None = None
) -> Analysis | NeedsType:
    seen: list[Detection] = []
    folder.mkdir()
    found = analyse(Sources((source,)), dataset_type, parameters or {}, folder, lambda _done, _stage: None, seen.append)
    assert seen == [found.detection]
    return found


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    numbers = itertools.count()

    def make(content: bytes | str, filename: str = "field.csv") -> Source:
        return write_source(tmp_path / f"upload-{next(numbers)}", content, filename)

    return make


@pytest.fixture
def run(tmp_path: Path, make_source: MakeSource) -> Run:
    """Analyse a content or a source; the outputs are in a folder of their own."""
    numbers = itertools.count()

    def call(
        content: bytes | str | Source,
        parameters: Mapping[str, JsonValue] | None = None,
        filename: str = "field.csv",
        dataset_type: str | None = None,
    ) -> Analysis:
        source = content if isinstance(content, Source) else make_source(content, filename)
        found = run_in(tmp_path / f"outputs-{next(numbers)}", source, parameters, dataset_type)
        assert isinstance(found, Analysis)
        return found

    return call
