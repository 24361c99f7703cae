"""Claims, leases and the fence: one live attempt, and a stale one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Problem
from tests.database.steps import ERROR, MANIFEST, OUTPUTS, Answer, Steps, Superuser, let_lease_run_out, new_sha256


def assert_ended(answer: Answer, status: str) -> None:
    assert answer == {"accepted": True, "status": status, "cost": answer["cost"], "more": False}
    assert answer["cost"]["currency"] == "USD"


def test_bytes_queue_the_jobs_that_waited(steps: Steps) -> None:
    sha256 = new_sha256()
    mean = steps.register(sha256)["job"]["job_id"]
    median = steps.register(sha256, parameters={"aggregate": "median"})["job"]["job_id"]
    assert steps.arrive(sha256) == {"known": True, "noted": False, "jobs": [mean, median], "queued": 2}
    assert {job["status"] for job in steps.jobs()} == {"queued"}


def test_the_event_may_come_twice_and_finds_only_what_is_left(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    assert steps.arrive(sha256)["jobs"] == [job_id]
    steps.claim(job_id)
    assert steps.arrive(sha256) == {"known": True, "noted": False, "jobs": [job_id], "queued": 0}
    steps.finish(job_id, 1)
    assert steps.arrive(sha256) == {"known": True, "noted": False, "jobs": [], "queued": 0}


def test_an_event_for_an_unknown_object_is_not_known_but_noted(steps: Steps) -> None:
    assert steps.arrive(new_sha256()) == {"known": False, "noted": True, "jobs": [], "queued": 0}


@pytest.mark.parametrize("key", ["uploads/x/y", "uploads", "", "outputs/a/b/c", "uploads/../x", "uploads/a/b/c"])
def test_an_odd_key_is_not_known(db: PsycopgDatabase, key: str) -> None:
    answer = db.call("object_created", {"p_key": key}, None)
    assert answer == {"known": False, "noted": False, "jobs": [], "queued": 0}


def test_two_claimers_at_once_make_one_attempt(postgres: Postgres, steps: Steps) -> None:
    job_id, _ = steps.queued()
    together = Barrier(8)

    def claim(number: int) -> Answer:
        client = Steps(PsycopgDatabase(postgres.authenticator_url), steps.user)
        together.wait(timeout=30)
        return client.claim(job_id, worker=f"worker {number}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, range(8)))
    assert sum(answer["claimed"] for answer in answers) == 1
    refused = [answer for answer in answers if not answer["claimed"]]
    assert {answer["reason"] for answer in refused} == {"nothing_due"}
    assert len(steps.job(job_id)["attempts"]) == 1


def test_a_job_whose_lease_ran_out_goes_to_another_worker(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    assert steps.claim(job_id, worker="second")["attempt"] == 2
    attempts = steps.job(job_id)["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["lost", None]
    assert attempts[1]["worker"] == "second"


STALE_WRITES: dict[str, Callable[[Steps, str], Answer]] = {
    "report_progress": lambda steps, job_id: steps.report(job_id, 1, 0.9),
    "await_type": lambda steps, job_id: steps.await_type(job_id, 1),
    "finish_job": lambda steps, job_id: steps.finish(job_id, 1),
    "fail_job": lambda steps, job_id: steps.fail(job_id, 1),
    "fail_job with retry": lambda steps, job_id: steps.fail(job_id, 1, 5),
}


@pytest.mark.parametrize("write", STALE_WRITES.values(), ids=STALE_WRITES.keys())
def test_a_stale_write_changes_nothing_and_says_so(
    steps: Steps, superuser: Superuser, write: Callable[[Steps, str], Answer]
) -> None:
    job_id = steps.running()
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    steps.claim(job_id, worker="second")
    before = steps.job(job_id)
    assert write(steps, job_id) == {"accepted": False, "reason": "stale_attempt"}
    assert steps.job(job_id) == before
    assert steps.outputs(job_id) == []


ENDINGS: dict[str, tuple[Callable[[Steps, str], Answer], str]] = {
    "finish_job": (lambda steps, job_id: steps.finish(job_id, 1), "done"),
    "await_type": (lambda steps, job_id: steps.await_type(job_id, 1), "needs_type"),
    "fail_job": (lambda steps, job_id: steps.fail(job_id, 1), "failed"),
    "fail_job with retry": (lambda steps, job_id: steps.fail(job_id, 1, 60), "queued"),
}


@pytest.mark.parametrize(("end", "status"), ENDINGS.values(), ids=ENDINGS.keys())
def test_an_ending_may_be_repeated_after_a_lost_answer_and_no_other_write_counts(
    steps: Steps, end: Callable[[Steps, str], Answer], status: str
) -> None:
    job_id = steps.running()
    assert_ended(end(steps, job_id), status)
    before, outputs = steps.job(job_id), steps.outputs(job_id)
    assert_ended(end(steps, job_id), status)
    for other, (write, _) in ENDINGS.items():
        if write is not end and not (other.startswith("fail_job") and status in {"failed", "queued"}):
            assert write(steps, job_id) == {"accepted": False, "reason": "stale_attempt"}
    assert steps.report(job_id, 1) == {"accepted": False, "reason": "stale_attempt"}
    assert (steps.job(job_id), steps.outputs(job_id)) == (before, outputs)


def test_a_claim_may_be_repeated_by_its_worker_and_by_no_other(steps: Steps) -> None:
    job_id, _ = steps.queued()
    first = steps.claim(job_id, worker="one")
    again = steps.claim(job_id, worker="one")
    assert (again["claimed"], again["attempt"]) == (True, first["attempt"])
    assert steps.claim(job_id, worker="two")["claimed"] is False
    assert len(steps.job(job_id)["attempts"]) == 1


def test_progress_extends_the_lease_and_never_goes_back(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    superuser.execute(
        "update assay.jobs set lease_expires_at = now() + interval '1 second' where job_id = %s", (job_id,)
    )
    assert steps.report(job_id, 1, 0.5, {"confidence": 1}) == {"accepted": True, "cancel_requested": False}
    steps.report(job_id, 1, 0.2)
    job = steps.job(job_id)
    assert (job["progress"], job["stage"], job["detection"]) == (0.5, "reading", {"confidence": 1})
    extended = superuser.execute(
        "select lease_expires_at > now() + interval '30 seconds' from assay.jobs where job_id = %s", (job_id,)
    )
    assert extended.fetchone() == (True,)


def test_finish_shows_every_output_at_once_in_order(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.outputs(job_id) == []
    assert_ended(steps.finish(job_id, 1), "done")
    outputs = steps.outputs(job_id)
    assert [output["name"] for output in outputs] == [output["name"] for output in OUTPUTS]
    stored = steps.output(outputs[0]["output_id"])
    assert stored["object_key"] == f"outputs/{steps.user.owner}/{job_id}/1/CT_Analysis.csv"
    job = steps.job(job_id)
    assert (job["status"], job["progress"], job["manifest_sha256"]) == ("done", 1.0, MANIFEST)
    assert job["attempts"][0]["outcome"] == "done"


def test_outputs_never_change(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.done()
    with pytest.raises(psycopg.errors.CheckViolation):
        superuser.execute("update assay.outputs set sha256 = %s where job_id = %s", ("c" * 64, job_id))


def test_a_terminal_failure_is_final_and_tells_why(steps: Steps) -> None:
    job_id = steps.running()
    assert_ended(steps.fail(job_id, 1), "failed")
    job = steps.job(job_id)
    assert (job["status"], job["error"]) == ("failed", ERROR)
    assert steps.claim(job_id)["reason"] == "nothing_due"


def test_a_retry_waits_for_its_time(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    answer = steps.fail(job_id, 1, retry_after_seconds=30)
    assert_ended(answer, "queued")
    assert steps.claim(job_id)["reason"] == "nothing_due"
    superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))
    assert steps.claim(job_id)["attempt"] == 2


def test_after_the_last_attempt_a_retry_is_a_failure(steps: Steps) -> None:
    job_id, _ = steps.queued()
    for attempt in (1, 2):
        assert steps.claim(job_id)["attempt"] == attempt
        assert steps.fail(job_id, attempt, retry_after_seconds=0)["status"] == "queued"
    assert steps.claim(job_id)["attempt"] == 3
    assert steps.fail(job_id, 3, retry_after_seconds=0)["status"] == "failed"
    assert [attempt["outcome"] for attempt in steps.job(job_id)["attempts"]] == ["retry", "retry", "failed"]


def test_a_worker_lost_three_times_fails_the_job(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.queued()
    for attempt in (1, 2, 3):
        assert steps.claim(job_id, worker=f"worker {attempt}")["attempt"] == attempt
        let_lease_run_out(superuser, job_id)
        steps.sweep()
    assert steps.claim(job_id)["reason"] == "nothing_due"
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "attempts_exhausted")
    assert {attempt["outcome"] for attempt in job["attempts"]} == {"lost"}


def test_an_unsure_detection_waits_for_a_person(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.await_type(job_id, 1)["accepted"] is True
    job = steps.job(job_id)
    assert (job["status"], job["detection"]) == ("needs_type", {"confidence": 0.1})
    assert steps.cancel(job_id)["status"] == "cancelled"


def test_cancel_before_the_run_is_at_once_and_may_be_repeated(steps: Steps) -> None:
    job_id, _ = steps.queued()
    assert steps.cancel(job_id)["status"] == "cancelled"
    assert steps.cancel(job_id)["status"] == "cancelled"
    assert steps.claim(job_id)["reason"] == "nothing_due"


@pytest.mark.parametrize(
    "write",
    [
        lambda steps, job_id: steps.finish(job_id, 1),
        lambda steps, job_id: steps.fail(job_id, 1, 5),
        lambda steps, job_id: steps.await_type(job_id, 1),
    ],
    ids=["finish", "fail", "await_type"],
)
def test_cancel_while_running_ends_with_the_next_write(steps: Steps, write: Callable[[Steps, str], Answer]) -> None:
    job_id = steps.running()
    asked = steps.cancel(job_id)
    assert (asked["status"], asked["cancel_requested"]) == ("running", True)
    assert steps.report(job_id, 1)["cancel_requested"] is True
    refused = write(steps, job_id)
    assert refused == {
        "accepted": False,
        "reason": "cancelled",
        "status": "cancelled",
        "cost": refused["cost"],
        "more": False,
    }
    assert steps.outputs(job_id) == []
    assert steps.job(job_id)["attempts"][0]["outcome"] == "cancelled"


def test_a_lost_worker_of_a_cancelled_job_is_not_replaced(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    steps.cancel(job_id)
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    assert steps.claim(job_id, worker="another")["claimed"] is False
    assert steps.job(job_id)["status"] == "cancelled"


def test_what_has_ended_cannot_be_cancelled(steps: Steps) -> None:
    job_id, _ = steps.done()
    with pytest.raises(Problem) as caught:
        steps.cancel(job_id)
    assert (caught.value.status, caught.value.code) == (409, "job_not_cancellable")


def test_every_change_of_status_is_an_event(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.done()
    events = superuser.execute(
        "select event, attempt from assay.job_events where job_id = %s order by event_id", (job_id,)
    ).fetchall()
    assert events == [("awaiting_upload", 0), ("queued", 0), ("running", 1), ("done", 1)]
