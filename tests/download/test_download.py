"""functions/download by its events."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from openapi_spec_validator import validate

from local.aws.template import Template
from shared.database import database
from shared.database.psycopg_database import PsycopgDatabase
from shared.settings import settings
from shared.sign_in.auth import User
from tests.api import BUCKET, QUEUE, UNKNOWN_ID, Client
from tests.database.steps import Steps
from tools.openapi import document

pytestmark = pytest.mark.usefixtures("aws")


def test_pages_give_every_job_once_newest_first(client: Client, steps: Steps) -> None:
    made = [steps.queued()[0] for _ in range(5)]
    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        page = client.call("GET", "/jobs", query=query).json()
        seen += [job["job_id"] for job in page["jobs"]]
        query = {"limit": "2", "cursor": page["next_cursor"] or ""}
    assert page["next_cursor"] is None
    assert seen == made[::-1]


def test_a_job_made_between_two_pages_moves_nothing(client: Client, steps: Steps) -> None:
    made = [steps.queued()[0] for _ in range(4)]
    first = client.call("GET", "/jobs", query={"limit": "2"}).json()
    steps.queued()
    second = client.call("GET", "/jobs", query={"limit": "2", "cursor": first["next_cursor"]}).json()
    assert [job["job_id"] for job in second["jobs"]] == [made[1], made[0]]


def test_jobs_by_status(client: Client, steps: Steps) -> None:
    done, _ = steps.done()
    steps.queued()
    page = client.call("GET", "/jobs", query={"status": "done"}).json()
    assert [job["job_id"] for job in page["jobs"]] == [done]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"status": "finished"}, (422, "invalid_request")),
        ({"limit": "0"}, (422, "invalid_request")),
        ({"limit": "101"}, (422, "invalid_request")),
        ({"limit": "many"}, (422, "invalid_request")),
        ({"cursor": "x"}, (404, "cursor_not_found")),
        ({"cursor": base64.urlsafe_b64encode(b"2026-01-01 x").decode()}, (404, "cursor_not_found")),
        ({"cursor": base64.urlsafe_b64encode(b"\xff\xfe").decode()}, (404, "cursor_not_found")),
    ],
)
def test_a_bad_question_is_a_problem(client: Client, query: dict[str, str], problem: tuple[int, str]) -> None:
    assert client.call("GET", "/jobs", query=query).problem() == problem


def test_a_job_with_its_attempts(client: Client, steps: Steps) -> None:
    job_id = steps.running()
    steps.fail(job_id, 1)
    job = client.call("GET", f"/jobs/{job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "no_header")
    assert [(attempt["attempt"], attempt["outcome"]) for attempt in job["attempts"]] == [(1, "failed")]


def test_outputs_in_order_and_none_before_the_end(client: Client, steps: Steps) -> None:
    running = steps.running()
    assert client.call("GET", f"/jobs/{running}/outputs").json() == {"outputs": []}
    done, _ = steps.done()
    outputs = client.call("GET", f"/jobs/{done}/outputs").json()["outputs"]
    assert [output["name"] for output in outputs] == ["CT_Analysis.csv", "manifest.json"]
    assert "object_key" not in outputs[0]


def test_a_download_redirects_to_a_link_of_one_hour(client: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    output_id = steps.outputs(job_id)[0]["output_id"]
    answer = client.call("GET", f"/outputs/{output_id}/download", headers={"accept": "*/*"})
    assert answer.status == 302
    assert "X-Amz-Expires=3600" in answer.headers["location"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_download_link_as_json_says_until_when_and_saves_under_the_outputs_name(client: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    output_id = steps.outputs(job_id)[0]["output_id"]
    link = client.call("GET", f"/outputs/{output_id}/download", headers={"accept": "application/json"}).json()
    left = datetime.fromisoformat(link["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    query = dict(parse_qsl(urlsplit(link["url"]).query))
    assert query["response-content-disposition"] == 'attachment; filename="CT_Analysis.csv"'
    assert query["response-content-type"] == "text/csv"


def test_another_owners_things_are_404(client: Client, db: PsycopgDatabase, other_user: User) -> None:
    theirs = Steps(db, other_user)
    job_id, _ = theirs.done()
    output_id = theirs.outputs(job_id)[0]["output_id"]
    assert client.call("GET", f"/jobs/{job_id}").problem() == (404, "job_not_found")
    assert client.call("GET", f"/jobs/{job_id}/outputs").problem() == (404, "job_not_found")
    assert client.call("GET", f"/outputs/{output_id}/download").problem() == (404, "output_not_found")
    assert client.call("GET", "/jobs").json() == {"jobs": [], "next_cursor": None}


@pytest.mark.parametrize("path", [f"/jobs/{UNKNOWN_ID}", "/jobs/1", "/jobs/1/outputs", "/outputs/1/download", "/"])
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.call("GET", path).problem()[0] == 404


@pytest.mark.parametrize("path", ["/jobs", f"/jobs/{UNKNOWN_ID}", f"/outputs/{UNKNOWN_ID}/download"])
def test_without_a_token_nothing_is_told(client: Client, path: str) -> None:
    client.token = ""
    assert client.call("GET", path).problem() == (401, "not_signed_in")


def test_health_needs_no_token(client: Client) -> None:
    client.token = ""
    answer = client.call("GET", "/health")
    assert answer.status == 200
    health = answer.json()
    assert health["status"] == "ok"
    assert set(health["parts"]) == {"database", "object_store", "queue"}
    assert all(part["state"] == "ok" and part["latency_ms"] >= 0 for part in health["parts"].values())


@pytest.mark.parametrize("part", ["database", "object_store", "queue"])
def test_health_names_the_part_that_is_down(client: Client, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part == "database":
        monkeypatch.setenv("DATABASE_URL", "postgresql://authenticator@127.0.0.1:1/postgres")
        settings.cache_clear()
        database.cache_clear()
    elif part == "object_store":
        boto3.client("s3").delete_bucket(Bucket=BUCKET)
    else:
        boto3.client("sqs").delete_queue(QueueUrl=boto3.client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"])
    answer = client.call("GET", "/health")
    assert answer.status == 503
    health = answer.json()
    assert [name for name, state in health["parts"].items() if state["state"] == "down"] == [part]


def test_the_openapi_document_is_what_the_handlers_say(client: Client) -> None:
    client.token = ""
    served = client.call("GET", "/openapi.json").json()
    assert served == json.loads(json.dumps(document())), "run `make openapi`"


def test_the_openapi_document_is_valid() -> None:
    validate(document())


def test_the_openapi_document_says_how_every_route_for_users_refuses_them() -> None:
    operations = [operation for methods in document()["paths"].values() for operation in methods.values()]
    for_users = [operation for operation in operations if operation["security"] == [{"access_token": []}]]
    assert len(for_users) >= 14
    for operation in for_users:
        headers = {status: list(operation["responses"][status]["headers"]) for status in ("401", "429", "503")}
        assert headers == {"401": ["WWW-Authenticate"], "429": ["Retry-After"], "503": ["Retry-After"]}


def test_the_openapi_document_names_every_route_of_the_template() -> None:
    said = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert {(route.method, route.path) for route in Template.read().routes if route.method is not None} == said
