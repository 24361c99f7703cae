"""Files that are made to do harm, each handed to the child process in which the worker would open it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.contract import Source
from assay.errors import Unprocessable
from functions.process.sandbox.messages import Finished, Limits, NeedsType, Request
from functions.process.sandbox.parent import Sandbox
from tests.assay.conftest import Run, make_source, run

__all__ = ["make_source", "run"]

# What a hostile file may cost at most, and what the honest one beside it needs: the kernel ends what goes beyond.
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=60, file_bytes=1 << 30, open_files=256)

Content = bytes | Callable[[Path], object]
Opened = Callable[..., Finished | NeedsType]


@dataclass(frozen=True)
class Refused:
    """How a file must be refused: by which code, and with what in the detail."""

    code: str
    says: str


def refused_by(opened: Opened | Run, content: Content, expected: Refused, filename: str) -> None:
    """Hold the file to its refusal. Where the detail tells of a limit, the figure found must stand beside it."""
    with pytest.raises(Unprocessable) as caught:
        opened(content, filename=filename)
    problem = caught.value
    assert problem.code == expected.code, problem.detail
    assert expected.says in problem.detail
    assert problem.suggestion
    assert problem.detail.isprintable()
    if "at most" in problem.detail:
        found, limit = (int(figure.replace(",", "")) for figure in re.findall(r"[\d,]*\d", problem.detail)[-2:])
        assert found > limit


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
        request = Request(source=source, requested_dataset_type=dataset_type, parameters={}, outputs=outputs)
        with Sandbox(tmp_path, limits) as sandbox:
            return sandbox.analyse(request, lambda *_: None, lambda _: None, lambda: None)

    return call
