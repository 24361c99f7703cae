"""Deliveries in the database: handed out fairly, to one worker at a time, and settled once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.database.steps import Superuser
from tests.database.webhook_steps import TIMED_OUT, Answer, WebhookSteps, make_due, write

pytestmark = pytest.mark.usefixtures("no_webhooks")


def row(superuser: Superuser, delivery_id: str) -> Answer:
    found = superuser.execute("select to_jsonb(d) from assay.deliveries d where delivery_id = %s", (delivery_id,))
    return cast("tuple[Answer]", found.fetchone())[0]


def test_what_was_handed_out_is_handed_out_again_only_when_its_sender_is_lost(
    webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 1)
    [first] = webhooks.claim()
    assert webhooks.claim() == webhooks.claim(sweep=True) == []
    [shown] = webhooks.deliveries(webhook_id)
    assert (shown["state"], shown["attempts"]) == ("sending", 1)
    make_due(superuser, webhook_id)
    [second] = webhooks.claim()
    assert second == first | {"attempt": 2, "claimed_at": second["claimed_at"]}
    assert second["claimed_at"] > first["claimed_at"]

    delivery_id = first["delivery_id"]
    assert webhooks.settle(delivery_id, 1) == {"accepted": False}, "it was taken for lost, and came back"
    assert webhooks.settle(delivery_id, 2, delivered=True, http_status=204) == {"accepted": True, "state": "delivered"}
    settled = row(superuser, delivery_id)
    assert webhooks.settle(delivery_id, 2, delivered=True, http_status=204) == {"accepted": True, "state": "delivered"}
    assert row(superuser, delivery_id) == settled
    assert (settled["http_status"], settled["error"], settled["next_attempt_at"]) == (204, None, None)
    assert webhooks.settle(uuid4(), 1) == {"accepted": False}


def test_the_same_failure_reported_twice_counts_once(webhooks: WebhookSteps, superuser: Superuser) -> None:
    write(superuser, webhooks.create(), 1)
    [delivery] = webhooks.claim()
    assert webhooks.settle(delivery["delivery_id"], 1)["state"] == "pending"
    settled = row(superuser, delivery["delivery_id"])
    assert webhooks.settle(delivery["delivery_id"], 1) == {"accepted": True, "state": "pending"}
    assert row(superuser, delivery["delivery_id"]) == settled


# Seconds at most before the next try, by the tries so far.
DELAYS = {1: 60, 2: 180, 3: 540, 4: 1620, 5: 4860, 6: 14580, 7: 43200, 8: 43200, 9: 43200}


@pytest.mark.parametrize(("attempts", "longest"), DELAYS.items())
def test_a_failed_try_is_repeated_after_a_random_part_of_a_delay_that_grows(
    webhooks: WebhookSteps, superuser: Superuser, attempts: int, longest: int
) -> None:
    write(superuser, webhooks.create(), 10)
    superuser.execute("update assay.deliveries set attempts = %s", (attempts - 1,))
    delays = []
    for delivery in webhooks.claim():
        assert webhooks.settle(delivery["delivery_id"], attempts) == {"accepted": True, "state": "pending"}
        found = row(superuser, delivery["delivery_id"])
        assert (found["error"], found["ended_at"]) == (TIMED_OUT, None)
        delays.append((datetime.fromisoformat(found["next_attempt_at"]) - claimed_at(delivery)).total_seconds())
    assert len(delays) == 10
    assert max(delays) <= longest + 5, "the five are for the calls themselves"
    assert min(delays) < longest * 0.9, "chance lets one in ten thousand million runs fail"
    assert max(delays) > longest * 0.1


def claimed_at(delivery: Answer) -> datetime:
    return datetime.fromisoformat(delivery["claimed_at"])


def test_the_tenth_failure_is_the_last(webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 1)
    states = []
    for attempt in range(1, 11):
        [delivery] = webhooks.claim(sweep=True)
        assert delivery["attempt"] == attempt
        states.append(webhooks.settle(delivery["delivery_id"], attempt, http_status=500)["state"])
        make_due(superuser, webhook_id)
    assert states == ["pending"] * 9 + ["failed"]
    assert webhooks.claim(sweep=True) == []
    [shown] = webhooks.deliveries(webhook_id)
    assert (shown["state"], shown["attempts"], shown["http_status"]) == ("failed", 10, 500)
    assert shown["ended_at"]


@pytest.mark.parametrize(("asked", "waited"), [(7200, 7200), (10**9, 43200), (-1, 0)])
def test_a_receiver_may_ask_for_a_longer_pause_of_half_a_day_at_most(
    webhooks: WebhookSteps, superuser: Superuser, asked: int, waited: int
) -> None:
    write(superuser, webhooks.create(), 1)
    [delivery] = webhooks.claim()
    webhooks.settle(delivery["delivery_id"], 1, http_status=429, retry_after_seconds=asked)
    pause = datetime.fromisoformat(row(superuser, delivery["delivery_id"])["next_attempt_at"]) - claimed_at(delivery)
    assert timedelta(seconds=waited) <= pause <= timedelta(seconds=waited + 65)


def test_one_that_was_handed_out_ten_times_and_never_settled_has_failed(
    webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 1)
    for attempt in range(1, 11):
        assert [delivery["attempt"] for delivery in webhooks.claim()] == [attempt]
        make_due(superuser, webhook_id)
    assert webhooks.claim() == []
    [shown] = webhooks.deliveries(webhook_id)
    assert (shown["state"], shown["error"]["code"]) == ("failed", "sender_lost")


def test_a_webhook_that_fails_is_left_to_the_sweep_until_it_works(webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 2)
    first, second = webhooks.claim()
    webhooks.settle(first["delivery_id"], 1)
    webhooks.settle(second["delivery_id"], 1)
    failing_since = webhooks.all()[0]["failing_since"]
    make_due(superuser, webhook_id)
    assert failing_since
    assert (webhooks.due(), webhooks.claim()) == (False, [])
    again = webhooks.claim(limit=1, sweep=True)
    webhooks.settle(again[0]["delivery_id"], 2)
    assert webhooks.all()[0]["failing_since"] == failing_since

    make_due(superuser, webhook_id)
    [last] = webhooks.claim(limit=1, sweep=True)
    webhooks.settle(last["delivery_id"], last["attempt"], delivered=True)
    make_due(superuser, webhook_id)
    assert webhooks.all()[0]["failing_since"] is None
    assert webhooks.due()
    assert len(webhooks.claim()) == 1


def test_a_webhook_that_has_taken_nothing_for_three_days_is_tried_once_an_event(
    webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 2)
    superuser.execute("update assay.webhooks set failing_since = now() - interval '3 days 1 second'")
    first, second = webhooks.claim(sweep=True)
    assert webhooks.settle(first["delivery_id"], 1)["state"] == "failed"
    assert webhooks.settle(second["delivery_id"], 1, delivered=True)["state"] == "delivered"
    write(superuser, webhook_id, 1)
    [third] = webhooks.claim()
    assert webhooks.settle(third["delivery_id"], 1)["state"] == "pending"


def test_nobody_s_thousand_hold_up_another_s_one(
    webhooks: WebhookSteps, others: WebhookSteps, superuser: Superuser
) -> None:
    write(superuser, webhooks.create("https://example.org/many"), 1000, "1 hour")
    write(superuser, webhooks.create("https://example.org/few"), 1)
    write(superuser, others.create("https://example.org/another"), 1)
    urls = [delivery["url"].rpartition("/")[2] for delivery in webhooks.claim(limit=3)]
    assert sorted(urls) == ["another", "few", "many"]
    superuser.execute("update assay.deliveries set state = 'pending', next_attempt_at = now()")
    assert len(webhooks.claim(limit=50)) == 12, "ten at most of one webhook"


def test_an_owner_s_deliveries_are_with_one_worker_at_a_time(
    webhooks: WebhookSteps, others: WebhookSteps, superuser: Superuser
) -> None:
    write(superuser, webhooks.create(), 20)
    slow = webhooks.claim()
    assert len(slow) == 10
    write(superuser, webhooks.create("https://example.org/fast"), 1)
    write(superuser, others.create("https://example.org/another"), 1)
    [another] = webhooks.claim()
    assert another["url"] == "https://example.org/another"
    for delivery in slow[:9]:
        webhooks.settle(delivery["delivery_id"], 1, delivered=True)
    assert webhooks.claim() == []
    webhooks.settle(slow[9]["delivery_id"], 1, delivered=True)
    assert len(webhooks.claim()) == 11


def test_two_that_claim_at_once_get_different_ones(
    postgres: Postgres, db: PsycopgDatabase, superuser: Superuser
) -> None:
    for _ in range(20):
        owner = WebhookSteps(db, User(uuid4()))
        write(superuser, owner.create(), 5)

    def claim(_: int) -> list[Answer]:
        return WebhookSteps(PsycopgDatabase(postgres.authenticator_url), User(uuid4())).claim(limit=5)

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(claim, range(4)))
    ids = [delivery["delivery_id"] for claimed in claims for delivery in claimed]
    assert len(ids) == len(set(ids)) == 20
    found = superuser.execute("select delivery_id, owner from assay.deliveries").fetchall()
    owner_of = {str(delivery_id): cast("UUID", owner) for delivery_id, owner in found}
    owners = [{owner_of[delivery["delivery_id"]] for delivery in claimed} for claimed in claims]
    assert sum(map(len, owners)) == len(set().union(*owners)), "no owner is with two workers"


def test_what_ended_a_month_ago_is_forgotten_a_thousand_at_a_time(webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 1200, "31 days")
    superuser.execute("update assay.deliveries set state = 'delivered', next_attempt_at = null, ended_at = occurred_at")
    write(superuser, webhook_id, 1, "31 days")
    count = "select count(*) from assay.deliveries where state = 'delivered'"
    webhooks.claim()
    assert superuser.execute(count).fetchone() == (1200,), "a hint is for sending"
    webhooks.claim(sweep=True)
    assert superuser.execute(count).fetchone() == (200,)
    webhooks.claim(sweep=True)
    assert superuser.execute("select state from assay.deliveries").fetchall() == [("sending",)]
