"""sweep_jobs: nothing waits for ever."""

from __future__ import annotations

from shared.object_store import upload_key
from tests.database.steps import Steps, Superuser, let_lease_run_out, new_sha256


def key_of(steps: Steps, job_id: str) -> str:
    return upload_key(steps.user.owner, steps.job(job_id)["sha256"])


def test_an_upload_that_never_came_expires_and_one_asked_for_again_does_not(steps: Steps, superuser: Superuser) -> None:
    forgotten, wanted = new_sha256(), new_sha256()
    jobs = {sha256: steps.register(sha256)["job"]["job_id"] for sha256 in (forgotten, wanted)}
    superuser.execute(
        "update assay.uploads set last_used = now() - interval '2 hours' where owner = %s", (steps.user.owner,)
    )
    steps.register(wanted)
    steps.sweep()
    assert steps.job(jobs[forgotten])["status"] == "expired"
    assert steps.job(jobs[wanted])["status"] == "awaiting_upload"
    assert steps.register(forgotten)["job"]["job_id"] != jobs[forgotten]


def test_a_lost_worker_s_job_is_queued_again_and_told_of_once(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    assert key_of(steps, job_id) not in steps.sweep()["keys"]
    let_lease_run_out(superuser, job_id)
    assert key_of(steps, job_id) in steps.sweep()["keys"]
    assert steps.job(job_id)["status"] == "queued"
    assert key_of(steps, job_id) not in steps.sweep()["keys"]
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
    assert key_of(steps, job_id) not in steps.sweep()["keys"]
    superuser.execute("update assay.jobs set run_after = now() - interval '1 hour' where job_id = %s", (job_id,))
    assert key_of(steps, job_id) in steps.sweep()["keys"]
    assert key_of(steps, job_id) not in steps.sweep()["keys"]


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
    assert (answer["cached"], steps.job(job_id)["status"]) == (False, "failed")


def test_a_new_upload_does_not_get_a_job_that_is_being_cancelled(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.claim(job_id)
    steps.cancel(job_id)
    answer = steps.register(sha256)
    assert (answer["cached"], answer["job"]["job_id"] != job_id) == (False, True)
