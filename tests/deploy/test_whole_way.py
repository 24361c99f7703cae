"""The deployed stack by HTTP: sign-in, upload by a signed link, S3 to SQS to process, outputs, download."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from local.client import Client, LocalFile
from tests.deploy.deployment import Deployment

MEASUREMENTS = (
    "Station_ID,Date_Time,PCode,Result\n"
    "CT,2024-01-01 10:00,Data 1,1.411\nCT,2024-01-01 11:00,Data 10,\nTUS,2024-01-02 10:00,Data 2,176\n"
)


def test_a_file_comes_back_as_outputs_and_the_second_time_from_the_cache(
    deployment: Deployment, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "river.csv"
    path.write_text(MEASUREMENTS)
    file = LocalFile.read(path)

    registered = client.register(file, None, {}, "reuse")
    assert (registered.cached, registered.job.status) == (False, "awaiting_upload")
    assert registered.put is not None
    client.send(file, registered.put)
    job = client.wait(registered.job.job_id, deployment.watch(seconds=30))
    assert (job.status, job.error, job.dataset_type) == ("done", None, "station_measurements")
    assert job.sha256 == hashlib.sha256(MEASUREMENTS.encode()).hexdigest()

    outputs = client.outputs(job.job_id)
    saved = {output.name: client.save(output, client.link(output), tmp_path).read_bytes() for output in outputs}
    for output in outputs:
        body = saved[output.name]
        assert (len(body), hashlib.sha256(body).hexdigest()) == (output.size_bytes, output.sha256)
    assert saved["CT_Analysis.csv"].decode().splitlines() == ["Station,Dates,Data 1", "CT,2024-01-01,1.411"]
    assert hashlib.sha256(saved["manifest.json"]).hexdigest() == job.manifest_sha256

    again = client.register(file, None, {}, "reuse")
    assert (again.cached, again.job.job_id, again.put) == (True, job.job_id, None)
    assert [listed.job_id for listed in client.jobs()] == [job.job_id]


def test_every_part_answers(deployment: Deployment) -> None:
    """The functions reach database, bucket and queue, with no more rights than the template gives them."""
    answer = httpx.get(f"{deployment.url}/health", trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok"), answer.text


def test_a_stranger_sees_nothing(deployment: Deployment, client: Client) -> None:
    forged = jwt.encode(
        deployment.project.issuer.claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "ec"}
    )
    for headers in ({}, {"authorization": f"Bearer {forged}"}, {"authorization": "Bearer nonsense"}):
        for method, path in (("POST", "/uploads"), ("GET", "/jobs")):
            answer = httpx.request(
                method, f"{deployment.url}{path}", headers=headers, json={}, trust_env=False, timeout=30
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert client.jobs() == []


def test_the_schedule_calls_process_each_minute(deployment: Deployment) -> None:
    events = deployment.cloud.client("events")
    rule = events.describe_rule(Name=deployment.sweep_rule)
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
    (target,) = events.list_targets_by_rule(Rule=deployment.sweep_rule)["Targets"]
    called = deployment.cloud.client("lambda").get_function(FunctionName=deployment.process)["Configuration"]
    assert target["Arn"] == called["FunctionArn"]
