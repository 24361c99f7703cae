"""POST /webhooks and DELETE /webhooks/{webhook_id}, by their events."""

from __future__ import annotations

import base64

import pytest

from shared.database.psycopg_database import PsycopgDatabase
from shared.settings import settings
from shared.sign_in.auth import User
from tests.api import UNKNOWN_ID, Client
from tests.database.webhook_steps import WebhookSteps

pytestmark = pytest.mark.usefixtures("aws")
URL = "https://example.org/hooks/assay?key=of-the-receiver"


def test_a_webhook_is_made_with_a_secret_of_its_own(client: Client, webhooks: WebhookSteps) -> None:
    answers = [client.call("POST", "/webhooks", json_body={"url": url}) for url in (URL, f"{URL}&another")]
    assert [answer.status for answer in answers] == [201, 201]
    made = [answer.json() for answer in answers]
    listed = webhooks.all()
    assert [one["webhook_id"] for one in made] == [one["webhook_id"] for one in listed]
    assert [one["url"] for one in listed] == [URL, f"{URL}&another"]
    secrets = {webhook["secret"].removeprefix("whsec_") for webhook in made}
    assert {len(base64.b64decode(secret, validate=True)) for secret in secrets} == {32}
    assert len(secrets) == 2


def test_a_url_that_is_registered_again_is_the_same_webhook_without_its_secret(
    client: Client, webhooks: WebhookSteps
) -> None:
    first = client.call("POST", "/webhooks", json_body={"url": URL}).json()
    again = client.call("POST", "/webhooks", json_body={"url": URL})
    del first["secret"]
    assert (again.status, again.json()) == (200, first)
    assert len(webhooks.all()) == 1


def test_neither_the_secret_nor_the_url_is_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    secret = client.call("POST", "/webhooks", json_body={"url": URL}).json()["secret"]
    logged = str([vars(record) for record in caplog.records])
    assert "webhook registered" in logged
    assert not [word for word in (secret, secret[6:], "of-the-receiver") if word in logged]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_request"),
        (b"https://example.org", "invalid_request"),
        (b"\xff", "invalid_request"),
        (b"[]", "invalid_request"),
        (b"{}", "invalid_request"),
        (b'{"url": null}', "invalid_request"),
        (b'{"url": "https://example.org/", "secret": "mine"}', "invalid_request"),
        (b'{"url": "http://example.org/"}', "invalid_url"),
        (b'{"url": "https://10.0.0.1/"}', "invalid_url"),
        (b'{"url": "https://user:word@example.org/"}', "invalid_url"),
        (b'{"url": "https://example.org/\\u0000"}', "invalid_url"),
    ],
)
def test_a_bad_request_is_a_problem(client: Client, webhooks: WebhookSteps, body: bytes, code: str) -> None:
    assert client.call("POST", "/webhooks", body=body).problem() == (422, code)
    assert webhooks.all() == []


def test_on_one_s_own_machine_a_webhook_may_stay_there(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_PRIVATE_ADDRESSES", "true")
    settings.cache_clear()
    assert client.call("POST", "/webhooks", json_body={"url": "http://127.0.0.1:8000/"}).status == 201


def test_the_eleventh_is_refused(client: Client) -> None:
    for number in range(10):
        assert client.call("POST", "/webhooks", json_body={"url": f"{URL}{number}"}).status == 201
    assert client.call("POST", "/webhooks", json_body={"url": URL}).problem() == (409, "too_many_webhooks")


def test_a_deleted_webhook_is_gone(client: Client, webhooks: WebhookSteps) -> None:
    path = f"/webhooks/{webhooks.create()}"
    answer = client.call("DELETE", path)
    assert (answer.status, answer.body) == (204, "")
    assert webhooks.all() == []
    assert client.call("DELETE", path).problem() == (404, "webhook_not_found")


@pytest.mark.parametrize("name", ["1", UNKNOWN_ID])
def test_what_is_not_there_is_404(client: Client, name: str) -> None:
    assert client.call("DELETE", f"/webhooks/{name}").problem()[0] == 404


def test_another_owner_s_webhook_stays(client: Client, db: PsycopgDatabase, other_user: User) -> None:
    theirs = WebhookSteps(db, other_user)
    webhook_id = theirs.create()
    assert client.call("DELETE", f"/webhooks/{webhook_id}").problem() == (404, "webhook_not_found")
    assert len(theirs.all()) == 1


@pytest.mark.parametrize(("method", "path"), [("POST", "/webhooks"), ("DELETE", f"/webhooks/{UNKNOWN_ID}")])
def test_without_a_token_nothing_is_done(client: Client, method: str, path: str) -> None:
    client.token = ""
    assert client.call(method, path, json_body={"url": URL}).problem() == (401, "not_signed_in")
