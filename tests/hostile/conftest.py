"""Files that are made to do harm, each handed to the child process in which the worker would open it."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.contract import Source, Sources
from functions.process.sandbox.messages import Finished, Limits, NeedsType, Request
from functions.process.sandbox.parent import Sandbox
from tests.assay.analyses import make_source, run
from tests.hostile.refusals import LIMITS, Content, Opened

__all__ = ["make_source", "run"]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """The folder of what a file makes."""
    return tmp_path / "outputs"


@pytest.fixture
def opened(tmp_path: Path, outputs: Path) -> Opened:
    """Analyse a file in the worker's child process, with limits."""

    def call(
        content: Content, filename: str, limits: Limits = LIMITS, dataset_type: str | None = None
    ) -> Finished | NeedsType:
        path = tmp_path / "upload"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)
        outputs.mkdir()
        source = Source(path=path, filename=filename, sha256="0" * 64, size_bytes=path.stat().st_size)
        request = Request(
            sources=Sources((source,)), requested_dataset_type=dataset_type, parameters={}, outputs=outputs
        )
        with Sandbox(tmp_path, limits) as sandbox:
            return sandbox.analyse(request, lambda *_: None, lambda _: None, lambda: None)

    return call
