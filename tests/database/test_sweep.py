"""sweep_jobs: nothing waits for ever."""

from __future__ import annotations

import pytest

from tests.database.steps import Steps, Superuser, let_lease_run_out, new_sha256


def let_wait(superuser: Superuser, job_id: str) -> None:
    """Let the queued job have been due for an hour."""
    superuser.execute("update assay.jobs set run_after = now() - interval '1 hour' where job_id = %s", (job_id,))


@pytest.fixture(autouse=True)
def nothing_left_of_other_tests(superuser: Superuser) -> None:
    """A hint names no job: what another test left to sweep would be counted too."""
    superuser.execute("delete from assay.uploads")


def test_an_upload_that_never_came_expires_and_one_asked_for_again_does_not(steps: Steps, superuser: Superuser) -> None:
    forgotten, wanted = new_sha256(), new_sha256()
    jobs = {sha256: steps.register(sha256)["job"]["job_id"] for sha256 in (forgotten, wanted)}
    ago = "now() - interval '2 hours'"
    superuser.execute(f"update assay.uploads set last_used = {ago} where owner = %s", (steps.user.owner,))
    superuser.execute(f"update assay.jobs set created_at = {ago} where owner = %s", (steps.user.owner,))
    steps.register(wanted)
    steps.sweep()
    assert steps.job(jobs[forgotten])["status"] == "expired"
    assert steps.job(jobs[wanted])["status"] == "awaiting_upload"
    assert steps.register(forgotten)["job"]["job_id"] != jobs[forgotten]


def test_a_lost_worker_s_job_is_queued_again_and_told_of_once(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    assert steps.sweep()["hints"] == 0
    let_lease_run_out(superuser, job_id)
    answer = steps.sweep()
    assert (answer["lost"], answer["hints"]) == (1, 1)
    assert steps.job(job_id)["status"] == "queued"
    assert steps.sweep()["hints"] == 0
    assert steps.claim(job_id, worker="another")["attempt"] == 2


def test_a_job_whose_last_worker_was_lost_fails(steps: Steps, superuser: Superuser) -> None:
    job_id, sha256 = steps.queued()
    superuser.execute("update assay.jobs set max_attempts = 1 where job_id = %s", (job_id,))
    steps.claim(job_id)
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "attempts_exhausted")
    assert steps.register(sha256)["job"]["job_id"] != job_id


def test_a_queued_job_that_nobody_took_is_told_of_and_then_left_alone_for_a_while(
    steps: Steps, superuser: Superuser
) -> None:
    job_id, _ = steps.queued()
    assert steps.sweep()["hints"] == 0
    let_wait(superuser, job_id)
    assert steps.sweep()["hints"] == 1
    assert steps.sweep()["hints"] == 0


def test_what_waits_is_told_of_while_its_owner_could_run_more_and_not_else(steps: Steps, superuser: Superuser) -> None:
    steps.running()
    waiting, _ = steps.queued()
    let_wait(superuser, waiting)
    assert steps.sweep()["hints"] == 1
    steps.cancel(waiting)
    steps.running()  # as many as the plan allows
    waiting, _ = steps.queued()
    let_wait(superuser, waiting)
    assert steps.sweep()["hints"] == 0
    steps.set_plan("pro")
    assert steps.sweep()["hints"] == 1


def test_cancel_ends_a_job_whose_worker_was_lost_at_once(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    let_lease_run_out(superuser, job_id)
    assert steps.cancel(job_id)["status"] == "cancelled"


def test_a_new_upload_does_not_wait_for_a_job_whose_last_worker_was_lost(steps: Steps, superuser: Superuser) -> None:
    job_id, sha256 = steps.queued()
    superuser.execute("update assay.jobs set max_attempts = 1 where job_id = %s", (job_id,))
    steps.claim(job_id)
    let_lease_run_out(superuser, job_id)
    answer = steps.register(sha256)
    assert (answer["job"]["job_id"] != job_id, steps.job(job_id)["status"]) == (True, "failed")


def test_a_new_upload_does_not_get_a_job_that_is_being_cancelled(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.claim(job_id)
    steps.cancel(job_id)
    answer = steps.register(sha256)
    assert (answer["job"]["status"], answer["job"]["job_id"] != job_id) == ("queued", True)
