"""One job's id in every log line and trace from HTTP to the worker, and the metrics that the handlers write."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args
from uuid import uuid4

import boto3
import pytest
from aws_xray_sdk import global_sdk_config  # type: ignore[import-untyped]  # it has no types
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no types

from functions.process.app import handler as process
from functions.process.sandbox.parent import Sandbox
from functions.process.upkeep import sweeper
from functions.process.upkeep.sweeper import SweepFailed
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT
from shared.settings import settings
from shared.sign_in.auth import User
from shared.telemetry import MetricName, logger, tracer
from tests.api import BUCKET, Client, Context
from tests.database.steps import Steps, let_lease_run_out
from tests.database.webhook_steps import WebhookSteps
from tests.environment import NOTHING_THERE, environment
from tests.metrics import metrics_in
from tests.receiver import answering, receiver
from tests.sqs import s3_events, sqs_event, work
from tests.worker.jobs import MEASUREMENTS

pytestmark = pytest.mark.usefixtures("aws")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Return a function that gives the log lines so far, as the functions wrote them."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def post(commands: Client, body: bytes = MEASUREMENTS, **query: str) -> dict[str, Any]:
    answer = commands.call("POST", "/uploads", body=body, query={"filename": "river.csv", **query})
    assert answer.status in {200, 201}, answer.body
    job: dict[str, Any] = answer.json()["job"]
    return job


def run(user: User, job: dict[str, Any]) -> None:
    work(upload_key(user.owner, job["sha256"]))


def test_one_upload_has_one_id_through_all_three_functions(
    lines: Lines, commands: Client, queries: Client, user: User
) -> None:
    job = post(commands)
    run(user, job)
    queries.call("GET", f"/jobs/{job['job_id']}")
    queries.call("GET", f"/jobs/{job['job_id']}/outputs")
    commands.call("POST", f"/jobs/{job['job_id']}/cancel")
    found = [(line["message"], line.get("correlation_id")) for line in lines()]
    assert found == [
        (message, job["job_id"])
        for message in ["upload registered", "answered", "attempt started", "job done", *["answered"] * 3]
    ]


def test_the_request_has_an_id_of_its_own(lines: Lines, queries: Client) -> None:
    queries.call("GET", "/jobs")
    (line,) = lines()
    assert (line["request_id"], line["route"], line["status"]) == ("request", "$default", 200)
    assert "correlation_id" not in line


def test_each_job_of_one_invocation_has_its_own_id_and_none_is_left_behind(
    lines: Lines, commands: Client, queries: Client, user: User
) -> None:
    jobs = [post(commands), post(commands, parameters='{"aggregate": "median"}')]
    before = len(lines())
    run(user, jobs[0])
    assert "correlation_id" not in logger.get_current_keys()
    queries.call("GET", "/jobs")
    found = [(line["message"], line.get("correlation_id")) for line in lines()[before:]]
    ids = [job_id for message, job_id in found if message == "attempt started"]
    assert set(ids) == {str(job["job_id"]) for job in jobs}
    assert found == [
        ("attempt started", ids[0]),
        ("job done", ids[0]),
        ("attempt started", ids[1]),
        ("job done", ids[1]),
        ("no job is due", None),
        ("answered", None),
    ]


def test_an_id_that_is_none_is_not_followed(lines: Lines, queries: Client) -> None:
    assert queries.call("GET", "/jobs/river").status == 404
    assert "correlation_id" not in lines()[-1]


@pytest.fixture
def annotated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Trace as on Lambda, and gather (segment's name, job_id)."""
    gathered: list[tuple[str, str]] = []

    class Emitter:
        def send_entity(self, entity: Any) -> None:
            if "job_id" in entity.annotations:
                gathered.append((entity.name, entity.annotations["job_id"]))

    emitter, threshold = xray_recorder.emitter, xray_recorder.streaming_threshold
    monkeypatch.setattr(tracer, "disabled", False)
    global_sdk_config.set_sdk_enabled(True)
    xray_recorder.configure(emitter=Emitter(), sampling=False, streaming_threshold=0)
    with xray_recorder.in_segment("invocation"):
        yield gathered
    xray_recorder.configure(emitter=emitter, streaming_threshold=threshold)
    global_sdk_config.set_sdk_enabled(False)


def test_the_trace_names_the_job(
    annotated: list[tuple[str, str]], commands: Client, queries: Client, user: User
) -> None:
    jobs = [post(commands), post(commands, parameters='{"aggregate": "median"}')]
    ids = [str(job["job_id"]) for job in jobs]
    run(user, jobs[0])
    queries.call("GET", f"/jobs/{ids[0]}")
    assert annotated[:2] == [("## handler", ids[0]), ("## handler", ids[1])]
    assert sorted(annotated[2:4]) == sorted(("## job", job_id) for job_id in ids)
    assert annotated[4:] == [("## handler", ids[0])]


def test_a_finished_job_is_measured(
    capsys: pytest.CaptureFixture[str], commands: Client, queries: Client, user: User
) -> None:
    job = post(commands)
    run(user, job)
    cost = queries.call("GET", f"/jobs/{job['job_id']}").json()["cost"]
    measured = metrics_in(capsys.readouterr().out)
    assert measured.pop("JobDuration")[0] > 0
    assert measured == {
        "UploadsRegistered": [1],
        "JobsDone": [1],
        "UploadBytes": [len(MEASUREMENTS)],
        "RowsRead": [2],
        "JobCost": [cost["total"]],
    }


