"""From an ended job to its receiver: real Postgres, real receivers on the loopback address, moto's SQS."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from functions.process.app import handler
from functions.process.webhooks import deliveries as sending
from functions.process.webhooks.deliveries import deliver, hint_at_deliveries
from local.home import LOOPBACK, PROJECT
from shared.database.psycopg_database import PsycopgDatabase
from shared.database.transport import Argument
from shared.errors import Transient
from shared.queue import Queue
from shared.queue.events import DELIVER_HINT
from shared.settings import settings
from shared.sign_in.auth import User
from tests.api import Context
from tests.database.steps import Steps, Superuser
from tests.database.webhook_steps import Answer, WebhookSteps, make_due
from tests.receiver import Connection, Receiver, answering, receiver
from tests.sqs import SWEEP, failed, sqs_event, take_out, work
from tests.worker.jobs import MEASUREMENTS, upload

pytestmark = pytest.mark.usefixtures("aws", "private")


@pytest.fixture
def private(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers are on this machine."""
    monkeypatch.setenv("WEBHOOK_PRIVATE_ADDRESSES", "true")
    settings.cache_clear()


def url_of(receiving: Receiver) -> str:
    return f"http://{LOOPBACK}:{receiving.port}/hook?key=of-the-receiver"


def the_one(webhooks: WebhookSteps, webhook_id: str) -> Answer:
    [delivery] = webhooks.deliveries(webhook_id)
    return delivery


# --- the way ----------------------------------------------------------------------------------------------------------


def test_a_done_job_is_told_of_by_its_hint_and_the_signature_holds(steps: Steps, webhooks: WebhookSteps) -> None:
    with receiver() as receiving:
        made = webhooks.register(url_of(receiving))
        job_id, key = upload(steps, MEASUREMENTS)
        work(key)
        request = receiving.next()
    event = Webhook(made["secret"]).verify(request.body, request.headers)
    job = steps.job(job_id)
    assert datetime.fromisoformat(event.pop("timestamp")) == datetime.fromisoformat(job["finished_at"])
    assert event == {
        "type": "job.done",
        "data": {
            "job_id": job_id,
            "status": "done",
            "dataset_type": "station_measurements",
            "pipeline": "station_measurements",
            "pipeline_version": job["pipeline_version"],
            "manifest_sha256": job["manifest_sha256"],
            "error_code": None,
        },
    }
    assert request.line == "POST /hook?key=of-the-receiver HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    delivery = the_one(webhooks, made["webhook_id"])
    assert request.headers["webhook-id"] == delivery["delivery_id"]
    assert (delivery["state"], delivery["attempts"], delivery["http_status"]) == ("delivered", 1, 204)


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_no_part_of_what_is_signed_can_be_changed(steps: Steps, webhooks: WebhookSteps, part: str) -> None:
    with receiver() as receiving:
        secret = webhooks.register(url_of(receiving))["secret"]
        steps.done()
        deliver()
        request = receiving.next()
    headers, body = dict(request.headers), request.body
    if part == "body":
        body = body.replace(b"done", b"gone")
    elif part == "webhook-id":
        headers[part] = str(uuid4())
    elif part == "webhook-timestamp":
        headers[part] = str(int(headers[part]) + 1)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(webhooks.register()["secret"] if part == "secret" else secret).verify(body, headers)


def test_a_failed_job_is_told_of_by_its_code(steps: Steps, webhooks: WebhookSteps) -> None:
    with receiver() as receiving:
        webhooks.create(url_of(receiving))
        _, key = upload(steps, b"%PDF-1.7 \x00\x01\x02")
        work(key)
        event = json.loads(receiving.next().body)
    assert (event["type"], event["data"]["error_code"]) == ("job.failed", "binary_content")


def test_only_where_somebody_is_to_be_told_a_hint_is_sent(steps: Steps, webhooks: WebhookSteps) -> None:
    steps.done()
    hint_at_deliveries(str(steps.user.owner))
    assert take_out() == []
    webhook_id = webhooks.create()
    steps.done()
    hint_at_deliveries(str(steps.user.owner))
    assert take_out() == [DELIVER_HINT]
    webhooks.delete(webhook_id)
    hint_at_deliveries(str(steps.user.owner))
    assert take_out() == []


