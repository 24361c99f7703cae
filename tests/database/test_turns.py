"""claim_job: whose turn it is, and how many may run."""

from __future__ import annotations

from collections import Counter
from itertools import count
from uuid import uuid4

import pytest

from tests.database.own import OwnDatabase
from tests.database.steps import Answer, Steps, let_lease_run_out

NOTHING_DUE = {"claimed": False, "reason": "nothing_due"}


def claim(steps: Steps) -> Answer:
    """As a worker of its own."""
    return steps.claim_next(f"worker {uuid4()}")


def run_one(steps: Steps) -> str:
    """Claim whichever job is next and finish it; return its owner."""
    claimed = claim(steps)
    steps.finish(claimed["job"]["job_id"], claimed["attempt"])
    owner: str = claimed["owner"]
    return owner


def test_a_thousand_jobs_of_one_owner_hold_up_nobody(own: OwnDatabase) -> None:
    many, one = own.owner(), own.owner()
    thousand = own.queue(many, 1000)
    assert [run_one(many) for _ in range(20)] == [str(many.user.owner)] * 20
    [job_id] = own.queue(one, 1)
    claimed = [claim(one)["job"]["job_id"] for _ in range(2)]
    assert claimed == [thousand[20], job_id]


def test_two_bursts_are_served_in_turns(own: OwnDatabase) -> None:
    first, second = own.owner(), own.owner()
    own.queue(first, 12)
    own.queue(second, 12)
    owners = [run_one(first) for _ in range(24)]
    assert owners == [str(first.user.owner), str(second.user.owner)] * 12
    assert claim(first) == NOTHING_DUE


def test_who_comes_later_is_served_in_turns_from_then_on_and_does_not_catch_up(own: OwnDatabase) -> None:
    early, late = own.owner(), own.owner()
    own.queue(early, 20)
    assert {run_one(early) for _ in range(10)} == {str(early.user.owner)}
    own.queue(late, 10)
    assert [run_one(late) for _ in range(20)] == [str(early.user.owner), str(late.user.owner)] * 10


def test_who_waits_to_try_again_does_not_move_those_who_come_to_the_front(own: OwnDatabase) -> None:
    """The turn of a job that backs off is of long ago; a burst that began there would pass everybody."""
    backing_off, early, late = own.owner(), own.owner(), own.owner()
    own.queue(backing_off, 1)
    claimed = claim(early)
    backing_off.fail(claimed["job"]["job_id"], 1, retry_after_seconds=300)
    own.queue(early, 20)
    for _ in range(10):
        run_one(early)
    own.queue(late, 10)
    assert Counter(run_one(late) for _ in range(10)) == {str(early.user.owner): 5, str(late.user.owner): 5}


def test_each_job_of_an_owner_comes_in_its_order(own: OwnDatabase) -> None:
    steps = own.owner("enterprise")
    jobs = own.queue(steps, 10)
    assert [claim(steps)["job"]["job_id"] for _ in range(10)] == jobs


def test_who_is_at_the_limit_is_passed_over_until_a_job_ends(own: OwnDatabase) -> None:
    free, other = own.owner(), own.owner()
    jobs = own.queue(free, 4)
    first, second = claim(free), claim(free)
    assert claim(free) == NOTHING_DUE
    [job_id] = own.queue(other, 1)
    assert claim(other)["job"]["job_id"] == job_id
    assert claim(other) == NOTHING_DUE
    assert free.finish(first["job"]["job_id"], 1)["more"] is True
    assert claim(free)["job"]["job_id"] == jobs[2]
    assert claim(free) == NOTHING_DUE
    assert free.fail(second["job"]["job_id"], 1)["more"] is True
    assert claim(free)["job"]["job_id"] == jobs[3]
    assert free.finish(jobs[2], 1)["more"] is False


def test_a_lost_worker_leaves_its_place(own: OwnDatabase) -> None:
    steps = own.owner()
    own.queue(steps, 3)
    claim(steps)
    lost = claim(steps)["job"]["job_id"]
    assert claim(steps) == NOTHING_DUE
    let_lease_run_out(own.superuser, lost)
    assert claim(steps)["claimed"] is True


