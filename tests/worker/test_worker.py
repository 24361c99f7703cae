"""functions/process by its events: real Postgres and analysis, moto's S3 and SQS."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.process import work
from functions.process.analysis import analyse
from functions.process.app import handler
from shared.auth import User
from shared.errors import Transient
from shared.object_store import ObjectStore, output_key, upload_key
from tests.api import BUCKET, QUEUE, Context
from tests.database.steps import Steps, new_sha256
from tests.sqs import failed, s3_event, s3_events, sqs_event

pytestmark = pytest.mark.usefixtures("aws")
HEADER = "Station_ID,Date_Time,PCode,Result\n"
MEASUREMENTS = f"{HEADER}CT,2024-01-01 10:00,Data 1,1.411\nCT,2024-01-02 10:00,Data 1,\n".encode()


def store(key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def stored_outputs(user: User) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"outputs/{user.owner}/")
    return [item["Key"] for item in listed.get("Contents", [])]


def upload(steps: Steps, body: bytes, filename: str = "river.csv", **arguments: Any) -> tuple[str, str]:
    """Register bytes and store them; return the job's id and the object's key."""
    sha256 = hashlib.sha256(body).hexdigest()
    job_id: str = steps.register(sha256, size_bytes=len(body), filename=filename, **arguments)["job"]["job_id"]
    key = upload_key(steps.user.owner, sha256)
    store(key, body)
    return job_id, key


def test_a_file_becomes_outputs_whose_bytes_are_as_listed(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["dataset_type"], job["progress"]) == ("done", "station_measurements", 1.0)
    assert job["detection"]["confidence"] >= 0.9
    assert job["summary"]["rows_read"] == 2
    outputs = steps.outputs(job_id)
    assert outputs[-1]["name"] == "manifest.json"
    assert outputs[-1]["sha256"] == job["manifest_sha256"]
    for output in outputs:
        key = output_key(str(steps.user.owner), job_id, 1, output["name"])
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (output["size_bytes"], output["sha256"])


def test_the_same_event_again_changes_nothing(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    handler(s3_events(key, key), Context())
    before = (steps.job(job_id), steps.outputs(job_id))
    assert failed(handler(s3_events(key), Context())) == []
    assert (steps.job(job_id), steps.outputs(job_id)) == before


def test_one_object_may_answer_several_jobs(steps: Steps) -> None:
    mean, key = upload(steps, MEASUREMENTS)
    median, _ = upload(steps, MEASUREMENTS, parameters={"aggregate": "median"})
    handler(s3_events(key), Context())
    assert [steps.job(job_id)["status"] for job_id in (mean, median)] == ["done", "done"]


@pytest.mark.parametrize(
    ("body", "arguments", "code"),
    [
        (b"%PDF-1.7 \x00\x01\x02", {}, "binary_content"),
        (HEADER.encode(), {}, "no_rows"),
        (MEASUREMENTS, {"parameters": {"aggregate": "mode"}}, "invalid_parameters"),
        (b"a,b\n1,2\n", {"dataset_type": "station_measurements"}, "missing_columns"),
    ],
)
def test_a_file_at_fault_fails_its_job_with_a_problem(
    steps: Steps, user: User, body: bytes, arguments: dict[str, Any], code: str
) -> None:
    job_id, key = upload(steps, body, **arguments)
    assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert job["error"]["detail"]
    assert job["error"]["suggestion"]
    assert len(job["attempts"]) == 1
    assert steps.outputs(job_id) == []
    assert stored_outputs(user) == []


def test_other_bytes_than_announced_are_refused(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    store(key, MEASUREMENTS.replace(b"1.411", b"1.412"))
    handler(s3_events(key), Context())
    assert steps.job(job_id)["error"]["code"] == "hash_mismatch"


def test_another_size_than_announced_is_refused(steps: Steps) -> None:
    sha256 = hashlib.sha256(MEASUREMENTS).hexdigest()
    job_id = steps.register(sha256, size_bytes=len(MEASUREMENTS) + 1)["job"]["job_id"]
    key = upload_key(steps.user.owner, sha256)
    store(key, MEASUREMENTS)
    handler(s3_events(key), Context())
    assert steps.job(job_id)["error"]["code"] == "size_mismatch"


def test_an_object_that_is_gone_is_a_problem(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    handler(s3_events(key), Context())
    assert steps.job(job_id)["error"]["code"] == "object_missing"


def test_an_unknown_table_waits_for_a_person(steps: Steps) -> None:
    job_id, key = upload(steps, b"poem,author\nThe Raven,Poe\nDaffodils,Wordsworth\n")
    assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert job["status"] == "needs_type"
    assert job["detection"]["confidence"] < 0.5
    assert steps.outputs(job_id) == []


def test_only_the_bad_records_of_a_batch_come_again(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    stray = upload_key(steps.user.owner, new_sha256())
    event = sqs_event(s3_event(stray), "not json", s3_event(key))
    assert failed(handler(event, Context())) == ["message 0", "message 1"]
    assert steps.job(job_id)["status"] == "done"


def test_the_test_event_of_a_new_notification_is_accepted(steps: Steps) -> None:
    event = sqs_event('{"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "assay"}')
    assert failed(handler(event, Context())) == []


def test_a_fault_outside_is_tried_again_by_a_later_message(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Any
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)

    def broken(*_: object) -> None:
        raise Transient("the object store did not take the object")

    with monkeypatch.context() as fault:
        fault.setattr(ObjectStore, "put_file", broken)
        assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["attempts"][0]["outcome"]) == ("queued", "retry")
    assert steps.outputs(job_id) == []
    queue_url = boto3.client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    counts = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
    superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))
    handler(s3_events(key), Context())
    job = steps.job(job_id)
    assert (job["status"], [attempt["outcome"] for attempt in job["attempts"]]) == ("done", ["retry", "done"])


def test_a_bug_fails_the_job_after_three_tries_and_tells_nothing_of_itself(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Any
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(work, "analyse", broken)
    for _ in range(3):
        superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))
        assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "internal_error")
    assert "secret" not in json.dumps(job)
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["retry", "retry", "failed"]


def test_a_full_disk_is_named_and_tried_again(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(work, "analyse", full)
    handler(s3_events(key), Context())
    [attempt] = steps.job(job_id)["attempts"]
    assert (attempt["outcome"], attempt["error"]["code"]) == ("retry", "out_of_space")


def test_the_sweep_tells_the_queue_of_a_job_whose_worker_was_lost(steps: Steps, superuser: Any) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    steps.arrive(key.split("/")[2])
    steps.claim(job_id)
    superuser.execute("update assay.jobs set lease_expires_at = now() - interval '1 s' where job_id = %s", (job_id,))
    assert failed(handler({"source": "aws.events", "detail-type": "Scheduled Event"}, Context())) == []
    sqs = boto3.client("sqs")
    queue_url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    bodies = [
        received["Body"] for received in sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    ]
    again = [body for body in bodies if key in body]
    assert failed(handler(sqs_event(*again), Context())) == []
    assert [attempt["outcome"] for attempt in steps.job(job_id)["attempts"]] == ["lost", "done"]


def test_a_cancel_during_the_run_stops_it(steps: Steps, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS)

    def cancelled_meanwhile(*arguments: Any) -> object:
        steps.cancel(job_id)
        return analyse(*arguments)

    monkeypatch.setattr(work, "analyse", cancelled_meanwhile)
    assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["attempts"][0]["outcome"]) == ("cancelled", "cancelled")
    assert stored_outputs(user) == []


def test_an_attempt_that_was_overtaken_leaves_the_job_alone(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Any
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)

    def overtaken(*arguments: Any) -> object:
        superuser.execute(
            "update assay.jobs set lease_expires_at = now() - interval '1 s' where job_id = %s", (job_id,)
        )
        assert steps.claim(job_id, worker="second")["attempt"] == 2
        return analyse(*arguments)

    monkeypatch.setattr(work, "analyse", overtaken)
    assert failed(handler(s3_events(key), Context())) == []
    job = steps.job(job_id)
    assert job["status"] == "running"
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["lost", None]
    assert steps.finish(job_id, 2)["accepted"] is True


def test_nothing_of_the_attempt_stays_on_disk(steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _, key = upload(steps, MEASUREMENTS)
    handler(s3_events(key), Context())
    assert list(tmp_path.iterdir()) == []
