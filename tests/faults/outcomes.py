"""What the tests saw, for the page, and what a job without a fault gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.faults import audit
from tests.faults.audit import Row
from tests.faults.world import User

seen_rows: list[Row] = []


class Table:
    """The page's rows, in the order of the tests; a test that fails leaves none."""

    def add(self, fault: str, outcome: str) -> None:
        """Add what was seen."""
        seen_rows.append(Row(fault, outcome))


class Comparison:
    """Holds a job's outputs to those of the same bytes where nothing fails."""

    def __init__(self, folder: Path, user: User) -> None:
        self._folder = folder
        self._user = user

    def __call__(self, job_id: str, content: bytes) -> None:
        outputs = self._user.outputs(job_id)
        expected = audit.reference(content, self._folder)
        assert {name: hashlib.sha256(made).hexdigest() for name, made in outputs.items()} == {
            name: hashlib.sha256(made).hexdigest() for name, made in expected.items()
        }
