"""Tokens that a project signs with a shared secret: its Auth server is asked, and its word counts."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.errors import Problem, Transient
from shared.sign_in.auth import TokenVerifier
from tests.api import UNKNOWN_ID
from tests.issuer import OWNER, PUBLISHABLE_KEY, Issuer
from tests.shared.tokens import refusal, signed_with_the_public_key


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    issuer.keys = []
    return TokenVerifier(issuer.url, "authenticated", PUBLISHABLE_KEY)


def test_the_auth_server_lets_its_user_in(issuer: Issuer, verifier: TokenVerifier) -> None:
    token = issuer.secret_token()
    user = verifier.verify(f"Bearer {token}")
    assert (user.owner, user.token) == (OWNER, token)
    assert issuer.asked == ["user"]


def test_the_auth_server_is_asked_every_time(issuer: Issuer, verifier: TokenVerifier) -> None:
    token = issuer.secret_token()
    verifier.verify(f"Bearer {token}")
    issuer.down = True
    with pytest.raises(Transient):
        verifier.verify(f"Bearer {token}")


def test_a_secret_that_is_not_the_project_s_is_refused(issuer: Issuer, verifier: TokenVerifier) -> None:
    head, _, _ = issuer.secret_token().rpartition(".")
    refusal(verifier, f"{head}.{base64.urlsafe_b64encode(bytes(32)).decode().rstrip('=')}")
    refusal(verifier, signed_with_the_public_key(issuer))
    assert issuer.asked == ["user", "user"]


PAST = datetime.now(UTC) - timedelta(hours=1)
CHANGES: dict[str, dict[str, object]] = {
    "expired": {"exp": PAST},
    "no expiry": {"exp": None},
    "another issuer": {"iss": "supabase"},
    "another audience": {"aud": "anon"},
    "another role": {"role": "supabase_admin"},
    "no subject": {"sub": None},
    "a subject that is no UUID": {"sub": "root"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_can_be_seen_without_the_secret_asks_no_one(issuer: Issuer, verifier: TokenVerifier, name: str) -> None:
    refusal(verifier, issuer.secret_token(**CHANGES[name]))
    assert issuer.asked == []


@pytest.mark.parametrize(
    "said", [{"id": UNKNOWN_ID}, {"id": None}, {"aud": "anon"}, {"role": "service_role"}], ids=repr
)
def test_a_user_other_than_the_token_s_is_refused(
    issuer: Issuer, verifier: TokenVerifier, said: dict[str, object]
) -> None:
    issuer.user = said
    refusal(verifier, issuer.secret_token())


def test_without_a_publishable_key_no_one_can_be_asked(issuer: Issuer) -> None:
    problem = refusal(TokenVerifier(issuer.url, "authenticated"), issuer.secret_token())
    assert "shared secret" in problem.detail
    assert "SUPABASE_PUBLISHABLE_KEY" in problem.suggestion
    assert issuer.asked == []


def test_a_wrong_publishable_key_lets_no_one_in(issuer: Issuer) -> None:
    refusal(TokenVerifier(issuer.url, "authenticated", "sb_publishable_of-another"), issuer.secret_token())


def answering(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception) -> None:
    """Have the Auth server say what the real one says only in bad times."""

    @contextmanager
    def stream(client: httpx.Client, method: str, url: str, **options: object) -> Iterator[httpx.Response]:
        if isinstance(answer, Exception):
            raise answer
        yield answer

    monkeypatch.setattr(httpx.Client, "stream", stream)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json={"code": 429, "error_code": "over_request_rate_limit", "msg": "slow down"}),
        httpx.Response(500, json={"code": 500, "error_code": "unexpected_failure", "msg": "database down"}),
        httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
        httpx.Response(404, text="no Route matched with those values"),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.ReadTimeout("3 s"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("went away"),
    ],
    ids=repr,
)
def test_anything_else_is_no_verdict(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch, answer: httpx.Response | Exception
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(Transient):
        verifier.verify(f"Bearer {issuer.secret_token()}")


@pytest.mark.parametrize("body", ["[]", "null", "{}", '"x"'])
def test_an_answer_that_names_no_user_lets_no_one_in(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    answering(monkeypatch, httpx.Response(200, text=body))
    with pytest.raises(Problem):
        verifier.verify(f"Bearer {issuer.secret_token()}")
