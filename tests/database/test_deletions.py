"""Deletions: rows go first and objects after them, and nobody's upload falls between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import Problem
from tests.database.own import OwnDatabase
from tests.database.steps import Answer, Steps, let_lease_run_out, new_sha256


def upload_of(steps: Steps, sha256: str) -> str:
    return f"uploads/{steps.user.owner}/{sha256}"


def outputs_of(steps: Steps, job_id: str, attempt: int | None = None) -> str:
    return f"outputs/{steps.user.owner}/{job_id}/" + (f"{attempt}/" if attempt else "")


def taken(steps: Steps) -> list[str]:
    keys: list[str] = steps.clean_up()["keys"]
    return keys


def let_pass(own: OwnDatabase, minutes: int) -> None:
    own.superuser.execute(
        "update assay.deletions set due_at = due_at - make_interval(mins => %s), "
        "taken_at = taken_at - make_interval(mins => %s)",
        (minutes, minutes),
    )


@pytest.fixture
def steps(own: OwnDatabase) -> Steps:
    return own.owner("pro")


@pytest.fixture
def other_steps(own: OwnDatabase) -> Steps:
    return own.owner()


def test_a_job_goes_with_its_upload_its_attempts_events_and_outputs(
    own: OwnDatabase, steps: Steps, other_steps: Steps
) -> None:
    job_id, sha256 = steps.done()
    other_steps.register(sha256)
    other_steps.arrive(sha256)
    assert steps.delete(job_id) == {"deleted": True}
    with pytest.raises(Problem) as caught:
        steps.job(job_id)
    assert caught.value.status == 404
    for table in ("uploads", "jobs", "attempts", "outputs", "job_events"):
        rows = own.superuser.execute(f"select 1 from assay.{table} where owner = %s".encode(), (steps.user.owner,))
        assert rows.fetchall() == []
    assert sorted(taken(steps)) == sorted([upload_of(steps, sha256), outputs_of(steps, job_id)])
    assert [job["status"] for job in other_steps.jobs()] == ["queued"]


def test_an_upload_stays_as_long_as_another_job_needs_it(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    again = steps.reprocess(job_id)["job"]["job_id"]
    steps.delete(job_id)
    assert taken(steps) == [outputs_of(steps, job_id)]
    assert steps.finish(again, steps.claim(again)["attempt"])["status"] == "done"
    steps.delete(again)
    assert sorted(taken(steps)) == sorted([upload_of(steps, sha256), outputs_of(steps, again)])


def test_a_job_that_runs_goes_at_once_and_what_its_worker_may_still_store_goes_later(
    own: OwnDatabase, steps: Steps
) -> None:
    job_id, sha256 = steps.queued()
    steps.claim(job_id)
    steps.delete(job_id)
    stale = {"accepted": False, "reason": "stale_attempt"}
    assert [steps.report(job_id, 1), steps.finish(job_id, 1), steps.fail(job_id, 1, 5)] == [stale] * 3
    assert taken(steps) == [upload_of(steps, sha256)]
    let_pass(own, 21)
    assert outputs_of(steps, job_id) in taken(steps)


def test_what_was_never_sent_leaves_no_outputs_behind(steps: Steps) -> None:
    sha256 = new_sha256()
    steps.delete(steps.register(sha256)["job"]["job_id"])
    assert taken(steps) == [upload_of(steps, sha256)]


def test_bytes_that_are_not_being_deleted_yet_serve_who_registers_them(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    answer = steps.register(sha256)
    assert (answer["cached"], answer["job"]["status"], answer["upload"]["times_used"]) == (True, "queued", 1)
    assert taken(steps) == [outputs_of(steps, job_id)]
    assert steps.claim(answer["job"]["job_id"])["claimed"] is True


def test_bytes_that_never_came_do_not(steps: Steps) -> None:
    sha256 = new_sha256()
    steps.delete(steps.register(sha256)["job"]["job_id"])
    assert steps.register(sha256)["job"]["status"] == "awaiting_upload"
    assert taken(steps) == []


def test_while_they_are_being_deleted_the_upload_is_asked_to_wait(own: OwnDatabase, steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    keys = taken(steps)
    with pytest.raises(Problem) as caught:
        steps.register(sha256)
    assert (caught.value.status, caught.value.code, caught.value.retry_after_seconds) == (503, "being_deleted", 5)
    assert steps.jobs() == []
    assert steps.objects_deleted(keys) == {"forgotten": 2}
    assert steps.register(sha256)["job"]["status"] == "awaiting_upload"
    assert taken(steps) == []


def test_what_a_worker_took_and_did_not_delete_comes_again(own: OwnDatabase, steps: Steps) -> None:
    job_id, _ = steps.done()
    steps.delete(job_id)
    keys = taken(steps)
    assert (len(keys), taken(steps)) == (2, [])
    let_pass(own, 21)
    assert taken(steps) == keys
    assert steps.objects_deleted(keys[:1]) == {"forgotten": 1}
    assert steps.objects_deleted(keys) == {"forgotten": 1}
    let_pass(own, 21)
    assert taken(steps) == []


def test_only_what_was_handed_out_can_be_reported_as_deleted(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    assert steps.objects_deleted([upload_of(steps, sha256)]) == {"forgotten": 0}
    assert upload_of(steps, sha256) in taken(steps)


def test_bytes_that_nobody_registered_wait_a_day_for_who_does(own: OwnDatabase, steps: Steps) -> None:
    """The event may come before the row, or for a link that outlived its job."""
    sha256, forgotten = new_sha256(), new_sha256()
    assert steps.arrive(sha256) == {"known": False, "noted": True, "jobs": [], "queued": 0}
    steps.arrive(forgotten)
    assert taken(steps) == []
    answer = steps.register(sha256)
    assert (answer["cached"], answer["job"]["status"]) == (True, "queued")
    let_pass(own, 24 * 60 + 1)
    assert taken(steps) == [upload_of(steps, forgotten)]


def test_an_event_at_the_very_moment_of_the_registration_is_not_lost(own: OwnDatabase, steps: Steps) -> None:
    """The event of an old link, while the same bytes are registered anew: either of the two sees the other."""
    for _ in range(30):
        sha256 = new_sha256()
        acts: list[Callable[[Steps], Answer]] = [
            lambda each, sha256=sha256: each.register(sha256),  # type: ignore[misc]  # mypy takes a lambda's default for an argument
            lambda each, sha256=sha256: each.arrive(sha256),  # type: ignore[misc]
        ]
        own.together([steps, steps], lambda each, number, acts=acts: acts[number](each))  # type: ignore[misc]
        [job] = steps.jobs(limit=1)
        assert (job["sha256"], job["status"]) == (sha256, "queued")


def test_bytes_that_come_by_an_old_link_after_the_deletion_are_noted(own: OwnDatabase, steps: Steps) -> None:
    sha256 = new_sha256()
    steps.delete(steps.register(sha256)["job"]["job_id"])
    steps.objects_deleted(taken(steps))
    assert steps.arrive(sha256)["noted"] is True
    let_pass(own, 24 * 60 + 1)
    assert taken(steps) == [upload_of(steps, sha256)]


def test_bytes_that_come_while_theirs_are_deleted_go_too_and_nobody_counts_on_them(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    keys = taken(steps)
    assert steps.arrive(sha256)["noted"] is True
    with pytest.raises(Problem, match="being deleted"):
        steps.register(sha256)
    assert steps.objects_deleted(keys) == {"forgotten": 1}
    assert taken(steps) == [upload_of(steps, sha256)]
    with pytest.raises(Problem, match="being deleted"):
        steps.register(sha256)
    steps.objects_deleted([upload_of(steps, sha256)])
    assert steps.register(sha256)["job"]["status"] == "awaiting_upload"


@pytest.mark.parametrize("code", ["hash_mismatch", "size_mismatch"])
def test_bytes_that_are_not_what_was_announced_are_deleted_and_not_used_again(steps: Steps, code: str) -> None:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"], code=code)
    with pytest.raises(Problem) as caught:
        steps.retry(job_id)
    assert caught.value.code == "bytes_missing"
    answer = steps.register(sha256)
    assert (answer["cached"], answer["job"]["status"]) == (False, "awaiting_upload")
    assert upload_of(steps, sha256) not in taken(steps)  # a link was given out: the right ones may be on their way
    steps.arrive(sha256)
    assert steps.claim(answer["job"]["job_id"])["claimed"] is True


def test_wrong_bytes_that_come_again_while_they_are_deleted_are_not_taken_for_good(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"], code="hash_mismatch")
    keys = taken(steps)
    assert upload_of(steps, sha256) in keys
    assert steps.arrive(sha256) == {"known": True, "noted": False, "jobs": [], "queued": 0}
    with pytest.raises(Problem, match="being deleted"):
        steps.register(sha256)
    steps.objects_deleted(keys)
    assert upload_of(steps, sha256) in taken(steps)
    steps.objects_deleted([upload_of(steps, sha256)])
    assert steps.register(sha256)["job"]["status"] == "awaiting_upload"


def test_an_object_that_is_gone_has_to_be_sent_again(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"], code="object_missing")
    assert upload_of(steps, sha256) not in taken(steps)
    assert steps.register(sha256)["job"]["status"] == "awaiting_upload"


def test_bytes_that_came_after_an_attempt_had_read_the_wrong_ones_stay(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.claim(job_id)
    steps.arrive(sha256)
    steps.fail(job_id, 1, code="hash_mismatch")
    assert upload_of(steps, sha256) not in taken(steps)
    assert steps.retry(job_id)["status"] == "queued"


def test_a_failure_that_is_not_the_bytes_keeps_them(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"])
    assert taken(steps) == [outputs_of(steps, job_id, 1)]
    assert steps.register(sha256)["job"]["status"] == "queued"


def test_only_what_an_attempt_stored_that_ended_as_done_is_kept(own: OwnDatabase, steps: Steps) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id)
    steps.fail(job_id, 1, retry_after_seconds=0)
    assert taken(steps) == [outputs_of(steps, job_id, 1)]
    steps.claim(job_id)
    let_lease_run_out(own.superuser, job_id)
    steps.sweep()
    assert taken(steps) == []  # a lost worker may go on storing
    let_pass(own, 16)
    assert taken(steps) == [outputs_of(steps, job_id, 2)]
    steps.claim(job_id)
    steps.finish(job_id, 3)
    cancelled = steps.running()
    steps.cancel(cancelled)
    steps.finish(cancelled, 1)
    asking = steps.running()
    steps.await_type(asking, 1)
    assert taken(steps) == [outputs_of(steps, cancelled, 1)]


def all_at_once(own: OwnDatabase, steps: Steps, job_id: str, again: str, sha256: str) -> None:
    acts: list[Callable[[Steps], Answer]] = [
        lambda each: each.finish(job_id, 1),
        lambda each: each.delete(job_id),
        lambda each: each.delete(again),
        lambda each: each.arrive(sha256),
        lambda each: each.register(sha256, parameters={"a": 2}),
        lambda each: each.sweep(),
    ]
    own.together([steps] * len(acts), lambda each, number: acts[number](each))


def test_a_deletion_at_once_with_anything_else_loses_nothing(own: OwnDatabase, steps: Steps) -> None:
    """Whichever is first: nothing deadlocks, no row is left over, and every object is known or noted."""
    for _ in range(5):
        job_id, sha256 = steps.queued()
        steps.claim(job_id)
        again = steps.register(sha256, parameters={"a": 1})["job"]["job_id"]
        all_at_once(own, steps, job_id, again, sha256)
        [left] = steps.jobs()
        assert (left["parameters"], left["sha256"]) == ({"a": 2}, sha256)
        steps.arrive(sha256)
        assert steps.job(left["job_id"])["status"] == "queued"
        keys = taken(steps)
        assert (
            outputs_of(steps, job_id) in keys
            or own.superuser.execute(
                "select 1 from assay.deletions where object_key = %s", (outputs_of(steps, job_id),)
            ).fetchone()
        )
        assert upload_of(steps, sha256) not in keys
        steps.delete(left["job_id"])
        assert upload_of(steps, sha256) in taken(steps)
