"""POST /events/storage: who knows the secret may hint, and a hint says nothing but to look."""

from __future__ import annotations

import json

import boto3
import pytest

from functions.process.app import handler as process
from functions.upload.app import handler
from shared.queue import queue
from shared.queue.events import OUTBOX_HINT
from shared.settings import settings
from tests.api import NEWS_QUEUE, Answer, Context, answered, http_event
from tests.sqs import failed, sqs_event

pytestmark = pytest.mark.usefixtures("aws")
SECRET = "a secret of at least 32 characters"


@pytest.fixture
def supabase_storage(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "STORAGE": "supabase",
        "STORAGE_HOOK_SECRET": SECRET,
        "OBJECT_STORE_ACCESS_KEY_ID": "id",
        "OBJECT_STORE_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def hint(secret: str | None, body: bytes | None = b"{}") -> Answer:
    headers = {} if secret is None else {"x-assay-hook-secret": secret}
    return answered(handler, http_event("POST", "/events/storage", body, headers))


def queued() -> list[str]:
    sqs = boto3.client("sqs")
    messages = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName=NEWS_QUEUE)["QueueUrl"], MaxNumberOfMessages=10)
    return [message["Body"] for message in messages.get("Messages", [])]


# What pg_net sends, what anyone may send, and what no parser takes.
@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "INSERT", "table": "objects", "schema": "storage", "record": {"name": "uploads/a/b"}}',
        b'{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "uploads/forged"}}}]}',
        b"\x00\xff{",
        b"",
        None,
    ],
)
@pytest.mark.usefixtures("supabase_storage")
def test_a_hint_asks_for_a_look_into_the_outbox_whatever_its_body_says(body: bytes | None) -> None:
    answer = hint(SECRET, body)
    assert (answer.status, answer.json()) == (202, {})
    assert queued() == [OUTBOX_HINT]


@pytest.mark.parametrize(
    "secret",
    [None, "", SECRET[:-1], SECRET + "x", SECRET.upper(), f"{SECRET},{SECRET}", f"Bearer {SECRET}", "ä", "\ud800"],
)
@pytest.mark.usefixtures("supabase_storage")
def test_without_the_secret_nothing_is_queued(secret: str | None) -> None:
    answer = hint(secret)
    assert answer.problem() == (401, "wrong_hook_secret")
    assert SECRET not in answer.body
    assert queued() == []


@pytest.mark.parametrize("changes", [{"STORAGE": "s3"}, {"STORAGE_HOOK_SECRET": ""}])
@pytest.mark.usefixtures("supabase_storage")
def test_where_no_webhook_is_expected_there_is_none(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    for secret in (SECRET, "", None):
        assert hint(secret).problem() == (404, "no_storage_hook")
    assert queued() == []


@pytest.mark.usefixtures("supabase_storage")
def test_a_queue_that_is_away_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/gone")
    settings.cache_clear()
    queue.cache_clear()
    assert hint(SECRET).problem() == (503, "unavailable")


def test_what_is_no_hint_and_no_event_is_refused() -> None:
    bodies = ('{"hint": "look elsewhere"}', OUTBOX_HINT.replace(":", ": "), json.dumps(OUTBOX_HINT))
    assert failed(process(sqs_event(*bodies), Context())) == ["message 0", "message 1", "message 2"]
