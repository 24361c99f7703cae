"""What has ended is removed when its plan's time is over, by a clean-up that may run at any moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.database.own import OwnDatabase
from tests.database.steps import Steps, new_sha256

DAYS = {"free": 30, "pro": 180, "enterprise": 730}


def let_pass(own: OwnDatabase, days: float) -> None:
    """Move all that has ended into the past."""
    own.superuser.execute(
        "update assay.jobs set finished_at = finished_at - make_interval(secs => %(seconds)s), "
        "expires_at = expires_at - make_interval(secs => %(seconds)s)",
        {"seconds": days * 86400},
    )


def kept(steps: Steps, job_id: str) -> timedelta:
    """How long after its end the job will be removed."""
    job = steps.job(job_id)
    return datetime.fromisoformat(job["expires_at"]) - datetime.fromisoformat(job["finished_at"])


@pytest.mark.parametrize("plan", DAYS)
def test_what_has_ended_stays_as_long_as_its_plan_says(own: OwnDatabase, plan: str) -> None:
    steps = own.owner(plan)
    job_id, sha256 = steps.done()
    assert kept(steps, job_id) == timedelta(days=DAYS[plan])
    let_pass(own, DAYS[plan] - 0.001)
    assert steps.clean_up() == {"removed": 0, "keys": []}
    let_pass(own, 0.002)
    answer = steps.clean_up()
    assert answer["removed"] == 1
    assert sorted(answer["keys"]) == [f"outputs/{steps.user.owner}/{job_id}/", f"uploads/{steps.user.owner}/{sha256}"]
    assert steps.jobs() == []
    assert steps.account()["usage"]["stored_bytes"] == 0


def test_every_ending_expires_and_what_has_not_ended_does_not(own: OwnDatabase) -> None:
    steps = own.owner("pro")
    failed, cancelled, asking, running = (steps.running() for _ in range(4))
    steps.fail(failed, 1)
    steps.await_type(asking, 1)
    steps.cancel(cancelled)
    steps.finish(cancelled, 1)
    queued, _ = steps.queued()
    waiting = steps.register(new_sha256())["job"]["job_id"]
    expired = steps.register(new_sha256())["job"]["job_id"]
    own.superuser.execute(
        "with job as (update assay.jobs set created_at = now() - interval '2 days' where job_id = %s "
        "returning upload_id) "
        "update assay.uploads u set last_used = now() - interval '2 days' from job where u.upload_id = job.upload_id",
        (expired,),
    )
    steps.sweep()
    left = {waiting, queued, running, asking}
    assert {job["job_id"] for job in steps.jobs() if job["expires_at"] is None} == left
    let_pass(own, 1000)
    assert steps.clean_up()["removed"] == 3
    assert {job["job_id"] for job in steps.jobs()} == left


def test_a_job_that_is_tried_again_does_not_expire_until_it_has_ended_again(own: OwnDatabase) -> None:
    steps = own.owner()
    job_id = steps.running()
    steps.fail(job_id, 1)
    let_pass(own, 29)
    steps.retry(job_id)
    let_pass(own, 29)
    assert steps.clean_up()["removed"] == 0
    steps.finish(job_id, steps.claim(job_id)["attempt"])
    assert kept(steps, job_id) == timedelta(days=30)


def test_an_upload_goes_with_the_last_of_its_jobs(own: OwnDatabase) -> None:
    steps = own.owner()
    old, sha256 = steps.done()
    let_pass(own, 20)
    young = steps.reprocess(old)["job"]["job_id"]
    steps.finish(young, steps.claim(young)["attempt"])
    let_pass(own, 11)
    assert steps.clean_up() == {"removed": 1, "keys": [f"outputs/{steps.user.owner}/{old}/"]}
    assert steps.register(sha256)["job"]["job_id"] == young
    let_pass(own, 20)
    assert f"uploads/{steps.user.owner}/{sha256}" in steps.clean_up()["keys"]


def test_another_plan_counts_for_what_has_ended_already_but_leaves_a_week(own: OwnDatabase) -> None:
    steps = own.owner("enterprise")
    old, young = steps.done()[0], steps.done()[0]
    own.superuser.execute("update assay.jobs set finished_at = now() - interval '100 days' where job_id = %s", (old,))
    steps.set_plan("free")
    assert kept(steps, young) == timedelta(days=30)
    assert timedelta(days=106.9) < kept(steps, old) < timedelta(days=107.1)
    steps.set_plan("pro")
    assert (kept(steps, young), kept(steps, old)) == (timedelta(days=180), timedelta(days=180))


def test_a_job_that_ended_while_its_owner_got_a_larger_plan_is_kept_as_that_says(own: OwnDatabase) -> None:
    steps = own.owner("pro")
    job_id, _ = steps.done()
    own.superuser.execute(
        "update assay.jobs set finished_at = now() - interval '31 days', expires_at = now() - interval '1 day' "
        "where job_id = %s",
        (job_id,),
    )
    assert steps.clean_up() == {"removed": 0, "keys": []}
    assert kept(steps, job_id) == timedelta(days=180)


def test_a_clean_up_does_so_much_at_a_time_the_oldest_first(own: OwnDatabase) -> None:
    steps = own.owner("pro")
    own.queue(steps, 501)
    own.superuser.execute(
        "update assay.jobs set status = 'cancelled', "
        "finished_at = now() - interval '1 year' + make_interval(secs => turn)"
    )
    own.superuser.execute("update assay.jobs set expires_at = finished_at")
    first = steps.clean_up()
    assert (first["removed"], len(first["keys"])) == (500, 500)
    assert [job["finished_at"] for job in steps.jobs()] == [max(job["finished_at"] for job in steps.jobs())]
    assert steps.clean_up()["removed"] == 1
    own.superuser.execute(
        "insert into assay.deletions (object_key, due_at) "
        "select 'outputs/' || n || '/', now() - make_interval(secs => n) from generate_series(1, 1001) n"
    )
    assert len(steps.clean_up()["keys"]) == 1000
    assert steps.clean_up()["keys"] == ["outputs/1/"]


def test_clean_ups_at_once_remove_all_once_and_hand_out_each_key_once(own: OwnDatabase) -> None:
    owners = [own.owner("pro") for _ in range(3)]
    jobs = [(steps, *steps.done()) for steps in owners for _ in range(10)]
    let_pass(own, 1000)
    answers = own.together(owners * 2, lambda each, _: [each.clean_up() for _ in range(2)])
    flat = [answer for pair in answers for answer in pair] + [owners[0].clean_up()]
    assert sum(answer["removed"] for answer in flat) == len(jobs)
    keys = [key for answer in flat for key in answer["keys"]]
    expected = [f"outputs/{steps.user.owner}/{job_id}/" for steps, job_id, _ in jobs]
    expected += [f"uploads/{steps.user.owner}/{sha256}" for steps, _, sha256 in jobs]
    assert sorted(keys) == sorted(expected)
    assert all(steps.account()["usage"]["stored_bytes"] == 0 for steps in owners)


def test_a_clean_up_and_a_new_plan_at_once_are_both_done(own: OwnDatabase) -> None:
    steps = own.owner("free")
    jobs = [steps.done()[0] for _ in range(20)]
    let_pass(own, 31)

    def act(each: Steps, number: int) -> None:
        if number % 3 == 0:
            each.clean_up()
        elif number % 3 == 1:
            each.set_plan("free")
        else:
            each.delete_account(limit=5)

    own.together([steps] * 6, act)
    assert {job["job_id"] for job in steps.jobs()} <= set(jobs)
