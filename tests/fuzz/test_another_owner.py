"""Another owner's ids and cursors are as good as made up, in whatever route of the OpenAPI document takes them."""

from __future__ import annotations

import base64
import json
import re
from uuid import uuid4

import pytest

from functions.download.app import handler as queries
from functions.upload.app import handler as commands
from tests.api import Answer, Client
from tests.database.steps import Steps
from tests.issuer import Issuer
from tools.openapi import document

pytestmark = pytest.mark.usefixtures("aws")

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]
# What stands in a path and is nobody's own.
_FOR_ALL = "{dataset_type}"
WITH_AN_ID = [(method, path) for method, path, _ in _OPERATIONS if "{" in path and _FOR_ALL not in path]
_BODIES: dict[str, dict[str, object]] = {
    "/jobs/{job_id}": {"json_body": {"dataset_type": "table"}},
    "/columns/{choice_id}": {"json_body": {"columns": {"result": "Reading"}}},
}
WITH_A_CURSOR = [
    path
    for _, path, operation in _OPERATIONS
    if "cursor" in {parameter["name"] for parameter in operation.get("parameters", ())}
]


class Owner:
    """Someone who has two jobs that are done, and a webhook that was told of both."""

    def __init__(self, issuer: Issuer, steps: Steps) -> None:
        self.steps = steps
        self._clients = {handler: Client(handler, issuer, steps.user.owner) for handler in (queries, commands)}
        webhook = self.call("POST", "/webhooks", json_body={"url": "https://example.org/hooks"}).json()
        jobs = [steps.done()[0] for _ in range(2)]
        steps.confirmed()
        # An id of each kind that a path may name: a new kind needs a line here.
        self.ids = {
            "job_id": jobs[0],
            "output_id": steps.outputs(jobs[0])[0]["output_id"],
            "webhook_id": webhook["webhook_id"],
            "choice_id": steps.remembered()[0]["choice_id"],
        }

    def call(self, method: str, path: str, **more: object) -> Answer:
        return self._clients[queries if method == "GET" else commands].call(method, path, **more)  # type: ignore[arg-type]

    def everything(self) -> str:
        return json.dumps(self.steps.export())


@pytest.fixture
def me(issuer: Issuer, steps: Steps) -> Owner:
    return Owner(issuer, steps)


@pytest.fixture
def they(issuer: Issuer, other_steps: Steps) -> Owner:
    return Owner(issuer, other_steps)


@pytest.mark.parametrize(("method", "path"), WITH_AN_ID, ids=str)
def test_their_id_is_none(me: Owner, they: Owner, method: str, path: str) -> None:
    before = they.everything()
    body = _BODIES[path] if method == "PATCH" else {}
    answer = me.call(method, path.format(**they.ids), **body)
    assert answer.problem()[0] == 404
    made_up = me.call(method, path.format(**{kind: uuid4() for kind in they.ids}), **body)
    assert answer.json() == made_up.json()
    assert they.everything() == before
    assert they.call(method, path.format(**they.ids), **body).status != 404


@pytest.mark.parametrize("path", WITH_A_CURSOR)
def test_their_cursor_is_none(me: Owner, they: Owner, path: str) -> None:
    cursor = they.call("GET", path.format(**they.ids), query={"limit": "1"}).json()["next_cursor"]
    answer = me.call("GET", path.format(**me.ids), query={"cursor": cursor})
    assert answer.problem() == (404, "cursor_not_found")


@pytest.mark.parametrize("path", WITH_A_CURSOR)
def test_their_cursor_under_my_name_shows_nothing_of_theirs(me: Owner, they: Owner, path: str) -> None:
    cursor = they.call("GET", path.format(**they.ids), query={"limit": "1"}).json()["next_cursor"]
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    forged = text.replace(str(they.steps.user.owner), str(me.steps.user.owner))
    assert forged != text
    query = {"cursor": base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")}
    answer = me.call("GET", path.format(**me.ids), query=query)
    assert answer.status in {200, 422}
    shown = set(_UUID.findall(answer.body))
    assert shown & set(_UUID.findall(they.everything())) == set()


@pytest.mark.parametrize("path", WITH_A_CURSOR)
def test_my_own_cursor_shows_the_rest_of_mine(me: Owner, path: str) -> None:
    mine = path.format(**me.ids)
    first = me.call("GET", mine, query={"limit": "1"}).json()
    second = me.call("GET", mine, query={"limit": "1", "cursor": first["next_cursor"]})
    assert second.status == 200
    assert second.json() != first


def test_there_are_such_routes() -> None:
    assert len(WITH_AN_ID) >= 8
    assert {"/jobs", "/me/export"} <= set(WITH_A_CURSOR)
