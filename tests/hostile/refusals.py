"""Limits for a hostile file, and how it must be refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import Unprocessable
from functions.process.sandbox.messages import Finished, Limits, NeedsType
from tests.assay.analyses import Run

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
