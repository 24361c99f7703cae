"""What a user does with jobs that are there, and with all of an account, on the real stack."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.client import Client, LocalFile, Refused
from assay.client.models import Job
from local.stack import Stack
from shared.sign_in.auth import User
from tests.whole_way.sending import write_measurements

FILES = ("uploads", "outputs")


def run(client: Client, path: Path) -> Job:
    file = LocalFile.read(path)
    answer = client.register(file, None, {}, "reuse")
    if answer.put is not None:
        client.send(file, answer.put)
    job = client.wait(answer.job.job_id)
    assert job.status == "done", job.error
    return job


def pages_of_one(stack: Stack, user: User) -> list[Any]:
    headers = {"authorization": f"Bearer {stack.token_for(user.owner)}"}
    params = {"limit": "1"}
    found = []
    while True:
        answer = httpx.get(f"{stack.url}/me/export", params=params, headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        if found[-1]["next_cursor"] is None:
            return found
        params["cursor"] = found[-1]["next_cursor"]


def stored(stack: Stack, owner: UUID) -> list[str]:
    """Keys of the owner's objects."""
    found = []
    for folder in FILES:
        listed = stack.ministack.s3().list_objects_v2(Bucket="assay", Prefix=f"{folder}/{owner}/")
        found += [item["Key"] for item in listed.get("Contents", [])]
    return found


def retried(client: Client, job_id: UUID) -> bool:
    """Whether the job could be tried again: its bytes are there."""
    try:
        return client.retry(job_id).status == "queued"
    except Refused as error:
        if error.problem.code != "bytes_missing":
            raise
        return False


def test_every_link_of_an_export_gives_the_right_bytes_and_none_of_others(
    stack: Stack, client: Client, user: User, measurements: Path
) -> None:
    job = run(client, measurements)
    with Client(stack.url, stack.token_for(uuid4())) as other:
        theirs = run(other, measurements)
    pages = pages_of_one(stack, user)
    files = [item for page in pages for name in FILES for item in page[name]]
    assert len(files) == 1 + len(client.outputs(job.job_id))
    for item in files:
        content = httpx.get(item["link"]["url"], trust_env=False).content
        assert (len(content), hashlib.sha256(content).hexdigest()) == (item["size_bytes"], item["sha256"])
    assert str(theirs.job_id) not in json.dumps(pages)
    assert [item["job_id"] for page in pages for item in page["jobs"]] == [str(job.job_id)]


def test_assay_export_saves_what_was_sent_and_what_came_of_it(
    stack: Stack, client: Client, user: User, measurements: Path, tmp_path: Path
) -> None:
    job = run(client, measurements)
    there = ["--url", stack.url, "--token", stack.token_for(user.owner)]
    done = CliRunner().invoke(app, [*there, "export", str(tmp_path / "there"), "--json"])
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "there" / "export.json").read_text())
    [upload] = written["uploads"]
    assert (tmp_path / "there" / upload["path"]).read_bytes() == measurements.read_bytes()
    assert len(written["outputs"]) == len(client.outputs(job.job_id)) == json.loads(done.stdout)["files"] - 1
    assert [attempt["outcome"] for attempt in written["attempts"]] == ["done"]
    assert [event["event"] for event in written["events"]] == ["awaiting_upload", "queued", "running", "done"]


def test_nothing_is_left_of_a_deleted_account(stack: Stack, client: Client, user: User, measurements: Path) -> None:
    run(client, measurements)
    assert stored(stack, user.owner)
    assert client.delete_account() == 0
    assert client.jobs() == []
    assert client.account().usage.stored_bytes == 0
    deadline = time.monotonic() + 60
    while stored(stack, user.owner):
        assert time.monotonic() < deadline, "the worker was not told to clean up"
    # A deletion is no way to a second hour of uploads.
    assert client.account().usage.uploads_left == 59
    assert run(client, measurements).status == "done"


def test_a_cancelled_job_is_tried_again(client: Client, measurements: Path) -> None:
    file = LocalFile.read(measurements)
    answer = client.register(file, None, {}, "reuse")
    assert client.cancel(answer.job.job_id).status == "cancelled"
    with pytest.raises(Refused) as caught:
        client.retry(answer.job.job_id)
    assert caught.value.problem.code == "bytes_missing"
    assert answer.put is not None
    client.send(file, answer.put)
    while not retried(client, answer.job.job_id):
        pass  # until the store's event has come
    job = client.wait(answer.job.job_id)
    assert (job.status, job.error) == ("done", None)


def test_a_done_job_is_processed_anew_and_its_outputs_are_the_same(client: Client, measurements: Path) -> None:
    job = run(client, measurements)
    new = client.reprocess(job.job_id)
    assert new.job_id != job.job_id
    again = client.wait(new.job_id)
    assert (again.status, again.manifest_sha256) == ("done", job.manifest_sha256)


def test_a_job_deleted_while_it_runs_is_gone_and_may_be_sent_again(
    stack: Stack, client: Client, user: User, tmp_path: Path
) -> None:
    path = write_measurements(tmp_path / "long.csv", 300_000)
    file = LocalFile.read(path)
    answer = client.register(file, None, {}, "reuse")
    assert answer.put is not None
    client.send(file, answer.put)
    while (seen := client.job(answer.job.job_id)).status != "running":
        assert seen.status in {"awaiting_upload", "queued"}, "done before it could be deleted"
    client.delete(answer.job.job_id)
    with pytest.raises(Refused) as caught:
        client.job(answer.job.job_id)
    assert caught.value.problem.code == "job_not_found"
    job = run(client, path)
    assert job.job_id != answer.job.job_id
    assert [attempt.outcome for attempt in client.job(job.job_id).attempts] == ["done"]