def test_every_metric_is_written_by_what_it_is_about(
    capsys: pytest.CaptureFixture[str],
    commands: Client,
    queries: Client,
    user: User,
    steps: Steps,
    superuser: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEBHOOK_PRIVATE_ADDRESSES", "true")
    settings.cache_clear()
    told = WebhookSteps.of(steps)
    with receiver(answering(204), answering(500)) as receiving:
        told.create(f"http://127.0.0.1:{receiving.port}/")
        done = post(commands)
        run(user, done)
        steps.done()
        superuser.execute("update assay.webhooks set failing_since = now() - interval '4 days'")
        process({"source": "aws.events"}, Context())
    superuser.execute("delete from assay.webhooks")
    post(commands)  # answered from the cache
    output = queries.call("GET", f"/jobs/{done['job_id']}/outputs").json()["outputs"][0]["output_id"]
    queries.call("GET", f"/outputs/{output}/download")
    run(user, post(commands, b"%PDF-1.7 \x00"))
    run(user, post(commands, b"poem\nThe Raven\nDaffodils\n"))
    cancelled = steps.register("0" * 64)["job"]["job_id"]
    commands.call("POST", f"/jobs/{cancelled}/cancel")

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as fault:
        fault.setattr(Sandbox, "analyse", broken)
        run(user, post(commands, MEASUREMENTS, on_duplicate="reprocess"))
    with monkeypatch.context() as fault:
        fault.setattr(sweeper, "_STEPS", (broken,))
        with pytest.raises(SweepFailed):
            process({"source": "aws.events"}, Context())
    steps.delete(done["job_id"])
    with environment(DATABASE_URL=NOTHING_THERE):
        process(sqs_event(RUN_HINT), Context())
    process({"source": "aws.events"}, Context())
    measured = metrics_in(capsys.readouterr().out)
    assert set(measured) == set(get_args(MetricName))
    assert [measured[name] for name in ("JobsDone", "JobsFailed", "JobsCancelled", "DetectionsUnsure")] == [[1]] * 4


def test_a_job_that_fails_for_the_service_s_fault_counts_as_both(
    capsys: pytest.CaptureFixture[str], commands: Client, user: User, superuser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(commands)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Sandbox, "analyse", broken)
    for _ in range(3):
        superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job["job_id"],))
        run(user, job)
    measured = metrics_in(capsys.readouterr().out)
    assert (measured["InternalErrors"], measured["JobsFailed"]) == ([1, 1, 1], [1])
    assert len(measured["JobCost"]) == 1


def test_a_running_job_that_is_cancelled_counts_once(
    capsys: pytest.CaptureFixture[str], commands: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(commands)

    analyse = Sandbox.analyse

    def cancelled_meanwhile(*arguments: Any) -> object:
        commands.call("POST", f"/jobs/{job['job_id']}/cancel")
        return analyse(*arguments)

    monkeypatch.setattr(Sandbox, "analyse", cancelled_meanwhile)
    run(user, job)
    measured = metrics_in(capsys.readouterr().out)
    assert measured["JobsCancelled"] == [1]
    assert len(measured["JobCost"]) == 1


def test_what_waits_is_counted_at_every_sweep(capsys: pytest.CaptureFixture[str], steps: Steps) -> None:
    steps.register("1" * 64)
    process({"source": "aws.events"}, Context())
    measured = metrics_in(capsys.readouterr().out)
    assert measured["JobsAwaitingUpload"][0] >= 1
    assert {"JobsQueued", "JobsRunning", "JobsNeedType", "JobsExpired"} <= set(measured)


def test_a_job_whose_worker_was_lost_at_its_last_attempt_counts_as_failed(
    capsys: pytest.CaptureFixture[str], steps: Steps, superuser: Any
) -> None:
    process({"source": "aws.events"}, Context())  # what other tests left
    capsys.readouterr()
    job_id, _ = steps.queued()
    for _ in range(3):
        steps.claim(job_id, worker=str(uuid4()), memory_mb=1024)
        let_lease_run_out(superuser, job_id)
        process({"source": "aws.events"}, Context())
    measured = metrics_in(capsys.readouterr().out)
    assert steps.job(job_id)["error"]["code"] == "attempts_exhausted"
    assert sum(measured["InternalErrors"]) >= 3
    assert measured["JobsFailed"] == [1]
    assert len(measured["JobCost"]) == 1


def test_no_signature_of_a_link_is_logged_however_much_is(
    caplog: pytest.LogCaptureFixture, commands: Client, queries: Client, user: User
) -> None:
    caplog.set_level(logging.DEBUG)
    job = post(commands)
    run(user, job)
    output = queries.call("GET", f"/jobs/{job['job_id']}/outputs").json()["outputs"][0]["output_id"]
    link = queries.call("GET", f"/outputs/{output}/download").headers["location"]
    [signature] = re.findall("X-Amz-Signature=([0-9a-f]{64})", link)
    assert "botocore" in caplog.text
    assert signature not in caplog.text


def test_why_a_record_comes_again_is_logged(lines: Lines, user: User) -> None:
    stray = f"uploads/{user.owner}/not-a-hash"
    boto3.client("s3").put_object(Bucket=BUCKET, Key=stray, Body=b"anything")
    assert process(s3_events(stray), Context())["batchItemFailures"]
    [line] = lines()
    assert (line["level"], line["exception_name"]) == ("WARNING", "UnknownUpload")
    assert stray in line["exception"]
