"""The files in events/ are what API Gateway and SQS would send to the functions of the template."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from .conftest import ROOT

EVENTS = sorted((ROOT / "events").glob("*.json"))
HTTP = [path for path in EVENTS if not path.name.startswith("process-")]


def read(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return event


def function_of(path: Path) -> str:
    return path.name.split("-")[0].capitalize() + "Function"


def test_every_route_has_an_event_for_its_own_function(routes: list[tuple[str, str]]) -> None:
    assert {(function_of(path), read(path)["routeKey"]) for path in HTTP} == set(routes)


@pytest.mark.parametrize("path", HTTP, ids=lambda path: path.stem)
def test_http_event_agrees_with_itself(path: Path) -> None:
    event = read(path)
    http = event["requestContext"]["http"]
    key = event["routeKey"]
    method, route = (http["method"], event["rawPath"]) if key == "$default" else key.split(" ")
    assert event["version"] == "2.0"
    assert (http["method"], http["path"]) == (method, event["rawPath"])
    assert route.format(**event.get("pathParameters", {})) == event["rawPath"]
    assert dict(parse_qsl(event["rawQueryString"])) == event.get("queryStringParameters", {})
    body = event.get("body", "").encode()
    body = base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body
    assert len(body) == int(event["headers"].get("content-length", 0))


def test_the_upload_events_and_the_object_are_of_one_file() -> None:
    content = base64.b64decode(read(ROOT / "events/upload-raw.json")["body"])
    announced = json.loads(read(ROOT / "events/upload-post.json")["body"])
    record = json.loads(read(ROOT / "events/process-s3.json")["Records"][0]["body"])["Records"][0]["s3"]
    sha256 = hashlib.sha256(content).hexdigest()
    assert (announced["sha256"], announced["size_bytes"]) == (sha256, len(content))
    assert record["object"]["key"].split("/")[-1] == sha256
    assert record["object"]["size"] == len(content)


@pytest.mark.parametrize("path", [path for path in EVENTS if "Records" in read(path)], ids=lambda path: path.stem)
def test_queue_event_holds_one_record_with_its_checksum(path: Path) -> None:
    (record,) = read(path)["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest() == record["md5OfBody"]
