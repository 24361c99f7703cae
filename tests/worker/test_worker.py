"""One job by its hint, from claim to end: real Postgres and analysis, moto's S3 and SQS."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.process.app import handler
from functions.process.sandbox.parent import Sandbox
from functions.process.worker.attempt import Attempt
from shared.errors import Transient
from shared.object_store import ObjectStore
from shared.object_store.keys import output_key, upload_key
from shared.queue.events import RUN_HINT
from shared.sign_in.auth import User
from tests.api import BUCKET, Context
from tests.database.steps import Steps, Superuser, let_lease_run_out
from tests.sqs import sqs_event, work
from tests.worker.jobs import HEADER, MEASUREMENTS, failing, store, stored_outputs, upload

pytestmark = pytest.mark.usefixtures("aws")


def test_a_file_becomes_outputs_whose_bytes_are_as_listed(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    work(key)
    job = steps.job(job_id)
    assert (job["status"], job["dataset_type"], job["progress"]) == ("done", "station_measurements", 1.0)
    assert job["detection"]["confidence"] >= 0.9
    assert job["summary"]["counts"]["rows"]["read"] == 2
    outputs = steps.outputs(job_id)
    assert outputs[-1]["name"] == "manifest.json"
    assert outputs[-1]["sha256"] == job["manifest_sha256"]
    for output in outputs:
        key = output_key(str(steps.user.owner), job_id, 1, output["name"])
        body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (output["size_bytes"], output["sha256"])


def test_the_same_event_again_changes_nothing(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    work(key, key)
    before = (steps.job(job_id), steps.outputs(job_id))
    work(key)
    assert (steps.job(job_id), steps.outputs(job_id)) == before


def test_one_object_may_answer_several_jobs(steps: Steps) -> None:
    mean, key = upload(steps, MEASUREMENTS)
    median, _ = upload(steps, MEASUREMENTS, parameters={"aggregate": "median"})
    work(key)
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
def test_a_file_at_fault_fails_its_job_with_a_problem_and_is_not_tried_again(
    steps: Steps, user: User, body: bytes, arguments: dict[str, Any], code: str
) -> None:
    job_id, key = upload(steps, body, **arguments)
    work(key)
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
    work(key)
    assert steps.job(job_id)["error"]["code"] == "hash_mismatch"


def test_another_size_than_announced_is_refused(steps: Steps) -> None:
    sha256 = hashlib.sha256(MEASUREMENTS).hexdigest()
    job_id = steps.register(sha256, size_bytes=len(MEASUREMENTS) + 1)["job"]["job_id"]
    key = upload_key(steps.user.owner, sha256)
    store(key, MEASUREMENTS)
    work(key)
    assert steps.job(job_id)["error"]["code"] == "size_mismatch"


def test_an_object_that_is_gone_is_a_problem(steps: Steps) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    steps.arrive(hashlib.sha256(MEASUREMENTS).hexdigest())
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    handler(sqs_event(RUN_HINT), Context())
    assert steps.job(job_id)["error"]["code"] == "object_missing"


def test_news_of_an_object_that_is_gone_again_is_passed_over(steps: Steps) -> None:
    """Its job waits for the bytes to be sent once more."""
    job_id, key = upload(steps, MEASUREMENTS)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=key)
    work(key)
    assert steps.job(job_id)["status"] == "awaiting_upload"
    store(key, MEASUREMENTS)
    work(key)
    assert steps.job(job_id)["status"] == "done"


def test_columns_that_a_person_named_are_used_for_the_next_file_with_the_header(steps: Steps) -> None:
    header = "Station_ID,Date_Time,PCode,Result,Reading\n"
    chosen, key = upload(
        steps, f"{header}CT,2024-01-01,D,1,10\n".encode(), parameters={"columns": {"result": "Reading"}}
    )
    work(key)
    later, key = upload(steps, f"{header}CT,2024-01-02,D,2,20\n".encode())
    work(key)
    other, key = upload(steps, b"Station_ID,Date_Time,PCode,Result\nCT,2024-01-02,D,2\n")
    work(key)
    told = [steps.job(job_id)["detection"]["columns"]["roles"]["result"] for job_id in (chosen, later, other)]
    assert [(one["column"], one["how"]) for one in told] == [
        ("Reading", "given"), ("Reading", "remembered"), ("Result", "named"),
    ]  # fmt: skip


def test_an_unknown_table_waits_for_a_person(steps: Steps) -> None:
    job_id, key = upload(steps, b"poem\nThe Raven\nDaffodils\n")
    work(key)
    job = steps.job(job_id)
    assert job["status"] == "needs_type"
    assert job["detection"]["confidence"] < 0.5
    assert steps.outputs(job_id) == []


def test_a_cancel_during_the_run_stops_it(steps: Steps, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    analyse = Sandbox.analyse

    def cancelled_meanwhile(*arguments: Any) -> object:
        steps.cancel(job_id)
        return analyse(*arguments)

    monkeypatch.setattr(Sandbox, "analyse", cancelled_meanwhile)
    work(key)
    job = steps.job(job_id)
    assert (job["status"], job["attempts"][0]["outcome"]) == ("cancelled", "cancelled")
    assert stored_outputs(user) == []


@pytest.mark.parametrize("overtaken", [(Sandbox, "analyse"), (ObjectStore, "put_file"), (Attempt, "finish")], ids=str)
def test_an_attempt_that_was_overtaken_leaves_the_job_alone_and_nothing_behind(
    steps: Steps, user: User, monkeypatch: pytest.MonkeyPatch, superuser: Superuser, overtaken: tuple[type, str]
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    by_the_second = output_key(str(user.owner), job_id, 2, "manifest.json")
    original = getattr(*overtaken)

    def taken_over(*arguments: Any) -> object:
        if len(steps.job(job_id)["attempts"]) == 1:
            let_lease_run_out(superuser, job_id)
            steps.sweep()
            assert steps.claim(job_id, worker="second")["attempt"] == 2
            store(by_the_second, b"{}")
        return original(*arguments)

    monkeypatch.setattr(*overtaken, taken_over)
    work(key)
    job = steps.job(job_id)
    assert job["status"] == "running"
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["lost", None]
    assert stored_outputs(user) == [by_the_second]
    assert steps.finish(job_id, 2)["accepted"] is True


def test_the_outputs_of_a_stale_attempt_may_stay_for_the_clean_up(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, superuser: Superuser, caplog: pytest.LogCaptureFixture
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    finish = Attempt.finish

    def lost(*arguments: Any) -> None:
        let_lease_run_out(superuser, job_id)
        steps.sweep()
        finish(*arguments)

    monkeypatch.setattr(ObjectStore, "delete_prefix", failing(Transient("the object store does not answer")))
    with monkeypatch.context() as fault:
        fault.setattr(Attempt, "finish", lost)
        work(key)
    assert "outputs of a stale attempt not deleted" in caplog.text
    prefix = f"outputs/{steps.user.owner}/{job_id}/"
    noted = superuser.execute("select object_key from assay.deletions where object_key like %s", (f"{prefix}%",))
    assert noted.fetchone() == (f"{prefix}1/",)


def test_an_end_whose_answer_is_lost_keeps_its_outputs(
    steps: Steps, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    finish = Attempt.finish

    def unheard(*arguments: Any) -> None:
        finish(*arguments)
        raise Transient("the database does not answer")

    monkeypatch.setattr(Attempt, "finish", unheard)
    work(key)
    job = steps.job(job_id)
    assert (job["status"], [attempt["outcome"] for attempt in job["attempts"]]) == ("done", ["done"])
    assert len(stored_outputs(user)) == len(steps.outputs(job_id)) > 0


def test_a_full_disk_is_named_and_tried_again(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    monkeypatch.setattr(Sandbox, "analyse", failing(OSError(errno.ENOSPC, "No space left on device")))
    work(key)
    attempt = steps.job(job_id)["attempts"][0]
    assert (attempt["outcome"], attempt["error"]["code"]) == ("retry", "out_of_space")


def test_nothing_of_the_attempt_stays_on_disk(steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _, key = upload(steps, MEASUREMENTS)
    work(key)
    assert list(tmp_path.iterdir()) == []
