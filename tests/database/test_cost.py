"""What a job costs, against the same sum done here; and how many jobs wait."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from shared.worker_time import WORKER_SECONDS
from tests.database.own import OwnDatabase
from tests.database.steps import OUTPUTS, Answer, Steps, Superuser, let_lease_run_out

_MEMORY_MB = 2048
_STORED_BYTES = 10 + sum(output["size_bytes"] for output in OUTPUTS if isinstance(output["size_bytes"], int))


def started(superuser: Superuser, job_id: str, seconds: int) -> None:
    """Let the attempt under way have begun so long ago."""
    superuser.execute(
        "update assay.attempts set started_at = clock_timestamp() - make_interval(secs => %s) "
        "where job_id = %s and outcome is null",
        (seconds, job_id),
    )


def cost_of(steps: Steps, job_id: str) -> Answer:
    cost: Answer = steps.job(job_id)["cost"]
    return cost


def test_a_job_that_is_done_tells_what_it_cost(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    assert cost_of(steps, job_id) is None
    started(superuser, job_id, 90)
    answer = steps.finish(job_id, 1)
    cost = cost_of(steps, job_id)
    assert answer["cost"] == cost
    assert steps.finish(job_id, 1)["cost"] == cost
    assert cost["gb_seconds"] == pytest.approx(180, abs=10)
    assert cost["compute"] == pytest.approx(cost["gb_seconds"] * 0.0000133334, rel=1e-5)
    # A Lambda request to register, one for the event and one to work; three of SQS for the event and three for the
    # work; one GET; and a PUT for the upload and each output.
    assert cost["request_count"] == 3 + 6 + 1 + 3
    requests = 3 * Decimal("0.0000002") + 6 * Decimal("0.0000004") + Decimal("0.0000004") + 3 * Decimal("0.000005")
    assert Decimal(str(cost["requests"])) == requests
    assert cost["stored_bytes"] == _STORED_BYTES
    assert cost["storage_month"] == round(_STORED_BYTES / 2**30 * 0.023, 10)
    assert cost["total"] == pytest.approx(cost["compute"] + cost["requests"] + cost["storage_month"], abs=1e-12)
    assert (cost["currency"], cost["prices_as_of"]) == ("USD", "2026-11-21")


def test_every_attempt_counts_and_an_unfinished_job_tells_the_cost_so_far(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    started(superuser, job_id, 90)
    first = steps.fail(job_id, 1, retry_after_seconds=0)["cost"]
    assert (cost_of(steps, job_id), first["request_count"]) == (first, 3 + 6 + 1 + 1)
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    started(superuser, job_id, 90)
    second = steps.fail(job_id, 2)["cost"]
    assert second["gb_seconds"] == pytest.approx(2 * first["gb_seconds"], abs=20)
    assert second["request_count"] == first["request_count"] + 1 + 3 + 1


@pytest.mark.parametrize("ending", ["await_type", "cancelled"])
def test_the_other_endings_tell_it_too(steps: Steps, ending: str) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    if ending == "cancelled":
        steps.cancel(job_id)
    answer = steps.await_type(job_id, 1)
    assert answer["cost"] is not None
    assert answer["cost"] == cost_of(steps, job_id)


def test_a_lost_attempt_costs_no_more_than_lambda_lets_it_run(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=1024)
    started(superuser, job_id, 86400)
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    assert cost_of(steps, job_id)["gb_seconds"] == WORKER_SECONDS  # of 1 GB


def test_without_an_attempt_or_without_a_price_nothing_is_made_up(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    assert cost_of(steps, job_id) is None
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    with superuser.transaction():
        superuser.execute("delete from assay.list_prices where item = 's3_get'")
        cost = superuser.execute("select assay.job_cost(j) from assay.jobs j where job_id = %s", (job_id,)).fetchone()
        raise psycopg.Rollback
    assert cost == (None,)


def test_a_changed_price_holds_for_what_ends_later(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=1024)
    with superuser.transaction():
        superuser.execute("update assay.list_prices set usd = 1, as_of = '2026-01-01' where item = 'lambda_gb_second'")
        superuser.execute(
            "update assay.attempts set ended_at = started_at + interval '7 seconds', outcome = 'done' "
            "where job_id = %s",
            (job_id,),
        )
        row = superuser.execute("select assay.job_cost(j) from assay.jobs j where job_id = %s", (job_id,)).fetchone()
        raise psycopg.Rollback
    assert row is not None
    cost = row[0]
    assert isinstance(cost, dict)
    assert (cost["compute"], cost["gb_seconds"], cost["prices_as_of"]) == (7, 7, "2026-01-01")


@pytest.mark.parametrize("usd", ["-1", "NaN", "Infinity"])
def test_a_price_is_a_number(superuser: Superuser, usd: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        superuser.execute("update assay.list_prices set usd = %s where item = 's3_get'", (usd,))


def test_a_clock_that_was_set_back_makes_no_attempt_earn_money(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=_MEMORY_MB)
    started(superuser, job_id, -3600)
    assert steps.finish(job_id, 1)["cost"]["compute"] == 0


def test_the_sweep_counts_what_waits(own: OwnDatabase) -> None:
    steps = own.owner()
    steps.done()
    steps.await_type(steps.running(), 1)
    steps.running()
    steps.queued()
    steps.register("c" * 64)
    assert steps.sweep()["waiting"] == {
        "awaiting_upload": 1,
        "queued": 1,
        "running": 1,
        "needs_type": 1,
    }
