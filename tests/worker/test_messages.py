"""News and hints: what each leads to, and that none is lost, whatever does not answer."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from functions.process.app import handler
from functions.process.sandbox.parent import Sandbox
from functions.process.worker import job as job_work
from shared.catalog.registry import pipelines
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Transient
from shared.object_store import ObjectStore
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT
from shared.sign_in.auth import User
from tests.api import NEWS_QUEUE, QUEUE, Context
from tests.database.steps import Steps, Superuser, let_lease_run_out, new_sha256
from tests.environment import NOTHING_THERE, environment
from tests.sqs import SWEEP, failed, s3_event, s3_events, sqs_event, take_out, work
from tests.worker.jobs import MEASUREMENTS, failing, store, upload

pytestmark = pytest.mark.usefixtures("aws")
HINT = sqs_event(RUN_HINT)
GONE = "https://sqs.us-east-1.amazonaws.com/123456789012/gone"


def delayed(queue: str = QUEUE) -> int:
    """Number of messages that are not visible yet."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    return int(counts["Attributes"]["ApproximateNumberOfMessagesDelayed"])


def make_due(superuser: Superuser, job_id: str) -> None:
    superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))


def outcomes(steps: Steps, job_id: str) -> list[str | None]:
    return [attempt["outcome"] for attempt in steps.job(job_id)["attempts"]]


def another(steps: Steps, number: int = 1) -> tuple[str, str]:
    """Upload another file than MEASUREMENTS."""
    return upload(steps, MEASUREMENTS + b"CT,2024-01-03 10:00,Data 1,%d\n" % number)


