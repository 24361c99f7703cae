"""Each event in events/ is answered by its handler as `sam local invoke` would show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest

from functions.download.app import handler as download
from functions.process.app import handler as process
from functions.upload.app import handler as upload
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.api import BUCKET, Context
from tests.database.steps import Steps
from tests.issuer import Issuer

pytestmark = pytest.mark.usefixtures("aws")
EVENTS = Path(__file__).parents[2] / "events"
# The ids in the events are nobody's, hence the 404s; and with S3, no webhook is expected.
EXPECTED = {
    "upload-post": 201,
    "upload-raw": 201,
    "upload-cancel": 404,
    "upload-retry": 404,
    "upload-reprocess": 404,
    "upload-choose-type": 404,
    "upload-delete": 404,
    "upload-delete-account": 204,
    "upload-webhook": 201,
    "upload-delete-webhook": 404,
    "upload-storage-hook": 404,
    "upload-edit-columns": 404,
    "upload-forget-columns": 404,
    "download-jobs": 200,
    "download-job": 404,
    "download-outputs": 404,
    "download-link": 404,
    "download-account": 200,
    "download-export": 200,
    "download-webhooks": 200,
    "download-columns": 200,
    "download-deliveries": 404,
    "download-dataset-types": 200,
    "download-example": 200,
    "download-health": 200,
    "download-openapi": 200,
    "download-otherwise": 405,
}


def read(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def call(name: str, token: str) -> Any:
    event = read(name)
    if "authorization" in event["headers"]:
        event["headers"]["authorization"] = f"Bearer {token}"
    return (upload if name.startswith("upload") else download)(event, Context())


def test_every_event_is_tried() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == {
        *EXPECTED,
        "process-s3",
        "process-hint",
        "process-test-event",
        "process-sweep",
    }


@pytest.mark.parametrize(("name", "status"), EXPECTED.items(), ids=EXPECTED.keys())
def test_an_http_event_is_answered(issuer: Issuer, user: User, name: str, status: int) -> None:
    answer = call(name, issuer.token(sub=str(user.owner)))
    assert answer["statusCode"] == status, answer["body"]


@pytest.mark.parametrize("name", ["process-test-event", "process-hint", "process-sweep"])
def test_an_event_without_an_object_is_accepted(name: str) -> None:
    assert process(read(name), Context()) == {"batchItemFailures": []}


def test_the_events_of_the_upload_the_object_and_a_hint_make_a_done_job(issuer: Issuer, db: PsycopgDatabase) -> None:
    key = json.loads(read("process-s3")["Records"][0]["body"])["Records"][0]["s3"]["object"]["key"]
    owner = UUID(key.split("/")[1])
    answer = call("upload-raw", issuer.token(sub=str(owner)))
    assert answer["statusCode"] == 201, answer["body"]
    assert boto3.client("s3").head_object(Bucket=BUCKET, Key=key)
    for name, status in (("process-s3", "queued"), ("process-hint", "done")):
        assert process(read(name), Context()) == {"batchItemFailures": []}
        assert Steps(db, User(owner)).jobs()[0]["status"] == status
