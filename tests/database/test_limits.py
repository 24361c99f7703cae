"""What a plan allows: uploads an hour, bytes stored; counted exactly, refused with the time to wait."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from shared.errors import Problem
from tests.database.own import OwnDatabase
from tests.database.steps import OUTPUTS, Steps, Superuser, new_sha256

FREE_BYTES = 5 * 2**30
OUTPUT_BYTES = sum(output["size_bytes"] for output in OUTPUTS if isinstance(output["size_bytes"], int))


def refused(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.status == 429
    return caught.value


def use_up(superuser: Superuser, steps: Steps, but: int = 0) -> None:
    """Let the hour's uploads be used up, but for so many."""
    superuser.execute(
        "update assay.owners o set uploads_until = clock_timestamp() + interval '1 hour' "
        "- (%s + 0.01) * interval '1 hour' / p.uploads_per_hour "
        "from assay.plans p where p.plan = o.plan and o.owner = %s",
        (but, steps.user.owner),
    )


def let_pass(superuser: Superuser, steps: Steps, seconds: float) -> None:
    superuser.execute(
        "update assay.owners set uploads_until = uploads_until - make_interval(secs => %s) where owner = %s",
        (seconds, steps.user.owner),
    )


def stored(steps: Steps) -> int:
    held: int = steps.account()["usage"]["stored_bytes"]
    return held


def uploads_left(steps: Steps) -> int:
    left: int = steps.account()["usage"]["uploads_left"]
    return left


def test_the_hour_s_uploads_may_come_at_once_and_then_one_after_the_other(steps: Steps, superuser: Superuser) -> None:
    for _ in range(60):
        steps.register(new_sha256())
    problem = refused(lambda: steps.register(new_sha256()))
    assert problem.code == "uploads_limit"
    assert problem.retry_after_seconds is not None
    let_pass(superuser, steps, problem.retry_after_seconds)
    steps.register(new_sha256())
    assert refused(lambda: steps.register(new_sha256())).code == "uploads_limit"


@pytest.mark.parametrize("plan", ["free", "pro", "enterprise"])
def test_the_time_to_wait_is_exact(steps: Steps, superuser: Superuser, plan: str) -> None:
    def to_wait() -> float:
        row = superuser.execute(
            "select extract(epoch from o.uploads_until + interval '1 hour' / p.uploads_per_hour "
            "  - interval '1 hour' - clock_timestamp())::float8 "
            "from assay.owners o join assay.plans p using (plan) where owner = %s",
            (steps.user.owner,),
        ).fetchone()
        assert row is not None
        assert isinstance(row[0], float)
        return row[0]

    steps.set_plan(plan)
    use_up(superuser, steps)
    let_pass(superuser, steps, -100)
    before = to_wait()
    problem = refused(lambda: steps.register(new_sha256()))
    assert problem.retry_after_seconds is not None
    assert math.ceil(to_wait()) <= problem.retry_after_seconds <= math.ceil(before)


def test_a_refusal_leaves_nothing_behind(steps: Steps, superuser: Superuser) -> None:
    steps.register(new_sha256())
    use_up(superuser, steps)
    before = steps.export()
    refused(lambda: steps.register(new_sha256()))
    refused(lambda: steps.register(new_sha256(), size_bytes=FREE_BYTES))
    after = steps.export()
    assert {name: after[name] for name in ("uploads", "jobs")} == {name: before[name] for name in ("uploads", "jobs")}
    assert stored(steps) == 10


def test_what_makes_no_job_is_free(steps: Steps, superuser: Superuser) -> None:
    _, done = steps.done()
    _, queued = steps.queued()
    awaited = new_sha256()
    steps.register(awaited)
    use_up(superuser, steps)
    left = uploads_left(steps)
    for sha256 in (done, queued, awaited):
        steps.register(sha256)
    assert uploads_left(steps) == left == 0