@pytest.mark.parametrize(
    ("gone", "logged"), [("database", "no hint sent for deliveries"), ("queue", "a hint was not sent")]
)
def test_a_hint_that_cannot_be_sent_keeps_no_job_from_its_end(
    steps: Steps,
    webhooks: WebhookSteps,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    gone: str,
    logged: str,
) -> None:
    with receiver() as receiving:
        webhooks.create(url_of(receiving))
        job_id, key = upload(steps, MEASUREMENTS)
        call = PsycopgDatabase.call

        def database_gone(
            self: PsycopgDatabase, function: str, arguments: Mapping[str, Argument], as_user: User | None
        ) -> object:
            if function == "deliveries_due":
                raise Transient("the database does not answer")
            return call(self, function, arguments, as_user)

        send = Queue.send

        def queue_gone(self: Queue, bodies: Sequence[str], after_seconds: int = 0) -> None:
            if DELIVER_HINT in bodies:
                raise Transient("the queue did not accept the messages")
            send(self, bodies, after_seconds)

        with monkeypatch.context() as fault:
            if gone == "database":
                fault.setattr(PsycopgDatabase, "call", database_gone)
            else:
                fault.setattr(Queue, "send", queue_gone)
            work(key)
        assert steps.job(job_id)["status"] == "done"
        assert logged in caplog.text
        assert receiving.received.empty()
        handler(SWEEP, Context())
        assert json.loads(receiving.next().body)["data"]["job_id"] == job_id


def test_every_webhook_gets_a_message_of_its_own(steps: Steps, webhooks: WebhookSteps) -> None:
    with receiver() as receiving:
        secrets = [webhooks.register(f"{url_of(receiving)}&number={number}")["secret"] for number in range(10)]
        steps.done()
        deliver()
        requests = [receiving.next() for _ in secrets]
    assert len({request.headers["webhook-id"] for request in requests}) == 10

    def verified(secret: str) -> int:
        count = 0
        for request in requests:
            try:
                Webhook(secret).verify(request.body, request.headers)
            except WebhookVerificationError:
                continue
            count += 1
        return count

    assert [verified(secret) for secret in secrets] == [1] * 10


# --- faults -----------------------------------------------------------------------------------------------------------


def test_after_an_error_it_is_sent_again_as_the_same_message(
    steps: Steps, webhooks: WebhookSteps, superuser: Superuser
) -> None:
    with receiver(answering(500), answering(204)) as receiving:
        made = webhooks.register(url_of(receiving))
        webhook_id, secret = made["webhook_id"], made["secret"]
        steps.done()
        deliver()
        first = receiving.next()
        assert the_one(webhooks, webhook_id)["error"]["code"] == "refused"
        assert the_one(webhooks, webhook_id)["http_status"] == 500
        make_due(superuser, webhook_id)
        deliver()
        assert receiving.received.empty(), "what fails is left to the sweep"
        handler(SWEEP, Context())
        second = receiving.next()
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    for request in (first, second):
        Webhook(secret).verify(request.body, request.headers)
    delivery = the_one(webhooks, webhook_id)
    assert (delivery["state"], delivery["attempts"], delivery["error"]) == ("delivered", 2, None)


def test_a_worker_that_is_killed_between_sending_and_settling_is_followed_by_another(
    steps: Steps, webhooks: WebhookSteps, superuser: Superuser
) -> None:
    """The receiver got it, and gets it again, under the same id: at least once."""
    arrived = threading.Event()

    def never(connection: Connection) -> None:
        arrived.set()
        connection.recv(1)  # until the other side is gone

    with receiver(never, answering(204)) as receiving:
        webhook_id = webhooks.create(url_of(receiving))
        steps.done()
        code = "from functions.process.webhooks.deliveries import deliver; deliver()"
        with subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, env=os.environ) as worker:
            assert arrived.wait(30)
            worker.send_signal(signal.SIGKILL)
        first = receiving.next()
        assert the_one(webhooks, webhook_id)["state"] == "sending"
        deliver()
        assert receiving.received.empty(), "its time is not over"
        make_due(superuser, webhook_id)
        deliver()
        second = receiving.next()
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    delivery = the_one(webhooks, webhook_id)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)


