"""Upload to download on the real stack: HTTP, Postgres, S3, SQS, the real handlers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from assay.client import Client, LocalFile, Refused
from assay.contract import Source, Sources
from assay.run import Analysis, analyse
from local.stack import Stack
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from tests.whole_way.sending import run, send, write_measurements


def save_outputs(client: Client, job_id: UUID, folder: Path) -> dict[str, bytes]:
    """Download every output by its signed link; the client checks each hash."""
    folder.mkdir()
    outputs = client.outputs(job_id)
    return {output.name: client.save(output, client.link(output), folder).read_bytes() for output in outputs}


def test_a_file_comes_back_as_outputs_and_the_second_time_from_the_cache(
    client: Client, measurements: Path, tmp_path: Path
) -> None:
    first = send(client, measurements)
    assert (first.cached, first.job.status) == (False, "awaiting_upload")
    job = client.wait(first.job.job_id)
    assert job.status == "done", job.error
    saved = save_outputs(client, job.job_id, tmp_path / "saved")
    assert saved["CT_Analysis.csv"].decode().splitlines() == ["Station,Dates,Data 1", "CT,2024-01-01,1.411"]
    assert {"TUS_Analysis.xlsx", "audit_lineage.parquet", "quality.json", "dashboard.html"} < set(saved)

    second = send(client, measurements)
    assert (second.cached, second.job.job_id, second.put) == (True, job.job_id, None)
    assert second.upload.times_used == 2


def test_the_stack_and_the_bare_analysis_give_the_same_bytes(
    client: Client, measurements: Path, tmp_path: Path
) -> None:
    job = run(client, measurements)
    folder = tmp_path / "analysed"
    folder.mkdir()
    file = LocalFile.read(measurements)
    source = Source(measurements, "another name.csv", file.sha256, file.size_bytes)
    analysis = analyse(Sources((source,)), None, {}, folder, lambda *_: None, lambda _: None)
    assert isinstance(analysis, Analysis)
    analysed = {output.name: output.path.read_bytes() for output in analysis.outputs}
    assert save_outputs(client, job.job_id, tmp_path / "saved") == analysed


def test_reprocess_makes_a_new_job_with_the_same_outputs(client: Client, measurements: Path) -> None:
    first = run(client, measurements)
    again = send(client, measurements, on_duplicate="reprocess")
    assert again.job.job_id != first.job_id
    second = client.wait(again.job.job_id)
    assert (second.status, second.manifest_sha256) == ("done", first.manifest_sha256)


def test_a_raw_body_does_it_all_in_one_request(stack: Stack, client: Client, user: User, measurements: Path) -> None:
    answer = httpx.post(
        f"{stack.url}/uploads",
        params={"filename": "river.csv"},
        content=measurements.read_bytes(),
        headers={"authorization": f"Bearer {stack.token_for(user.owner)}"},
        trust_env=False,
    )
    assert answer.status_code == 201
    assert client.wait(UUID(answer.json()["job"]["job_id"])).status == "done"


def test_a_broken_file_fails_with_a_problem_and_shows_nothing(client: Client, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04" + os.urandom(2000))
    job = run(client, broken)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error.code, bool(job.error.suggestion)) == ("unreadable_spreadsheet", True)
    assert client.outputs(job.job_id) == []


def test_the_store_refuses_other_bytes_than_announced_and_the_right_ones_may_follow(
    client: Client, measurements: Path, tmp_path: Path
) -> None:
    right = LocalFile.read(measurements)
    wrong_path = tmp_path / "wrong.csv"
    wrong_path.write_bytes(measurements.read_bytes().replace(b"1.411", b"1.412"))
    answer = client.register(right, None, {}, "reuse")
    assert answer.put is not None
    with pytest.raises(Refused) as caught:
        client.send(LocalFile.read(wrong_path), answer.put)
    assert caught.value.problem.code == "object_store_refused"
    assert client.job(answer.job.job_id).status == "awaiting_upload"
    client.send(right, answer.put)
    assert client.wait(answer.job.job_id).status == "done"


def test_bytes_that_got_past_the_store_are_refused_by_their_hash(
    stack: Stack, client: Client, user: User, measurements: Path
) -> None:
    file = LocalFile.read(measurements)
    answer = client.register(file, None, {}, "reuse")
    stack.ministack.s3().put_object(
        Bucket="assay", Key=upload_key(user.owner, file.sha256), Body=b"x" * file.size_bytes
    )
    job = client.wait(answer.job.job_id)
    assert (job.status, job.error and job.error.code) == ("failed", "hash_mismatch")
    assert run(client, measurements).status == "done"


def test_an_unknown_type_waits_and_a_chosen_one_answers(client: Client, tmp_path: Path) -> None:
    poems = tmp_path / "poems.csv"
    poems.write_text(f"poem\nThe Raven {uuid4()}\nDaffodils\n")
    job = run(client, poems)
    assert job.status == "needs_type"
    assert job.detection is not None
    chosen = client.wait(client.choose_type(job.job_id, "station_measurements").job_id)
    assert (chosen.job_id, chosen.status, chosen.error and chosen.error.code) == (
        job.job_id, "failed", "missing_columns",
    )  # fmt: skip
    asked = run(client, poems, "station_measurements")
    assert (asked.status, asked.error and asked.error.code) == ("failed", "missing_columns")


def test_a_table_that_was_taken_for_another_runs_again_as_what_it_is(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "field.csv"
    path.write_text(f"Station_ID,Date_Time,PCode,Result,Note\nCT,2024-01-01,A,1.5,{uuid4()}\nCT,2024-01-02,A,2,\n")
    first = run(client, path)
    assert (first.status, first.dataset_type) == ("done", "station_measurements"), first.error
    before = {output.name: output.output_id for output in client.outputs(first.job_id)}
    second = client.wait(client.choose_type(first.job_id, "table").job_id)
    assert (second.job_id, second.status, second.dataset_type) == (first.job_id, "done", "table"), second.error
    assert second.type_choice is not None
    after = {output.name: output.output_id for output in client.outputs(first.job_id)}
    assert not set(before.values()) & set(after.values())
    assert "profile.json" in after


def test_a_worker_killed_in_the_middle_is_replaced_and_the_job_done_once(
    stack: Stack, client: Client, tmp_path: Path
) -> None:
    rows = 400_000
    path = write_measurements(tmp_path / "long.csv", rows)
    job_id = send(client, path).job.job_id
    # Asked as fast as it answers: the first moment in the middle of the work is the moment to strike.
    while (seen := client.job(job_id)).status != "running" or seen.detection is None:
        assert seen.status in {"awaiting_upload", "queued", "running"}, "done before its worker could be killed"
    assert stack.worker_pid is not None
    os.kill(stack.worker_pid, signal.SIGKILL)
    job = client.wait(job_id)
    assert job.status == "done", job.error
    attempts = client.job(job_id).attempts
    assert [attempt.outcome for attempt in attempts] == ["lost", "done"]
    saved = save_outputs(client, job_id, tmp_path / "saved")
    assert len(saved["audit_lineage.csv"].splitlines()) == rows + 1


def test_cancel_stops_a_waiting_job_for_good(client: Client, measurements: Path) -> None:
    file = LocalFile.read(measurements)
    answer = client.register(file, None, {}, "reuse")
    assert client.cancel(answer.job.job_id).status == "cancelled"
    assert answer.put is not None
    client.send(file, answer.put)
    assert run(client, measurements).status == "done"
    assert client.job(answer.job.job_id).status == "cancelled"


def test_another_owner_finds_nothing(stack: Stack, client: Client, measurements: Path) -> None:
    job = run(client, measurements)
    output = client.outputs(job.job_id)[0]
    with Client(stack.url, stack.token_for(uuid4())) as stranger:
        assert stranger.jobs() == []
        for look in (lambda: stranger.job(job.job_id), lambda: stranger.outputs(job.job_id)):
            with pytest.raises(Refused) as caught:
                look()
            assert caught.value.problem.status == 404
        with pytest.raises(Refused) as caught:
            stranger.link(output)
        assert caught.value.problem.status == 404
        assert send(stranger, measurements).cached is False


def test_nothing_is_served_without_a_signature(client: Client, measurements: Path) -> None:
    job = run(client, measurements)
    link = client.link(client.outputs(job.job_id)[0])
    assert httpx.get(link.url, trust_env=False).status_code == 200
    assert httpx.get(link.url.split("?")[0], trust_env=False).status_code == 403
    assert httpx.get(link.url.replace("Signature=", "Signature=0"), trust_env=False).status_code == 403


def test_health_answers_for_every_part(stack: Stack) -> None:
    answer = httpx.get(f"{stack.url}/health", trust_env=False)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