def test_news_queues_the_job_and_sends_a_hint_and_runs_nothing(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    assert failed(handler(s3_events(key), Context())) == []
    assert (steps.job(job_id)["status"], outcomes(steps, job_id)) == ("queued", [])
    assert take_out() == [RUN_HINT]


def test_news_of_an_object_sends_a_hint_for_each_of_its_jobs_that_waits(steps: Steps) -> None:
    _, key = upload(steps, MEASUREMENTS)
    upload(steps, MEASUREMENTS, parameters={"aggregate": "median"})
    handler(s3_events(key), Context())
    assert take_out() == [RUN_HINT] * 2
    handler(s3_events(key), Context())
    assert take_out() == [RUN_HINT] * 2, "the first two may be lost"
    work(key)
    handler(s3_events(key), Context())
    assert take_out() == []


def test_a_hint_runs_one_job_and_sends_a_hint_where_its_owner_has_more(steps: Steps) -> None:
    job_ids = []
    for number in range(2):
        job_id, key = another(steps, number)
        job_ids.append(job_id)
        handler(s3_events(key), Context())
    take_out()
    handler(HINT, Context())
    assert [steps.job(job_id)["status"] for job_id in job_ids] == ["done", "queued"]
    assert take_out() == [RUN_HINT]
    handler(HINT, Context())
    assert [steps.job(job_id)["status"] for job_id in job_ids] == ["done", "done"]
    assert take_out() == []


def test_a_hint_that_finds_nothing_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    assert failed(handler(HINT, Context())) == []
    assert "no job is due" in caplog.text
    assert take_out() == []


def test_a_hint_that_finds_its_owner_busy_is_made_up_for_by_what_ends_next(steps: Steps) -> None:
    running = [steps.running(), steps.running()]  # all that the plan `free` allows at once
    waiting, key = upload(steps, MEASUREMENTS)
    work(key)
    assert steps.job(waiting)["status"] == "queued"
    assert steps.finish(running[0], 1)["more"] is True
    handler(HINT, Context())
    assert steps.job(waiting)["status"] == "done"


def test_each_owner_has_a_turn(steps: Steps, other_steps: Steps) -> None:
    many = []
    for number in range(4):
        job_id, key = another(steps, number)
        many.append(job_id)
        handler(s3_events(key), Context())
    one, key = upload(other_steps, MEASUREMENTS)
    handler(s3_events(key), Context())
    for _ in range(2):
        handler(HINT, Context())
    assert other_steps.job(one)["status"] == "done"
    assert [steps.job(job_id)["status"] for job_id in many] == ["done", "queued", "queued", "queued"]


def test_only_the_bad_records_of_a_batch_come_again(steps: Steps, user: User) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    stray = f"uploads/{user.owner}/not-a-hash"
    store(stray, b"anything")
    event = sqs_event(s3_event(stray), "not json", s3_event(key))
    assert failed(handler(event, Context())) == ["message 0", "message 1"]
    assert steps.job(job_id)["status"] == "queued"


def test_the_test_event_of_a_new_notification_is_accepted() -> None:
    event = sqs_event('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "assay"}')
    assert failed(handler(event, Context())) == []


def test_an_object_may_come_before_its_announcement(steps: Steps, caplog: pytest.LogCaptureFixture) -> None:
    early = upload_key(steps.user.owner, new_sha256())
    store(early, b"bytes")
    assert failed(handler(s3_events(early), Context())) == []
    assert "without a registered upload" in caplog.text
    assert take_out() == []
    assert steps.register(early.split("/")[2])["job"]["status"] == "queued"


def test_a_fault_outside_is_tried_again_after_a_delay(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Superuser
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    with monkeypatch.context() as fault:
        fault.setattr(ObjectStore, "put_file", failing(Transient("the object store did not accept the object")))
        fault.setattr("random.uniform", lambda *ends: ends[1])
        work(key)
    assert (steps.job(job_id)["status"], outcomes(steps, job_id)) == ("queued", ["retry"])
    assert steps.outputs(job_id) == []
    assert delayed() == 1
    [left] = superuser.execute("select run_after - now() > '29 s' from assay.jobs where job_id = %s", (job_id,))
    assert left == (True,)
    handler(HINT, Context())
    assert outcomes(steps, job_id) == ["retry"], "it is not due"
    make_due(superuser, job_id)
    handler(HINT, Context())
    assert (steps.job(job_id)["status"], outcomes(steps, job_id)) == ("done", ["retry", "done"])


def test_the_delay_doubles_up_to_five_minutes_and_any_part_of_it_may_be_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda *ends: ends[1])
    assert [job_work._retry_delay(attempt) for attempt in range(1, 7)] == [30, 60, 120, 240, 300, 300]
    monkeypatch.setattr("random.uniform", lambda *ends: ends[0])
    assert job_work._retry_delay(2) == 0
    monkeypatch.setattr("random.uniform", lambda *ends: ends[1] / 7)
    assert job_work._retry_delay(1) == 5, "whole seconds, none too few"


def test_a_bug_fails_the_job_after_three_tries_and_tells_nothing_of_itself(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Superuser
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    monkeypatch.setattr(Sandbox, "analyse", failing(ZeroDivisionError("secret")))
    work(key)
    for _ in range(3):
        make_due(superuser, job_id)
        assert failed(handler(HINT, Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "internal_error")
    assert "secret" not in str(job)
    assert outcomes(steps, job_id) == ["retry", "retry", "failed"]


def test_a_pipeline_says_how_often_its_jobs_are_tried(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    once = tuple(info._replace(max_attempts=1) for info in pipelines())
    monkeypatch.setattr(job_work, "pipelines", lambda: once)
    monkeypatch.setattr(ObjectStore, "put_file", failing(Transient("the object store did not accept the object")))
    work(key)
    assert (steps.job(job_id)["status"], outcomes(steps, job_id)) == ("failed", ["failed"])
    assert delayed() == 0


def test_after_a_stale_attempt_a_hint_is_sent_since_nobody_knows_what_waits(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Superuser
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    handler(s3_events(key), Context())
    take_out()

    def lost(*_: object) -> None:
        let_lease_run_out(superuser, job_id)
        steps.sweep()

    monkeypatch.setattr(ObjectStore, "put_file", lost)
    handler(HINT, Context())
    assert outcomes(steps, job_id) == ["lost"]
    assert take_out() == [RUN_HINT]


def test_the_sweep_sends_a_hint_for_a_job_whose_worker_was_lost(steps: Steps, superuser: Superuser) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    steps.arrive(key.split("/")[2])
    steps.claim(job_id)
    let_lease_run_out(superuser, job_id)
    assert failed(handler(SWEEP, Context())) == []
    work()
    assert outcomes(steps, job_id) == ["lost", "done"]


def test_the_sweep_sends_a_hint_for_a_job_whose_hint_was_lost(steps: Steps, superuser: Superuser) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    handler(s3_events(key), Context())
    take_out()
    handler(SWEEP, Context())
    assert take_out() == [], "it may only be waiting"
    superuser.execute("update assay.jobs set run_after = now() - interval '16 min' where job_id = %s", (job_id,))
    handler(SWEEP, Context())
    work()
    assert steps.job(job_id)["status"] == "done"


@pytest.mark.parametrize("message", ["news", "hint"])
def test_a_message_that_meets_an_outage_is_put_off_and_is_no_dead_letter(steps: Steps, message: str) -> None:
    _, key = upload(steps, MEASUREMENTS)
    event, queue = (s3_events(key), NEWS_QUEUE) if message == "news" else (HINT, QUEUE)
    with environment(DATABASE_URL=NOTHING_THERE):
        assert failed(handler(event, Context())) == []
    assert (delayed(NEWS_QUEUE), delayed(QUEUE)) == (int(queue == NEWS_QUEUE), int(queue == QUEUE))


def test_a_message_that_cannot_even_be_put_off_comes_again(steps: Steps) -> None:
    _, key = upload(steps, MEASUREMENTS)
    with environment(DATABASE_URL=NOTHING_THERE, QUEUE_URL=GONE, NEWS_QUEUE_URL=GONE):
        assert failed(handler(sqs_event(RUN_HINT, s3_event(key)), Context())) == ["message 0", "message 1"]


def test_news_whose_hint_is_not_sent_is_taken_again(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    with environment(QUEUE_URL=GONE):
        assert failed(handler(s3_events(key), Context())) == []
    assert delayed(NEWS_QUEUE) == 1
    work(key)
    assert outcomes(steps, job_id) == ["done"]


def test_a_job_whose_last_write_fails_is_left_to_the_sweep(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Superuser
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    handler(s3_events(key), Context())
    take_out()
    call = PsycopgDatabase.call

    def down_at_the_end(self: PsycopgDatabase, function: str, *arguments: Any, **named: Any) -> Any:
        if function in {"finish_job", "fail_job"}:
            raise Transient("the database does not answer")
        return call(self, function, *arguments, **named)

    with monkeypatch.context() as fault:
        fault.setattr(PsycopgDatabase, "call", down_at_the_end)
        assert failed(handler(HINT, Context())) == []
    assert (steps.job(job_id)["status"], delayed()) == ("running", 1)
    let_lease_run_out(superuser, job_id)
    handler(SWEEP, Context())
    work()
    assert outcomes(steps, job_id) == ["lost", "done"]
