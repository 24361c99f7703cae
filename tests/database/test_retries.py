"""Every attempt says how it ended; how many there are; and what a user may ask for after the last one."""

from __future__ import annotations

import pytest

from shared.errors import Problem
from tests.database.steps import ERROR, Steps, Superuser, let_lease_run_out, new_sha256


def refused(steps: Steps, job_id: str) -> str:
    with pytest.raises(Problem) as caught:
        steps.retry(job_id)
    assert caught.value.status == 409
    return caught.value.code


def failed(steps: Steps) -> tuple[str, str]:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"])
    return job_id, sha256


def lose(steps: Steps, superuser: Superuser, job_id: str) -> None:
    """Claim the job, and let its worker be lost."""
    assert steps.claim(job_id)["claimed"] is True
    let_lease_run_out(superuser, job_id)
    steps.sweep()


def test_each_attempt_keeps_when_who_how_why_and_how_long(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, worker="first")
    superuser.execute(
        "update assay.attempts set started_at = started_at - interval '90 seconds' where job_id = %s", (job_id,)
    )
    steps.fail(job_id, 1, retry_after_seconds=0, code="took_too_long")
    lose(steps, superuser, job_id)
    steps.claim(job_id, worker="third")
    *ended, live = steps.job(job_id)["attempts"]
    assert (live["worker"], live["ended_at"], live["duration_seconds"], live["outcome"]) == ("third", None, None, None)
    assert ended[0]["worker"] == "first"
    assert [(one["outcome"], one["error"]["code"]) for one in ended] == [
        ("retry", "took_too_long"),
        ("lost", "worker_lost"),
    ]
    assert 90 <= ended[0]["duration_seconds"] < 100
    assert 0 <= ended[1]["duration_seconds"] < 10
    assert steps.finish(job_id, 3)["accepted"] is True
    assert steps.job(job_id)["attempts"][2]["error"] is None


def test_a_pipeline_may_have_fewer_attempts_or_more(steps: Steps) -> None:
    job_id = steps.running()
    steps.report(job_id, 1, max_attempts=1)
    assert steps.fail(job_id, 1, retry_after_seconds=0)["status"] == "failed"

    job_id = steps.running()
    steps.report(job_id, 1, max_attempts=5)
    steps.report(job_id, 1)  # a heartbeat says nothing of it
    for attempt in range(1, 5):
        assert steps.fail(job_id, attempt, retry_after_seconds=0)["status"] == "queued"
        assert steps.claim(job_id)["attempt"] == attempt + 1
    assert steps.fail(job_id, 5, retry_after_seconds=0)["status"] == "failed"


def test_fewer_attempts_than_were_made_leave_the_one_that_runs(steps: Steps) -> None:
    job_id = steps.running()
    steps.fail(job_id, 1, retry_after_seconds=0)
    steps.claim(job_id)
    assert steps.report(job_id, 2, max_attempts=1)["accepted"] is True
    assert steps.fail(job_id, 2, retry_after_seconds=0)["status"] == "failed"


