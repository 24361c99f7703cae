"""Which status may follow which: everything else is refused by the table itself."""

from __future__ import annotations

from itertools import product
from typing import get_args

import psycopg
import pytest

from shared.wire.jobs import JobStatus
from tests.database.steps import Steps, Superuser, new_sha256

ALLOWED = {
    ("awaiting_upload", "queued"),
    ("awaiting_upload", "cancelled"),
    ("awaiting_upload", "expired"),
    ("queued", "running"),
    ("queued", "cancelled"),
    ("running", "queued"),
    ("running", "needs_type"),
    ("running", "done"),
    ("running", "failed"),
    ("running", "cancelled"),
    ("needs_type", "queued"),
    ("needs_type", "cancelled"),
    ("failed", "queued"),
    ("cancelled", "queued"),
    ("done", "queued"),
}
ENDED = {"done", "failed", "cancelled", "expired"}


@pytest.mark.parametrize(("old", "new"), list(product(get_args(JobStatus), repeat=2)))
def test_only_the_drawn_changes_are_possible(steps: Steps, superuser: Superuser, old: str, new: str) -> None:
    def change(status: str) -> None:
        superuser.execute(
            """update assay.jobs set status = %(status)s,
                lease_expires_at = case when %(status)s = 'running' then now() end,
                finished_at = case when %(ended)s then now() end,
                error = '{"code": "c", "detail": "d", "suggestion": "s"}', pipeline = 'p', pipeline_version = '1',
                manifest_sha256 = repeat('a', 64)
            where job_id = %(job_id)s""",
            {"status": status, "ended": status in ENDED, "job_id": job_id},
        )

    job_id = steps.register(new_sha256())["job"]["job_id"]
    superuser.execute("set session_replication_role = replica")  # the guard off, to get to the old status
    change(old)
    superuser.execute("set session_replication_role = origin")
    if (old, new) in ALLOWED:
        change(new)
    else:
        with pytest.raises(psycopg.errors.CheckViolation, match=f"cannot go from {old} to {new}"):
            change(new)