def test_a_larger_plan_and_a_changed_limit_count_at_once(own: OwnDatabase) -> None:
    steps = own.owner()
    own.queue(steps, 20)
    taken = count()

    def take_all() -> int:
        while claim(steps)["claimed"]:
            next(taken)
        return next(taken)

    assert take_all() == 2
    steps.set_plan("pro")
    assert take_all() == 2 + 1 + 8
    own.superuser.execute("update assay.plans set running_jobs = 12 where plan = 'pro'")
    try:
        assert take_all() == 2 + 1 + 8 + 1 + 2
    finally:
        own.superuser.execute("update assay.plans set running_jobs = 10 where plan = 'pro'")


@pytest.mark.parametrize("plan", ["free", "pro"])
def test_twenty_claims_at_once_never_pass_the_limit(own: OwnDatabase, plan: str) -> None:
    steps, limit = own.owner(plan), {"free": 2, "pro": 10}[plan]
    own.queue(steps, 40)
    for _ in range(3):
        answers = own.together([steps] * 20, lambda each, _: claim(each))
        claimed = [answer["job"]["job_id"] for answer in answers if answer["claimed"]]
        assert len(claimed) == len(set(claimed)) == limit
        assert all(answer == NOTHING_DUE for answer in answers if not answer["claimed"])
        for job_id in claimed:
            steps.finish(job_id, 1)


def test_claims_at_once_share_out_the_jobs_and_leave_none(own: OwnDatabase) -> None:
    steps = own.owner("enterprise")
    jobs = own.queue(steps, 20)
    answers = own.together([steps] * 20, lambda each, _: claim(each))
    assert sorted(answer["job"]["job_id"] for answer in answers) == sorted(jobs)


def test_owners_near_their_limits_do_not_lock_each_other_out(own: OwnDatabase) -> None:
    """A claim that has waited for one owner, and found them busy, must not wait for the next with this one held."""
    owners = [own.owner() for _ in range(4)]
    for steps in owners:
        own.queue(steps, 30)
    ended: list[str] = []

    def work(steps: Steps, _: int) -> None:
        while (claimed := claim(steps))["claimed"]:
            steps.finish(claimed["job"]["job_id"], claimed["attempt"])
            ended.append(claimed["job"]["job_id"])

    own.together([owners[0]] * 12, work)
    assert len(ended) == len(set(ended)) == 120


def test_a_claim_is_the_same_for_its_worker_even_at_once(own: OwnDatabase) -> None:
    steps = own.owner("pro")
    own.queue(steps, 10)
    answers = own.together([steps] * 8, lambda each, _: each.claim_next("one worker"))
    assert {answer["job"]["job_id"] for answer in answers} == {answers[0]["job"]["job_id"]}
    job_id = answers[0]["job"]["job_id"]
    steps.finish(job_id, 1)
    assert steps.claim_next("one worker")["job"]["job_id"] != job_id


def test_a_job_that_backs_off_holds_nobody_up_and_keeps_its_turn(own: OwnDatabase) -> None:
    steps = own.owner()
    first, second, third, fourth = own.queue(steps, 4)
    assert claim(steps)["job"]["job_id"] == first
    assert steps.fail(first, 1, retry_after_seconds=300)["more"] is True
    assert claim(steps)["job"]["job_id"] == second
    steps.finish(second, 1)
    own.superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (first,))
    assert claim(steps)["job"]["job_id"] == first
    assert claim(steps)["job"]["job_id"] == third
    assert steps.fail(first, 2, retry_after_seconds=300)["more"] is True
    assert claim(steps)["job"]["job_id"] == fourth
    assert steps.finish(third, 1)["more"] is False
    assert claim(steps) == NOTHING_DUE


def test_a_job_that_was_lost_keeps_its_turn(own: OwnDatabase) -> None:
    steps = own.owner()
    first, _ = own.queue(steps, 2)
    claim(steps)
    let_lease_run_out(own.superuser, first)
    steps.sweep()
    assert claim(steps)["job"]["job_id"] == first


def test_a_job_that_is_tried_again_by_hand_waits_for_its_turn_anew(own: OwnDatabase) -> None:
    steps = own.owner()
    first, second, third = own.queue(steps, 3)
    claim(steps)
    steps.fail(first, 1)
    steps.retry(first)
    order = []
    for _ in range(3):
        order.append(claim(steps)["job"]["job_id"])
        steps.finish(order[-1], 2 if order[-1] == first else 1)
    assert order == [second, third, first]
