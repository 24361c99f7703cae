"""GET /me and GET /me/export, by their events."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from functions.download.app import handler
from shared.database.psycopg_database import PsycopgDatabase
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from tests.api import Client
from tests.database.steps import Steps, Superuser, new_sha256
from tests.database.webhook_steps import WebhookSteps, write
from tests.issuer import Issuer

pytestmark = pytest.mark.usefixtures("aws")
LISTS = ("webhooks", "deliveries", "uploads", "jobs", "attempts", "events", "outputs", "remembered_columns")


def pages(client: Client, limit: int) -> Iterator[Any]:
    query = {"limit": str(limit)}
    for _ in range(100):
        answer = client.call("GET", "/me/export", query=query)
        assert answer.status == 200, answer.body
        page = answer.json()
        yield page
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]
    raise AssertionError("the pages do not come to an end")


def without_links(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "link"}


def cursor_of(user: User, place: object) -> str:
    return base64.urlsafe_b64encode(f"{user.owner} {json.dumps(place)}".encode()).decode().rstrip("=")


def test_the_account_tells_the_plan_and_what_is_used_of_it(client: Client, steps: Steps) -> None:
    steps.running()
    account = client.call("GET", "/me").json()
    assert account["owner"] == str(steps.user.owner)
    assert (account["plan"], account["limits"]["uploads_per_hour"]) == ("free", 60)
    assert account["usage"] == {"running_jobs": 1, "uploads_left": 59, "stored_bytes": 10}


def test_pages_of_one_are_the_whole_and_hold_nothing_of_others(
    client: Client, steps: Steps, other_steps: Steps, db: PsycopgDatabase, superuser: Superuser
) -> None:
    for one in (steps, other_steps):
        write(superuser, WebhookSteps(db, one.user).create(), 2)
        one.done()
        one.fail(one.running(), 1)
        one.confirmed()
    (whole,) = pages(client, 500)
    assert [len(whole[name]) for name in LISTS] == [1, 5, 3, 3, 3, 12, 4, 1]
    found = list(pages(client, 1))
    assert len(found) == 32
    for name in LISTS:
        assert [without_links(item) for page in found for item in page[name]] == [
            without_links(item) for item in whole[name]
        ]
    assert all(page["account"] == whole["account"] for page in found)
    assert str(other_steps.user.owner) not in json.dumps(found)
    assert {item["job_id"] for item in whole["outputs"]} < {job["job_id"] for job in steps.jobs()}


def test_no_secret_and_no_key_is_in_an_export(client: Client, steps: Steps, db: PsycopgDatabase) -> None:
    WebhookSteps(db, steps.user).create()
    steps.done()
    (page,) = pages(client, 500)
    assert page["webhooks"]
    assert "whsec_" not in json.dumps(page)
    assert "object_key" not in json.dumps(page)


def test_every_file_that_is_there_has_a_link_under_its_own_name(client: Client, steps: Steps) -> None:
    name = 'Größe "der" Flüsse; 50%.csv'
    job_id, sha256 = steps.done()
    steps.register(sha256, filename=name)
    absent = new_sha256()
    steps.register(absent)
    (page,) = pages(client, 500)
    uploads = {upload["sha256"]: upload for upload in page["uploads"]}
    assert (uploads[absent]["link"], uploads[absent]["stored_at"]) == (None, None)
    url = urlsplit(uploads[sha256]["link"]["url"])
    assert url.path.endswith(upload_key(steps.user.owner, sha256))
    assert dict(parse_qsl(url.query))["response-content-disposition"] == (
        "attachment; filename=\"Gr__e _der_ Fl_sse_ 50_.csv\"; filename*=UTF-8''"
        "Gr%C3%B6%C3%9Fe%20%22der%22%20Fl%C3%BCsse%3B%2050%25.csv"
    )
    for output in page["outputs"]:
        link = urlsplit(output["link"]["url"])
        assert link.path.endswith(f"outputs/{steps.user.owner}/{job_id}/1/{output['name']}")
        assert "X-Amz-Expires=3600" in link.query


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"limit": "0"}, (422, "invalid_request")),
        ({"limit": "501"}, (422, "invalid_request")),
        ({"cursor": "x"}, (404, "cursor_not_found")),
        ({"cursor": base64.urlsafe_b64encode(b"\xff\xfe").decode()}, (404, "cursor_not_found")),
    ],
)
def test_a_bad_question_is_a_problem(client: Client, query: dict[str, str], problem: tuple[int, str]) -> None:
    assert client.call("GET", "/me/export", query=query).problem() == problem


@pytest.mark.parametrize(
    "place",
    [
        {"walk": "poems"},
        {"walk": "uploads", "sha256": "x"},
        {"walk": "uploads", "sha256": "\0" * 64},
        {"walk": "jobs", "at": "2026-01-01T00:00:00Z", "id": "1", "part": 0, "number": 0},
        {"walk": "jobs", "at": "2026-01-01T00:00:00", "id": "0" * 32, "part": 0, "number": 0},
        {"walk": "jobs", "at": "2026-01-01T00:00:00Z", "id": "0" * 32, "part": 4, "number": 0},
        {"walk": "jobs", "at": "2026-01-01T00:00:00Z", "id": "0" * 32, "part": 3, "number": 2**63},
        {"walk": "webhooks", "at": "infinity", "id": "0" * 32},
        None,
    ],
)
def test_a_cursor_that_nobody_made_is_a_problem(client: Client, user: User, place: object) -> None:
    query = {"cursor": cursor_of(user, place)}
    assert client.call("GET", "/me/export", query=query).problem() == (404, "cursor_not_found")


@pytest.mark.parametrize(("at", "count"), [("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59-14:00", 0)])
def test_a_cursor_at_either_end_of_time_is_one(client: Client, user: User, steps: Steps, at: str, count: int) -> None:
    steps.queued()
    place = {"walk": "jobs", "at": at, "id": "0" * 32, "part": 3, "number": 2**63 - 1}
    page = client.call("GET", "/me/export", query={"cursor": cursor_of(user, place)}).json()
    assert len(page["jobs"]) == count


@pytest.mark.parametrize("path", ["/jobs", "/me/export"])
def test_another_owners_cursor_is_not_there(
    client: Client, issuer: Issuer, other_steps: Steps, steps: Steps, path: str
) -> None:
    for one in (steps, other_steps):
        one.done()
        one.done()
    theirs = Client(handler, issuer, other_steps.user.owner)
    cursor = theirs.call("GET", path, query={"limit": "1"}).json()["next_cursor"]
    assert client.call("GET", path, query={"cursor": cursor}).problem() == (404, "cursor_not_found")
    assert theirs.call("GET", path, query={"cursor": cursor}).status == 200


@pytest.mark.parametrize("path", ["/me", "/me/export"])
def test_without_a_token_nothing_is_told(client: Client, path: str) -> None:
    client.token = ""
    assert client.call("GET", path).problem() == (401, "not_signed_in")
