"""A worker that is killed at each step of the way, and the one after it."""

from __future__ import annotations

import pytest

from tests.faults.audit import ended, nothing_left, nothing_lost
from tests.faults.outcomes import Comparison, Table
from tests.faults.world import User, World, measurements

STEPS = [
    "between the news and its hints",
    "after the claim",
    "in the midst of the download",
    "in the midst of the pipeline",
    "between two outputs",
    "before finish_job",
    "after finish_job",
]


@pytest.mark.parametrize("step", STEPS)
def test_killed(world: World, someone: User, row: Table, same_as_without_fault: Comparison, step: str) -> None:
    content = measurements(40_000, someone.owner)
    first = world.worker(step, "kill")
    job_id = someone.send(content)
    first.wait_until_killed()
    world.worker()
    world.wait_until_ended(job_id)
    assert someone.job(job_id)["status"] == "done"
    nothing_lost(someone, [job_id], content)
    same_as_without_fault(job_id, content)
    outcome = ended(someone, job_id)
    nothing_left(world)
    row.add(f"worker killed {step}", outcome)
