"""A person says what a file is, whatever became of the job so far."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import Problem
from tests.database.steps import OUTPUTS, Steps, Superuser, new_sha256

STALE = {"accepted": False, "reason": "stale_attempt"}


def in_status(steps: Steps, superuser: Superuser, status: str) -> str:
    """A job that has come so far."""
    if status == "awaiting_upload":
        job_id: str = steps.register(new_sha256())["job"]["job_id"]
        return job_id
    if status == "queued":
        return steps.queued()[0]
    if status == "done":
        return steps.done()[0]
    job_id = steps.running()
    if status == "needs_type":
        steps.await_type(job_id, 1)
    elif status == "failed":
        steps.fail(job_id, 1)
    elif status == "cancelled":
        steps.cancel(job_id)
        steps.finish(job_id, 1)
    return job_id


def refusal(steps: Steps, job_id: str, dataset_type: str = "table") -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        steps.choose_type(job_id, dataset_type)
    return caught.value.status, caught.value.code


def events(superuser: Superuser, job_id: str) -> list[str]:
    found = superuser.execute("select event from assay.job_events where job_id = %s order by event_id", (job_id,))
    return [str(event) for (event,) in found]


@pytest.mark.parametrize("status", ["queued", "running", "needs_type", "done", "failed", "cancelled"])
def test_the_job_runs_again_as_that_type(steps: Steps, superuser: Superuser, status: str) -> None:
    job_id = in_status(steps, superuser, status)
    before = steps.job(job_id)
    assert before["status"] == status
    job = steps.choose_type(job_id)
    assert (job["status"], job["job_id"], job["requested_dataset_type"]) == ("queued", job_id, None)
    assert (job["type_choice"]["dataset_type"], job["type_choice"]["chosen_by"]) == ("table", str(steps.user.owner))
    gone = ("error", "summary", "manifest_sha256", "dataset_type", "pipeline", "finished_at", "expires_at")
    assert [job[name] for name in gone] == [None] * len(gone)
    assert steps.outputs(job_id) == []
    assert events(superuser, job_id)[-2:] == (
        ["queued", "type_chosen"] if status == "queued" else ["type_chosen", "queued"]
    )

    claimed = steps.claim(job_id, worker="next")
    assert claimed["job"]["requested_dataset_type"] == "table"
    assert claimed["attempt"] == len(before["attempts"]) + 1
    for name in ("first", "second"):  # as many attempts as a new job has
        assert steps.fail(job_id, claimed["attempt"], retry_after_seconds=0)["status"] == "queued", name
        claimed = steps.claim(job_id, worker=name)
    assert steps.finish(job_id, claimed["attempt"])["status"] == "done"
    assert [one["name"] for one in steps.outputs(job_id)] == [one["name"] for one in OUTPUTS]
    assert steps.job(job_id)["type_choice"] == job["type_choice"]


def test_before_the_bytes_are_there_it_is_kept_for_later(steps: Steps) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256)["job"]["job_id"]
    assert steps.choose_type(job_id)["status"] == "awaiting_upload"
    steps.arrive(sha256)
    assert steps.claim(job_id)["job"]["requested_dataset_type"] == "table"


def test_an_attempt_that_runs_is_superseded_and_learns_it(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    steps.report(job_id, 1)
    steps.choose_type(job_id)
    assert [steps.report(job_id, 1), steps.finish(job_id, 1), steps.fail(job_id, 1), steps.await_type(job_id, 1)] == [
        STALE
    ] * 4
    [attempt] = steps.job(job_id)["attempts"]
    assert (attempt["outcome"], attempt["error"]["code"]) == ("superseded", "type_chosen")
    # What it still stores goes later, when its worker can't live any more.
    key = f"outputs/{steps.user.owner}/{job_id}/1/"
    due = superuser.execute(
        "select due_at > now() + interval '14 minutes' from assay.deletions where object_key = %s", (key,)
    )
    assert due.fetchone() == (True,)
    assert steps.claim(job_id, worker="worker")["attempt"] == 2


def test_a_cancel_that_was_asked_for_is_forgotten(steps: Steps) -> None:
    job_id = steps.running()
    steps.cancel(job_id)
    job = steps.choose_type(job_id)
    assert (job["status"], job["cancel_requested"]) == ("queued", False)


def test_the_outputs_of_the_other_type_go_and_the_owner_holds_less(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.done()
    held = steps.account()["usage"]["stored_bytes"]
    output = steps.outputs(job_id)[0]["output_id"]
    steps.choose_type(job_id)
    assert steps.account()["usage"]["stored_bytes"] == held - sum(int(str(one["size_bytes"])) for one in OUTPUTS)
    with pytest.raises(Problem) as caught:
        steps.output(output)
    assert caught.value.code == "output_not_found"
    key = f"outputs/{steps.user.owner}/{job_id}/1/"
    assert superuser.execute(
        "select due_at <= now() from assay.deletions where object_key = %s", (key,)
    ).fetchone() == (True,)
    # The history still has the attempt that was done.
    assert [one["outcome"] for one in steps.job(job_id)["attempts"]] == ["done"]


@pytest.mark.parametrize("status", ["awaiting_upload", "queued", "running", "done"])
def test_the_same_choice_again_changes_nothing(steps: Steps, superuser: Superuser, status: str) -> None:
    job_id = in_status(steps, superuser, status)
    steps.choose_type(job_id)
    if status in {"running", "done"}:
        attempt = steps.claim(job_id)["attempt"]
        if status == "done":
            steps.finish(job_id, attempt)
    before = steps.job(job_id)
    assert steps.choose_type(job_id) | {"attempts": before["attempts"]} == before
    assert steps.job(job_id) == before


def test_other_parameters_are_another_choice_and_stay_until_replaced(steps: Steps, superuser: Superuser) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256, dataset_type="table", parameters={"a": 1})["job"]["job_id"]
    steps.arrive(sha256)
    steps.finish(job_id, steps.claim(job_id)["attempt"])
    assert steps.choose_type(job_id, "table", {"a": 1})["status"] == "done"

    def run_with(dataset_type: str, parameters: dict[str, Any] | None) -> tuple[Any, Any]:
        job = steps.choose_type(job_id, dataset_type, parameters)
        assert (job["job_id"], job["status"], job["parameters"]) == (job_id, "queued", {"a": 1})
        assert steps.choose_type(job_id, dataset_type, parameters) == job
        claimed = steps.claim(job_id)
        assert steps.finish(job_id, claimed["attempt"])["status"] == "done"
        return job["type_choice"]["parameters"], claimed["job"]["parameters"]

    assert run_with("table", {"b": None}) == ({"b": None}, {"b": None})
    assert run_with("transactions", None) == ({"b": None}, {"b": None})
    assert run_with("transactions", {}) == ({}, {})
    assert run_with("table", {"a": 1}) == (None, {"a": 1})
    assert steps.register(sha256, dataset_type="table", parameters={"a": 1})["job"]["job_id"] == job_id
    rows = superuser.execute(
        "select details -> 'parameters' from assay.job_events where job_id = %s and event = 'type_chosen' "
        "order by event_id",
        (job_id,),
    ).fetchall()
    assert [parameters for (parameters,) in rows] == [{"b": None}, None, {}, {"a": 1}]


def test_other_parameters_stop_the_attempt_that_runs_and_stay_when_processed_anew(steps: Steps) -> None:
    job_id = steps.running()
    steps.choose_type(job_id, "table", {"b": 2})
    assert steps.finish(job_id, 1) == STALE
    steps.finish(job_id, steps.claim(job_id, worker="next")["attempt"])
    again = steps.reprocess(job_id)["job"]["job_id"]
    assert steps.claim(again)["job"]["parameters"] == {"b": 2}


def test_what_the_upload_asked_for_is_no_new_choice_unless_it_failed(steps: Steps) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256, dataset_type="table")["job"]["job_id"]
    assert steps.choose_type(job_id)["type_choice"] is None
    steps.arrive(sha256)
    steps.fail(job_id, steps.claim(job_id)["attempt"])
    assert steps.choose_type(job_id)["status"] == "queued"


def test_each_choice_is_kept(steps: Steps, superuser: Superuser) -> None:
    job_id, _ = steps.done()
    for dataset_type in ("table", "transactions"):
        steps.choose_type(job_id, dataset_type)
    rows = superuser.execute(
        "select details from assay.job_events where job_id = %s and event = 'type_chosen' order by event_id", (job_id,)
    ).fetchall()
    owner = str(steps.user.owner)
    assert [details for (details,) in rows] == [
        {"dataset_type": "table", "before": "station_measurements", "chosen_by": owner},
        {"dataset_type": "transactions", "before": "table", "chosen_by": owner},
    ]
    kept = [one for one in steps.export()["events"] if one["event"] == "type_chosen"]
    assert [one["details"]["dataset_type"] for one in kept] == ["table", "transactions"]


def test_who_sends_the_file_again_is_answered_by_that_job(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.await_type(job_id, steps.claim(job_id)["attempt"])
    steps.choose_type(job_id)
    assert steps.register(sha256)["job"]["job_id"] == job_id
    steps.finish(job_id, steps.claim(job_id)["attempt"])
    again = steps.register(sha256)
    assert (again["cached"], again["job"]["job_id"]) == (True, job_id)


def test_processed_anew_it_is_still_of_that_type(steps: Steps) -> None:
    job_id, _ = steps.done()
    choice = steps.choose_type(job_id)["type_choice"]
    steps.finish(job_id, steps.claim(job_id)["attempt"])
    job = steps.reprocess(job_id)["job"]
    assert (job["job_id"] != job_id, job["type_choice"]) == (True, choice)
    assert steps.claim(job["job_id"])["job"]["requested_dataset_type"] == "table"


def test_what_can_not_run_is_refused(steps: Steps, superuser: Superuser) -> None:
    job_id, sha256 = steps.done()
    assert refusal(steps, job_id, "No type!") == (422, "unknown_dataset_type")
    other = steps.register(sha256, on_duplicate="reprocess")["job"]["job_id"]
    before = steps.job(job_id)
    assert refusal(steps, job_id) == (409, "already_under_way")
    steps.cancel(other)
    superuser.execute("update assay.uploads set stored_at = null where sha256 = %s", (sha256,))
    assert refusal(steps, job_id) == (409, "bytes_missing")
    assert steps.job(job_id) == before
    expired = steps.register(new_sha256())["job"]["job_id"]
    superuser.execute("update assay.jobs set status = 'expired', finished_at = now() where job_id = %s", (expired,))
    assert refusal(steps, expired) == (409, "bytes_missing")


def test_it_counts_as_an_upload_of_the_hour_but_for_one_that_waited(steps: Steps, superuser: Superuser) -> None:
    def left() -> Any:
        return steps.account()["usage"]["uploads_left"]

    for status, counted in (("queued", 0), ("needs_type", 0), ("running", 1), ("done", 1), ("failed", 1)):
        job_id = in_status(steps, superuser, status)
        before = left()
        steps.choose_type(job_id)
        assert before - left() == counted, status
        steps.delete(job_id)
    done, _ = steps.done()
    superuser.execute(
        "update assay.owners set uploads_until = now() + interval '1 hour' where owner = %s", (steps.user.owner,)
    )
    before = steps.job(done)
    assert refusal(steps, done)[0] == 429
    assert steps.job(done) == before
    assert len(steps.outputs(done)) == len(OUTPUTS)
