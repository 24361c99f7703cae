"""From the outbox to the queue: whatever is lost on the way is told again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest

from functions.process.app import handler
from shared.errors import Transient
from shared.object_store.keys import upload_key
from shared.queue import Queue
from shared.queue.events import OUTBOX_HINT, objects_created
from shared.worker_time import WORKER_SECONDS
from tests.api import NEWS_QUEUE, QUEUE, Context
from tests.database.steps import Steps, Superuser, new_sha256
from tests.sqs import SWEEP, failed, sqs_event, take_out, work
from tests.worker.jobs import MEASUREMENTS, store, upload

pytestmark = pytest.mark.usefixtures("aws")
HINT = sqs_event(OUTBOX_HINT)


@pytest.fixture(autouse=True)
def empty_outbox(superuser: Superuser) -> None:
    superuser.execute("delete from assay.outbox")


def note(superuser: Superuser, *keys: str) -> None:
    """What the trigger on storage.objects writes."""
    superuser.execute("insert into assay.outbox (object_key) select unnest(%s::text[])", (list(keys),))


def later(superuser: Superuser, seconds: int) -> None:
    superuser.execute("update assay.outbox set told_at = told_at - make_interval(secs => %s)", (seconds,))


def told() -> list[str]:
    """Take all news out of its queue; return the keys that it told of."""
    return [created.key for message in take_out(NEWS_QUEUE) for created in objects_created(message)]


@pytest.mark.parametrize("event", [HINT, SWEEP], ids=["hint", "sweep"])
def test_a_hint_or_the_sweep_leads_to_a_done_job(steps: Steps, superuser: Superuser, event: dict[str, object]) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    note(superuser, key)
    handler(event, Context())
    work()
    assert steps.job(job_id)["status"] == "done"
    later(superuser, 3600)
    handler(event, Context())
    assert key not in told()


def test_a_hint_twice_and_one_that_came_too_early_tell_once_of_each(steps: Steps, superuser: Superuser) -> None:
    handler(HINT, Context())
    assert told() == []
    key = upload_key(steps.user.owner, new_sha256())
    note(superuser, key)
    handler(sqs_event(OUTBOX_HINT, OUTBOX_HINT), Context())
    assert told() == [key]


def test_with_the_queue_down_in_the_middle_the_rest_is_told_of_when_it_has_been_quiet(
    steps: Steps, superuser: Superuser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys = [upload_key(steps.user.owner, f"{number:064x}") for number in range(25)]
    note(superuser, *keys)
    send = Queue.send

    def half(queue: Queue, bodies: Sequence[str]) -> None:
        send(queue, bodies[:10])
        raise Transient("the queue did not accept the messages")

    with monkeypatch.context() as fault:
        fault.setattr(Queue, "send", half)
        assert failed(handler(HINT, Context())) == [], "the sweep is sooner than a message that comes again"
    assert "hint not followed" in caplog.text
    first = told()
    assert len(first) == 10

    later(superuser, WORKER_SECONDS - 60)
    handler(HINT, Context())
    assert told() == [], "what was told of a moment ago is not told of again"
    later(superuser, 61)
    handler(SWEEP, Context())
    assert set(told()) | set(first) == set(keys)


def test_a_message_that_the_queue_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(boto3.client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"])

    def refusing(**_: Any) -> dict[str, object]:
        return {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}

    monkeypatch.setattr(queue._client, "send_message_batch", refusing)
    with pytest.raises(Transient):
        queue.send(["a"])


def test_an_object_that_is_none_of_ours_leaves_the_outbox_and_its_news_fails(superuser: Superuser) -> None:
    key = "uploads/somebody/something.csv"
    store(key, b"anything")
    note(superuser, key)
    handler(HINT, Context())
    [news] = take_out(NEWS_QUEUE)
    assert failed(handler(sqs_event(news), Context())) == ["message 0"]
    assert superuser.execute("select from assay.outbox where object_key = %s", (key,)).fetchone() is None
