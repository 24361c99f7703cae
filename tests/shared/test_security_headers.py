"""Every answer of both HTTP functions tells a browser to keep, guess, frame and hand on nothing."""

from __future__ import annotations

import pytest

from shared.database import database
from shared.http import SECURITY_HEADERS
from shared.settings import settings
from tests.api import UNKNOWN_ID, Answer, Client
from tests.database.steps import Steps

pytestmark = pytest.mark.usefixtures("aws")

# What OWASP would have a REST service send.
# Source: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
OWASP = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def safe(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in OWASP} == OWASP
    assert "content-type" in answer.headers or not answer.body


def test_they_are_owasp_s() -> None:
    assert {name.lower(): value for name, value in SECURITY_HEADERS.items()} == OWASP


def test_of_what_goes_well(commands: Client, queries: Client) -> None:
    described = {"filename": "a.csv", "size_bytes": 5, "sha256": "0" * 64}
    safe(commands.call("POST", "/uploads", json_body=described), 201)
    for path in ("/jobs", "/health", "/openapi.json"):
        safe(queries.call("GET", path), 200)


def test_of_a_redirect(queries: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    output_id = steps.outputs(job_id)[0]["output_id"]
    safe(queries.call("GET", f"/outputs/{output_id}/download"), 302)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/uploads", 422),
        ("POST", f"/jobs/{UNKNOWN_ID}/cancel", 404),
        ("POST", "/nowhere", 404),
        ("POST", "/events/storage", 404),
        ("GET", "/jobs?limit=0", 422),
        ("GET", f"/jobs/{UNKNOWN_ID}", 404),
        ("GET", "/jobs/1", 404),
        ("GET", "/nowhere", 404),
    ],
)
def test_of_a_problem(commands: Client, queries: Client, method: str, path: str, status: int) -> None:
    safe((commands if method == "POST" else queries).call(method, path), status)


def test_of_who_is_not_signed_in(commands: Client, queries: Client) -> None:
    commands.token = queries.token = ""
    safe(commands.call("POST", "/uploads", body=b"{}"), 401)
    safe(queries.call("GET", "/jobs"), 401)


def test_of_a_service_in_trouble(queries: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://authenticator@127.0.0.1:1/postgres")
    settings.cache_clear()
    database.cache_clear()
    safe(queries.call("GET", "/jobs"), 503)
    safe(queries.call("GET", "/health"), 503)


def test_of_an_error_of_the_service_s_own(queries: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "no address")
    settings.cache_clear()
    database.cache_clear()
    safe(queries.call("GET", "/jobs"), 500)
