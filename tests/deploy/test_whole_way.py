"""The deployed stack by HTTP: sign-in, upload by a signed link, from there to SQS and process, outputs, download."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx
import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from assay.client import Client, LocalFile, Refused
from tests.database.steps import Superuser
from tests.deploy.deployment import STACK, Deployment

MEASUREMENTS = (
    "Station_ID,Date_Time,PCode,Result\n"
    "CT,2024-01-01 10:00,Data 1,1.411\nCT,2024-01-01 11:00,Data 10,\nTUS,2024-01-02 10:00,Data 2,176\n"
)


def outbox(superuser: Superuser, sha256: str) -> int:
    """Number of rows that tell of the file; S3 needs none."""
    return len(superuser.execute("select from assay.outbox where object_key like '%%/' || %s", (sha256,)).fetchall())


def stored(deployment: Deployment) -> list[str]:
    """Keys of everything under uploads/ and outputs/, wherever it lies."""
    if deployment.front is not None:
        return deployment.front.names("", "", 1000)
    listed = deployment.cloud.s3().list_objects_v2(Bucket=deployment.outputs["BucketName"])
    return [found["Key"] for found in listed.get("Contents", [])]


@pytest.mark.usefixtures("unswept")
def test_a_file_comes_back_as_outputs_and_the_second_time_from_the_cache_and_is_gone_when_it_is_deleted(
    deployment: Deployment, client: Client, superuser: Superuser, tmp_path: Path
) -> None:
    path = tmp_path / "river.csv"
    path.write_text(MEASUREMENTS)
    file = LocalFile.read(path)

    registered = client.register(file, None, {}, "reuse")
    assert (registered.cached, registered.job.status) == (False, "awaiting_upload")
    assert registered.put is not None
    client.send(file, registered.put)
    if deployment.front is not None:
        assert registered.put.headers == {}
        assert outbox(superuser, file.sha256) == 1
        assert client.job(registered.job.job_id).status == "awaiting_upload"
    deployment.tell()
    job = client.wait(registered.job.job_id, deployment.watch(seconds=30))
    assert (job.status, job.error, job.dataset_type) == ("done", None, "station_measurements")
    assert outbox(superuser, file.sha256) == 0
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

    export = client.export_page(None)
    assert len(export.outputs) == len(outputs)
    links = [(one.link, one.sha256) for one in export.uploads]
    for link, sha256 in [*links, *((one.link, one.sha256) for one in export.outputs)]:
        assert link is not None
        client.fetch(link, sha256, tmp_path / sha256)

    mine = [key for key in stored(deployment) if str(job.job_id) in key or file.sha256 in key]
    assert len(mine) == 1 + len(outputs)
    client.delete(job.job_id)
    still_there = deployment.watch(seconds=30)
    while left := set(mine) & set(stored(deployment)):
        still_there(left)


def test_every_part_answers(deployment: Deployment) -> None:
    """The functions reach database, bucket and queue, with no more rights than the template gives them."""
    answer = httpx.get(f"{deployment.url}/health", trust_env=False, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok"), answer.text


def test_the_default_route_answers_head_other_methods_and_other_addresses(deployment: Deployment) -> None:
    assert httpx.head(f"{deployment.url}/dataset-types", trust_env=False).status_code == 200
    answer = httpx.put(f"{deployment.url}/jobs", trust_env=False)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert httpx.get(f"{deployment.url}/poems", trust_env=False).json()["code"] == "no_such_route"


def test_parameters_are_checked_when_the_type_is_named(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "river.csv"
    path.write_text(MEASUREMENTS)
    with pytest.raises(Refused) as caught:
        client.register(LocalFile.read(path), "station_measurements", {"top": 5}, "reuse")
    assert (caught.value.problem.status, caught.value.problem.code) == (422, "invalid_parameters")


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
    schedule, process = (deployment.physical_id(name) for name in ("ProcessFunctionSweep", "ProcessFunction"))
    rule = events.describe_rule(Name=schedule)
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
    (target,) = events.list_targets_by_rule(Rule=schedule)["Targets"]
    called = deployment.cloud.client("lambda").get_function(FunctionName=process)["Configuration"]
    assert target["Arn"] == called["FunctionArn"]


@pytest.mark.parametrize("deployment", ["supabase"], indirect=True)
@pytest.mark.parametrize("secret", ["", "a forged one of at least 32 characters"])
def test_a_forged_hint_is_refused(deployment: Deployment, secret: str) -> None:
    answer = deployment.hint(b"{}", secret)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_hook_secret")


@pytest.mark.parametrize("deployment", ["supabase"], indirect=True)
def test_with_supabase_storage_the_stack_has_no_bucket_and_no_right_to_one(deployment: Deployment) -> None:
    types = {kind for kind, _ in deployment.resources.values()}
    assert "AWS::SQS::Queue" in types
    assert not types & {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}
    assert set(deployment.outputs) == {"ApiUrl", "QueueUrl", "DlqUrl"}
    iam = deployment.cloud.client("iam")
    roles = [name for kind, name in deployment.resources.values() if kind == "AWS::IAM::Role"]
    policies = [
        json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for role in roles
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    assert len(policies) == 3
    assert [policy for policy in policies if "s3:" in policy or "sqs:" not in policy] == []


@pytest.mark.parametrize("deployment", ["s3"], indirect=True)
def test_supabase_storage_without_its_keys_is_not_deployed(deployment: Deployment) -> None:
    cloudformation = deployment.cloud.cloudformation()
    template: object = cloudformation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    values = {given["ParameterKey"]: given["ParameterValue"] for given in stack["Parameters"]}
    with pytest.raises(ClientError, match="Storage=supabase needs StorageRegion"):
        cloudformation.create_stack(
            StackName="incomplete",
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in (values | {"Storage": "supabase"}).items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