def test_a_failed_job_is_tried_again_with_as_many_attempts_as_a_new_one(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    for _ in range(3):
        lose(steps, superuser, job_id)
    assert steps.job(job_id)["error"]["code"] == "attempts_exhausted"
    job = steps.retry(job_id)
    assert (job["status"], job["error"], job["progress"], job["finished_at"]) == ("queued", None, 0.0, None)
    for _ in range(3):
        lose(steps, superuser, job_id)
    job = steps.job(job_id)
    assert (job["status"], len(job["attempts"])) == ("failed", 6)
    assert job["error"]["detail"] == "The job had 3 attempts; the worker of the last one was lost."


def test_a_pipeline_s_attempts_count_from_the_retry_on(steps: Steps) -> None:
    job_id, _ = failed(steps)
    steps.retry(job_id)
    assert steps.claim(job_id)["attempt"] == 2
    steps.report(job_id, 2, max_attempts=2)
    assert steps.fail(job_id, 2, retry_after_seconds=0)["status"] == "queued"
    steps.claim(job_id)
    assert steps.fail(job_id, 3, retry_after_seconds=0)["status"] == "failed"


def test_a_cancelled_job_is_tried_again_before_and_after_it_ran(steps: Steps) -> None:
    ran = steps.running()
    waiting, _ = steps.queued()
    for job_id in (waiting, ran):
        steps.cancel(job_id)
    steps.finish(ran, 1)
    for job_id, attempt in ((waiting, 1), (ran, 2)):
        job = steps.retry(job_id)
        assert (job["status"], job["cancel_requested"]) == ("queued", False)
        assert steps.finish(job_id, steps.claim(job_id)["attempt"])["status"] == "done"
        assert len(steps.job(job_id)["attempts"]) == attempt


def test_what_has_not_failed_is_not_tried_again(steps: Steps) -> None:
    done, _ = steps.done()
    asking = steps.running()
    steps.await_type(asking, 1)
    running = steps.running()
    queued, _ = steps.queued()
    waiting = steps.register(new_sha256())["job"]["job_id"]
    for job_id in (done, queued, asking, waiting, running):
        before = steps.job(job_id)
        assert refused(steps, job_id) == "job_not_retryable"
        assert steps.job(job_id) == before


def test_one_that_is_being_cancelled_is_not_tried_again_until_it_has_ended(steps: Steps) -> None:
    job_id = steps.running()
    steps.cancel(job_id)
    assert refused(steps, job_id) == "job_not_retryable"
    steps.report(job_id, 1)
    steps.fail(job_id, 1)
    assert steps.retry(job_id)["status"] == "queued"


def test_a_job_is_not_tried_again_while_another_does_the_same(steps: Steps) -> None:
    job_id, sha256 = failed(steps)
    other = steps.register(sha256)["job"]["job_id"]
    assert refused(steps, job_id) == "already_under_way"
    steps.cancel(other)
    assert steps.retry(job_id)["status"] == "queued"
    assert refused(steps, other) == "already_under_way"


def test_without_its_bytes_nothing_is_tried_again(steps: Steps) -> None:
    job_id = steps.register(new_sha256())["job"]["job_id"]
    steps.cancel(job_id)
    assert refused(steps, job_id) == "bytes_missing"
    with pytest.raises(Problem) as caught:
        steps.reprocess(job_id)
    assert (caught.value.status, caught.value.code) == (409, "bytes_missing")


def test_an_old_attempt_that_wakes_up_after_a_retry_changes_nothing(steps: Steps) -> None:
    job_id, _ = failed(steps)
    steps.retry(job_id)
    assert steps.claim(job_id, worker="new")["attempt"] == 2
    before = steps.job(job_id)
    stale = {"accepted": False, "reason": "stale_attempt"}
    assert [steps.finish(job_id, 1), steps.fail(job_id, 1), steps.report(job_id, 1)] == [stale] * 3
    assert steps.job(job_id) == before


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled", "expired"])
def test_a_file_is_processed_anew_beside_the_old_job(steps: Steps, superuser: Superuser, ending: str) -> None:
    sha256 = new_sha256()
    old = steps.register(sha256, dataset_type="table", parameters={"a": 1}, filename="b.csv")["job"]["job_id"]
    if ending == "expired":
        superuser.execute("update assay.uploads set last_used = now() - interval '2 days' where sha256 = %s", (sha256,))
        superuser.execute("update assay.jobs set created_at = now() - interval '2 days' where job_id = %s", (old,))
        steps.sweep()
        steps.arrive(sha256)  # late, but it came
    else:
        steps.arrive(sha256)
        attempt = steps.claim(old)["attempt"]
        if ending == "cancelled":
            steps.cancel(old)
        (steps.fail if ending == "failed" else steps.finish)(old, attempt)
    before = steps.job(old)
    assert before["status"] == ending
    answer = steps.reprocess(old)
    job = answer["job"]
    assert (answer["new"], job["job_id"] != old, job["status"]) == (True, True, "queued")
    same = ("sha256", "filename", "size_bytes", "requested_dataset_type", "parameters")
    assert [job[name] for name in same] == [before[name] for name in same]
    assert steps.reprocess(old) == {"new": False, "job": job}
    assert steps.reprocess(job["job_id"]) == {"new": False, "job": job}
    assert steps.job(old) == before
    steps.fail(job["job_id"], steps.claim(job["job_id"])["attempt"])
    assert steps.job(job["job_id"])["error"] == ERROR


def test_a_cancelled_job_that_still_runs_is_no_answer_to_a_reprocess(steps: Steps) -> None:
    job_id = steps.running()
    steps.cancel(job_id)
    answer = steps.reprocess(job_id)
    assert (answer["new"], answer["job"]["job_id"] != job_id) == (True, True)
