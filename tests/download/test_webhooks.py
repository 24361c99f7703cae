"""GET /webhooks and GET /webhooks/{webhook_id}/deliveries, by their events."""

from __future__ import annotations

import pytest

from functions.download.app import handler
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.api import UNKNOWN_ID, Client
from tests.database.steps import Steps, Superuser
from tests.database.webhook_steps import TIMED_OUT, URL, WebhookSteps
from tests.issuer import Issuer

pytestmark = pytest.mark.usefixtures("aws")


def test_webhooks_are_listed_without_their_secrets(client: Client, webhooks: WebhookSteps) -> None:
    made = [webhooks.register(), webhooks.register("https://example.org/another")]
    answer = client.call("GET", "/webhooks")
    assert [webhook["webhook_id"] for webhook in answer.json()["webhooks"]] == [
        webhook["webhook_id"] for webhook in made
    ]
    assert answer.json()["webhooks"][0] == {
        "webhook_id": made[0]["webhook_id"],
        "url": URL,
        "created_at": answer.json()["webhooks"][0]["created_at"],
        "failing_since": None,
    }
    assert "whsec" not in answer.body


def test_pages_give_every_delivery_once_newest_first(client: Client, steps: Steps, webhooks: WebhookSteps) -> None:
    path = f"/webhooks/{webhooks.create()}/deliveries"
    made = [steps.done()[0] for _ in range(5)]
    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        page = client.call("GET", path, query=query).json()
        seen += [delivery["job_id"] for delivery in page["deliveries"]]
        query = {"limit": "2", "cursor": page["next_cursor"] or ""}
    assert page["next_cursor"] is None
    assert seen == made[::-1]


def test_a_delivery_says_how_it_went(
    client: Client, steps: Steps, webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    job_id = steps.running()
    steps.fail(job_id, 1)
    superuser.execute(
        "update assay.deliveries set state = 'sending', attempts = 1 where webhook_id = %s", (webhook_id,)
    )
    delivery_id = webhooks.deliveries(webhook_id)[0]["delivery_id"]
    webhooks.settle(delivery_id, 1, http_status=503)
    [delivery] = client.call("GET", f"/webhooks/{webhook_id}/deliveries").json()["deliveries"]
    assert delivery == {
        "delivery_id": delivery_id,
        "job_id": job_id,
        "type": "job.failed",
        "occurred_at": delivery["occurred_at"],
        "state": "pending",
        "attempts": 1,
        "next_attempt_at": delivery["next_attempt_at"],
        "http_status": 503,
        "error": TIMED_OUT,
        "ended_at": None,
    }
    assert delivery["next_attempt_at"] > delivery["occurred_at"]
    [webhook] = client.call("GET", "/webhooks").json()["webhooks"]
    assert webhook["failing_since"]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"limit": "0"}, (422, "invalid_request")),
        ({"limit": "101"}, (422, "invalid_request")),
        ({"cursor": "x"}, (404, "cursor_not_found")),
    ],
)
def test_a_bad_question_is_a_problem(
    client: Client, webhooks: WebhookSteps, query: dict[str, str], problem: tuple[int, str]
) -> None:
    path = f"/webhooks/{webhooks.create()}/deliveries"
    assert client.call("GET", path, query=query).problem() == problem


def test_another_owner_s_webhook_is_not_there_by_their_cursor_either(
    client: Client, db: PsycopgDatabase, other_user: User, issuer: Issuer
) -> None:
    theirs = WebhookSteps(db, other_user)
    webhook_id = theirs.create()
    for _ in range(2):
        Steps(db, other_user).done()
    path = f"/webhooks/{webhook_id}/deliveries"
    page = Client(handler, issuer, other_user.owner).call("GET", path, query={"limit": "1"}).json()
    assert client.call("GET", path).problem() == (404, "webhook_not_found")
    assert client.call("GET", path, query={"cursor": page["next_cursor"]}).problem()[0] == 404
    assert client.call("GET", "/webhooks").json() == {"webhooks": []}


@pytest.mark.parametrize("name", ["1", UNKNOWN_ID])
def test_what_is_not_there_is_404(client: Client, name: str) -> None:
    assert client.call("GET", f"/webhooks/{name}/deliveries").problem()[0] == 404


@pytest.mark.parametrize("path", ["/webhooks", f"/webhooks/{UNKNOWN_ID}/deliveries"])
def test_without_a_token_nothing_is_told(client: Client, path: str) -> None:
    client.token = ""
    assert client.call("GET", path).problem() == (401, "not_signed_in")
