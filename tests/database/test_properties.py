"""The job engine against its model: random calls of clients, workers and the schedule, on the real Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.database.own import OwnDatabase
from tests.database.properties.machine import JobEngine
from tests.database.properties.world import PLANS

BOUNDED = settings(
    max_examples=10,
    stateful_step_count=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(BOUNDED, max_examples=100)


@pytest.fixture
def engine(own: OwnDatabase) -> Iterator[type[JobEngine]]:
    """The machine on this database, where the plans are small."""
    own.superuser.execute("create temporary table before as select * from assay.plans")
    for plan, limits in PLANS.items():
        own.superuser.execute(
            "update assay.plans set running_jobs = %s, uploads_per_hour = %s, stored_bytes = %s where plan = %s",
            (limits.running_jobs, limits.uploads_per_hour, limits.stored_bytes, plan),
        )
    yield type("JobEngineOnOwn", (JobEngine,), {"own": own})
    own.superuser.execute(
        "update assay.plans p set running_jobs = b.running_jobs, uploads_per_hour = b.uploads_per_hour, "
        "stored_bytes = b.stored_bytes from before b where b.plan = p.plan"
    )
    own.superuser.execute("drop table before")


def test_whatever_is_called_in_whatever_order_the_engine_does_what_the_model_does(engine: type[JobEngine]) -> None:
    run_state_machine_as_test(engine, settings=BOUNDED)


@pytest.mark.faults
def test_for_longer(engine: type[JobEngine]) -> None:
    run_state_machine_as_test(engine, settings=LONG)