def test_what_cannot_be_settled_is_sent_again(
    steps: Steps,
    webhooks: WebhookSteps,
    superuser: Superuser,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = PsycopgDatabase.call

    def unsettled(
        self: PsycopgDatabase, function: str, arguments: Mapping[str, Argument], as_user: User | None
    ) -> object:
        if function == "settle_delivery":
            raise Transient("the database does not answer")
        return call(self, function, arguments, as_user)

    with receiver() as receiving:
        webhook_id = webhooks.create(url_of(receiving))
        steps.done()
        with monkeypatch.context() as fault:
            fault.setattr(PsycopgDatabase, "call", unsettled)
            assert failed(handler(sqs_event(DELIVER_HINT), Context())) == []
        assert "delivery not settled" in caplog.text
        make_due(superuser, webhook_id)
        deliver()
        assert [receiving.next().headers["webhook-id"] for _ in range(2)] == [
            the_one(webhooks, webhook_id)["delivery_id"]
        ] * 2


def test_two_workers_at_once_send_once(db: PsycopgDatabase) -> None:
    owners = [User(uuid4()) for _ in range(12)]
    with receiver() as receiving:
        for owner in owners:
            WebhookSteps(db, owner).create(url_of(receiving))
            for _ in range(3):
                Steps(db, owner).done()
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(deliver) for _ in range(4)]:
                done.result()
        ids = [receiving.next().headers["webhook-id"] for _ in range(36)]
        assert receiving.received.empty()
    assert len(set(ids)) == 36


def test_a_receiver_that_lets_us_wait_does_not_hold_up_another(
    webhooks: WebhookSteps, db: PsycopgDatabase, other_user: User
) -> None:
    """The slow one answers only when the other's delivery is settled."""
    other, settled = WebhookSteps(db, other_user), threading.Event()
    their_id = ""

    def slow(connection: Connection) -> None:
        if _within(lambda: the_one(other, their_id)["state"] == "delivered"):
            settled.set()
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with receiver(slow) as slowly, receiver() as quickly:
        webhooks.create(url_of(slowly))
        their_id = other.create(url_of(quickly))
        Steps(db, webhooks.user).done()
        Steps(db, other_user).done()
        deliver()
    assert settled.is_set()


def _within(condition: Callable[[], bool], seconds: float = 8) -> bool:
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    try:
        while not stop.is_set():
            if condition():
                return True
        return False
    finally:
        timer.cancel()


def test_work_that_is_left_goes_to_the_back_of_the_queue(
    steps: Steps, webhooks: WebhookSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_CLAIMING_SECONDS", -1)
    with receiver() as receiving:
        webhooks.create(url_of(receiving))
        for _ in range(11):
            steps.done()
        deliver()
        assert receiving.connections == 10
        assert take_out() == [DELIVER_HINT]
        assert failed(handler(sqs_event(DELIVER_HINT), Context())) == []
        assert receiving.connections == 11


def test_a_hint_with_the_database_gone_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise Transient("the database does not answer")

    monkeypatch.setattr(PsycopgDatabase, "call", gone)
    assert failed(handler(sqs_event(DELIVER_HINT), Context())) == []
    assert take_out() == []


# --- what is logged ---------------------------------------------------------------------------------------------------


def test_the_log_names_the_job_and_neither_the_secret_nor_the_url(
    steps: Steps, webhooks: WebhookSteps, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(answering(204), answering(302, "Location: /somewhere-else")) as receiving:
        secret = webhooks.register(url_of(receiving))["secret"]
        jobs = [steps.done()[0], steps.done()[0]]
        deliver()
    lines = [vars(record) for record in caplog.records if record.getMessage() == "delivery tried"]
    assert {line["correlation_id"] for line in lines} == set(jobs)
    assert {(line["state"], line["http_status"], line["code"]) for line in lines} == {
        ("delivered", 204, None),
        ("pending", 302, "redirected"),
    }
    logged = str([vars(record) for record in caplog.records])
    for word in (secret, secret[6:], "of-the-receiver", "v1,", "somewhere-else"):
        assert word not in logged
