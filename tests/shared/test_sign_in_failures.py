"""Who is refused too often is told to wait, and costs the Auth server nothing; who has a good token never waits."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.download.app import handler as download
from functions.upload.app import handler as upload
from shared.errors import Problem
from shared.sign_in import failures as sign_in_failures
from shared.sign_in.auth import TokenVerifier
from shared.sign_in.failures import BURST, INTERVAL_SECONDS, SignInFailures
from tests.api import Handler, answered, http_event
from tests.issuer import OWNER, PUBLISHABLE_KEY, Issuer

HERE, THERE = "203.0.113.7", "198.51.100.9"


@dataclass
class Clock:
    """A clock that the test moves, from where a machine's may be after months."""

    now: float = 12_345_678.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> TokenVerifier:
    return TokenVerifier(issuer.url, "authenticated", PUBLISHABLE_KEY, SignInFailures(clock))


def outcome(verifier: TokenVerifier, token: str, address: str = HERE) -> int:
    """200, or the status of the problem."""
    try:
        assert verifier.sign_in(f"Bearer {token}", address).owner == OWNER
    except Problem as problem:
        return problem.status
    return 200


def refuse_until_the_limit(verifier: TokenVerifier, address: str = HERE) -> None:
    assert [outcome(verifier, "no token", address) for _ in range(BURST + 1)] == [401] * BURST + [429]


def made_up(issuer: Issuer, number: int = 0) -> str:
    """A token that looks like one of the project's shared secret, and that only the Auth server can tell from one."""
    head, _, _ = issuer.secret_token(jti=str(number)).rpartition(".")
    return f"{head}.{'A' * 43}"


def test_beyond_the_limit_the_answer_says_when_to_come_again(verifier: TokenVerifier, clock: Clock) -> None:
    refuse_until_the_limit(verifier)
    clock.now += INTERVAL_SECONDS / 2 - 0.1
    with pytest.raises(Problem) as caught:
        verifier.sign_in("Bearer x", HERE)
    problem = caught.value
    assert (problem.status, problem.code) == (429, "too_many_sign_in_failures")
    assert problem.retry_after_seconds == INTERVAL_SECONDS / 2 + 1
    assert f"{problem.retry_after_seconds} seconds" in problem.suggestion
    clock.now += problem.retry_after_seconds
    assert [outcome(verifier, "x") for _ in range(2)] == [401, 429]


def test_a_good_token_passes_whatever_came_before(issuer: Issuer, verifier: TokenVerifier) -> None:
    refuse_until_the_limit(verifier)
    assert [outcome(verifier, issuer.token()) for _ in range(BURST * 2)] == [200] * BURST * 2


def test_a_good_token_counts_for_nothing(issuer: Issuer, verifier: TokenVerifier) -> None:
    for _ in range(BURST * 2):
        assert outcome(verifier, issuer.token()) == 200
        assert outcome(verifier, issuer.secret_token()) == 200
    refuse_until_the_limit(verifier)


def test_one_address_is_not_another(issuer: Issuer, verifier: TokenVerifier) -> None:
    refuse_until_the_limit(verifier)
    assert outcome(verifier, made_up(issuer), THERE) == 401
    assert issuer.asked == ["user"]


@pytest.mark.parametrize("authorization", [None, ""])
def test_who_sends_no_token_tries_nothing(verifier: TokenVerifier, authorization: str | None) -> None:
    for _ in range(BURST * 2):
        with pytest.raises(Problem) as caught:
            verifier.sign_in(authorization, HERE)
        assert caught.value.status == 401


def test_the_auth_server_is_asked_for_no_more_than_the_limit(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    seen = [outcome(verifier, made_up(issuer, number)) for number in range(BURST * 2)]
    assert seen == [401] * BURST + [429] * BURST
    assert issuer.asked == ["user"] * BURST
    for _ in range(60):
        clock.now += 1
        outcome(verifier, made_up(issuer))
    assert len(issuer.asked) == BURST + 60 / INTERVAL_SECONDS


def test_a_shared_secret_s_token_that_was_good_is_asked_about_beyond_the_limit(
    issuer: Issuer, verifier: TokenVerifier, clock: Clock
) -> None:
    known, new = issuer.secret_token(jti="known"), issuer.secret_token(jti="new")
    assert outcome(verifier, known) == 200
    refuse_until_the_limit(verifier)
    assert (outcome(verifier, known), outcome(verifier, new)) == (200, 429)
    assert issuer.asked == ["user", "user"]
    clock.now += INTERVAL_SECONDS
    assert outcome(verifier, new) == 200


def test_a_session_that_was_ended_is_still_noticed(issuer: Issuer, verifier: TokenVerifier) -> None:
    token = issuer.secret_token()
    assert outcome(verifier, token) == 200
    issuer.user = {"id": None}
    assert outcome(verifier, token) == 401


def test_made_up_kids_fetch_no_keys_beyond_those_of_every_thirty_seconds(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    for number in range(BURST * 2):
        outcome(verifier, issuer.token({"kid": f"made up {number}"}))
    assert issuer.asked == ["jwks.json"]


def test_a_subscriber_is_one_whatever_their_ipv6_address(verifier: TokenVerifier) -> None:
    seen = [outcome(verifier, "x", f"2001:db8:0:1::{number:x}") for number in range(BURST + 1)]
    assert seen == [401] * BURST + [429]
    assert outcome(verifier, "x", "2001:db8:0:2::1") == 401


def test_what_is_no_address_counts_as_it_stands(verifier: TokenVerifier) -> None:
    refuse_until_the_limit(verifier, "test-invoke-source-ip")


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(sign_in_failures, "KEPT", 3)
    failures = SignInFailures(clock)
    for address in ("a", "b", "c", "a", "d"):
        for _ in range(BURST):
            failures.count(address)
        failures.remember_good(address)
    assert [failures.wait_seconds(address) > 0 for address in "abcd"] == [True, False, True, True]
    assert [failures.was_good(address) for address in "abcd"] == [True, False, True, True]


@given(st.lists(st.floats(0, 30), max_size=200))
def test_no_minute_has_more_refusals_than_the_limit_says(pauses: list[float]) -> None:
    clock = Clock()
    failures = SignInFailures(clock)
    counted: list[float] = []
    for pause in pauses:
        clock.now += pause
        if failures.wait_seconds(HERE) == 0:
            failures.count(HERE)
            counted.append(clock.now)
    for start in counted:
        assert sum(start <= at < start + 60 for at in counted) <= BURST + 60 / INTERVAL_SECONDS


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("handler", "method", "path"),
    [(upload, "POST", "/uploads"), (download, "GET", "/jobs")],
    ids=["upload", "download"],
)
def test_the_functions_answer_429_with_retry_after(issuer: Issuer, handler: Handler, method: str, path: str) -> None:
    def ask(token: str, address: str = HERE) -> tuple[int, str | None]:
        event = http_event(method, path, b"{}", {"authorization": f"Bearer {token}", "x-forwarded-for": THERE})
        context = event["requestContext"]
        assert isinstance(context, dict)
        context["http"]["sourceIp"] = address
        answer = answered(handler, event)
        return answer.status, answer.headers.get("retry-after")

    seen = [ask("x") for _ in range(BURST + 1)]
    assert seen[:-1] == [(401, None)] * BURST
    status, retry_after = seen[-1]
    assert status == 429
    assert 0 < int(retry_after or 0) <= INTERVAL_SECONDS
    assert ask("x", THERE)[0] == 401
    assert ask(issuer.token())[0] in {200, 422}