def test_what_makes_work_counts_and_when_it_is_refused_nothing_changes(steps: Steps, superuser: Superuser) -> None:
    def again(job_id: str, parameter: int) -> list[Callable[[], object]]:
        return [
            lambda: steps.register(sha256, parameters={"number": parameter}),
            lambda: steps.reprocess(job_id),
            lambda: steps.retry(failed),
        ]

    done, sha256 = steps.done()
    failed = steps.running()
    steps.fail(failed, 1)
    use_up(superuser, steps, but=3)
    for call in again(done, 1):
        call()
    others = [job["job_id"] for job in reversed(steps.jobs(status="queued")) if job["job_id"] != failed]
    for job_id in [*others, failed]:  # by their turns
        steps.fail(job_id, steps.claim(job_id)["attempt"])
    before = steps.jobs()
    assert len(before) == 4
    for call in again(done, 2):
        assert refused(call).code == "uploads_limit"
    assert steps.jobs() == before


def test_uploads_at_once_never_pass_the_limit(own: OwnDatabase) -> None:
    steps = own.owner()
    use_up(own.superuser, steps, but=7)

    def register(each: Steps, _: int) -> bool:
        try:
            each.register(new_sha256())
        except Problem:
            return False
        return True

    assert sum(own.together([steps] * 16, register)) == 7


def test_bytes_may_be_stored_up_to_the_limit_and_no_further(steps: Steps) -> None:
    job_id = steps.register(new_sha256(), size_bytes=FREE_BYTES - 5)["job"]["job_id"]
    problem = refused(lambda: steps.register(new_sha256(), size_bytes=6))
    assert (problem.code, problem.retry_after_seconds) == ("storage_limit", 3600)
    steps.register(new_sha256(), size_bytes=5)
    assert stored(steps) == FREE_BYTES
    steps.delete(job_id)
    steps.register(new_sha256(), size_bytes=6)


def test_outputs_count_and_a_finished_job_is_never_refused(steps: Steps) -> None:
    sha256 = new_sha256()
    steps.register(sha256, size_bytes=FREE_BYTES)
    [job_id] = steps.arrive(sha256)["jobs"]
    assert steps.finish(job_id, steps.claim(job_id)["attempt"])["status"] == "done"
    assert stored(steps) == FREE_BYTES + OUTPUT_BYTES
    assert refused(lambda: steps.reprocess(job_id)).code == "storage_limit"
    steps.delete(job_id)
    assert stored(steps) == 0


def test_a_size_that_was_corrected_counts_and_one_that_is_refused_does_not(steps: Steps) -> None:
    """Otherwise whoever announced one byte of what is stored would be given its space back."""
    sha256 = new_sha256()
    steps.cancel(steps.register(sha256, size_bytes=1000)["job"]["job_id"])
    assert stored(steps) == 1000
    steps.register(sha256, size_bytes=500)
    assert stored(steps) == 500
    [job_id] = steps.arrive(sha256)["jobs"]
    steps.finish(job_id, steps.claim(job_id)["attempt"])
    with pytest.raises(Problem, match="has 500 bytes, not 1"):
        steps.register(sha256, size_bytes=1)
    assert stored(steps) == 500 + OUTPUT_BYTES


def test_another_owner_s_uploads_are_not_counted(steps: Steps, other_steps: Steps, superuser: Superuser) -> None:
    steps.register(new_sha256())
    use_up(superuser, steps)
    refused(lambda: steps.register(new_sha256()))
    other_steps.register(new_sha256(), size_bytes=FREE_BYTES)


@pytest.mark.parametrize(
    ("old", "used", "new", "left"),
    [
        ("free", 60, "pro", 540),
        ("free", 10, "pro", 590),
        ("pro", 30, "free", 30),
        ("pro", 600, "free", 0),
        ("free", 0, "enterprise", 10000),
        ("pro", 600, "pro", 0),
    ],
)
def test_another_plan_holds_at_once_and_what_was_used_stays_used(
    steps: Steps, superuser: Superuser, old: str, used: int, new: str, left: int
) -> None:
    steps.set_plan(old)
    limit = steps.account()["limits"]["uploads_per_hour"]
    if used:
        use_up(superuser, steps, but=limit - used)
    assert uploads_left(steps) == limit - used
    steps.set_plan(new)
    assert steps.account()["plan"] == new
    assert left <= uploads_left(steps) <= left + 10  # what comes back while the test runs
