"""Keys come and go, and so does the server that has them; no request pays for it that need not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.errors import Problem, Transient
from shared.sign_in import keys as signing_keys
from shared.sign_in.auth import TokenVerifier
from tests.issuer import OWNER, Issuer

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
START = 1_800_000_000.0


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(issuer.url, "authenticated")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the keys' clock to so many seconds after its start."""

    def move(seconds: float) -> None:
        monkeypatch.setattr(signing_keys, "time", lambda: START + seconds)

    move(0)
    return move


def rotated_in(issuer: Issuer) -> str:
    """A token that is signed with a key of which only the JWKS knows."""
    issuer.keys.append(issuer.jwk("rsa", RSA_KEY.public_key()))
    return jwt.encode(issuer.claims(), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})


def outcome(verifier: TokenVerifier, token: str) -> str:
    try:
        return "in" if verifier.verify(f"Bearer {token}").owner == OWNER else "someone else"
    except Problem as problem:
        return str(problem.status)
    except Transient as error:
        return str(error)


DOWN = "the sign-in service does not answer"


def test_keys_are_fetched_once_in_ten_minutes(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    for seconds in (0, 1, 599):
        at(seconds)
        assert outcome(verifier, issuer.token()) == "in"
    assert issuer.asked == ["jwks.json"]
    at(600)
    assert outcome(verifier, issuer.token()) == "in"
    assert issuer.asked == ["jwks.json"] * 2


def test_a_key_that_was_rotated_in_is_found(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    assert outcome(verifier, issuer.token()) == "in"
    token = rotated_in(issuer)
    at(31)
    assert outcome(verifier, token) == "in"


def test_a_key_that_was_taken_away_is_soon_forgotten(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    assert outcome(verifier, issuer.token()) == "in"
    issuer.keys = [issuer.jwk("rsa", RSA_KEY.public_key())]
    at(600)
    assert outcome(verifier, issuer.token()) == "401"


def test_made_up_kids_are_no_load(issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]) -> None:
    for seconds in range(60):
        at(seconds)
        assert outcome(verifier, issuer.token({"kid": f"made up {seconds}"})) == "401"
    assert issuer.asked == ["jwks.json"] * 2


def test_known_keys_serve_for_an_hour_while_the_jwks_is_down(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    assert outcome(verifier, issuer.token()) == "in"
    issuer.down = True
    for seconds in (599, 600, 1800, 3599):
        at(seconds)
        assert outcome(verifier, issuer.token()) == "in"
    at(3600)
    assert outcome(verifier, issuer.token()) == DOWN
    issuer.down = False
    at(3606)
    assert outcome(verifier, issuer.token()) == "in"


def test_an_unknown_kid_while_the_jwks_is_down_is_no_verdict(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    assert outcome(verifier, issuer.token()) == "in"
    token = rotated_in(issuer)
    issuer.down = True
    at(31)
    assert outcome(verifier, token) == DOWN
    assert outcome(verifier, issuer.token()) == "in"


def test_keys_that_never_came_are_no_verdict(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    issuer.down = True
    assert outcome(verifier, issuer.token()) == DOWN


def test_a_jwks_that_is_down_is_asked_every_five_seconds(
    issuer: Issuer, verifier: TokenVerifier, at: Callable[[float], None]
) -> None:
    issuer.down = True
    for seconds in range(10):
        at(seconds)
        assert outcome(verifier, issuer.token()) == DOWN
    assert issuer.asked == ["jwks.json"] * 2
    issuer.down = False
    at(10)
    assert outcome(verifier, issuer.token()) == "in"


def test_nobody_listening_is_no_verdict() -> None:
    issuer = Issuer()
    issuer.server.server_close()
    assert outcome(TokenVerifier(issuer.url, "authenticated"), issuer.token()) == DOWN


@pytest.mark.parametrize("keys", [None, "none", {"kty": "EC"}, [{"kty": "XY", "kid": "ec"}], ["ec"]], ids=repr)
def test_an_answer_that_is_no_jwks_is_no_verdict(issuer: Issuer, verifier: TokenVerifier, keys: object) -> None:
    issuer.keys = keys  # type: ignore[assignment]  # a JWKS that is none
    assert outcome(verifier, issuer.token()) == DOWN


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"null", b'{"keys": [', b"\xff\xfe", b"[" * 100_000, b'{"keys": [{"kty": "EC", "x": 5}]}'],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_jwks_is_no_verdict(issuer: Issuer, verifier: TokenVerifier, body: bytes) -> None:
    issuer.body = [body]
    assert outcome(verifier, issuer.token()) == DOWN


def test_an_answer_that_breaks_off_is_no_verdict(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(client: httpx.Client, *_: object, **options: object) -> object:
        raise httpx.ReadError("in the body")

    monkeypatch.setattr(httpx.Client, "stream", stream)
    assert outcome(verifier, issuer.token()) == DOWN


def test_a_project_without_signing_keys_knows_no_signed_token(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys = []
    assert outcome(verifier, issuer.token()) == "401"


def test_a_key_for_something_else_verifies_no_token(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys[0]["use"] = "enc"
    assert outcome(verifier, issuer.token()) == "401"


def test_many_at_once_fetch_once(issuer: Issuer, verifier: TokenVerifier) -> None:
    together = threading.Barrier(8)

    def one(_: int) -> str:
        together.wait()
        return outcome(verifier, issuer.token())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == ["in"] * 8
    assert issuer.asked == ["jwks.json"]


def changed(jwk: dict[str, object], **changes: object) -> dict[str, object]:
    return {name: value for name, value in {**jwk, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "entry",
    [
        {"kid": "other", "kty": "EC"},
        {"kid": "other", "kty": "EC", "crv": "P-256", "x": "%%%", "y": 7},
        {"kid": "other", "kty": "unheard-of"},
        {"kid": "other"},
        "text",
        None,
        [],
    ],
)
def test_a_malformed_key_takes_no_other_with_it(issuer: Issuer, verifier: TokenVerifier, entry: object) -> None:
    issuer.keys.insert(0, entry)  # type: ignore[arg-type]  # what no issuer should have
    assert outcome(verifier, issuer.token()) == "in"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "in"),
        ({"use": None}, "in"),
        ({"use": None, "key_ops": ["verify"]}, "in"),
        ({"use": "enc"}, "401"),
        ({"use": None, "key_ops": ["sign", "encrypt"]}, "401"),
        ({"use": "sig", "key_ops": []}, "401"),
    ],
)
def test_a_key_is_used_only_for_what_it_is_meant(
    issuer: Issuer, verifier: TokenVerifier, changes: dict[str, object], expected: str
) -> None:
    token = rotated_in(issuer)
    issuer.keys[-1] = changed(issuer.keys[-1], **changes)
    assert outcome(verifier, token) == expected


def test_a_short_rsa_key_is_refused(issuer: Issuer, verifier: TokenVerifier) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what is to be refused
    issuer.keys.append(issuer.jwk("short", short.public_key()))
    token = jwt.encode(issuer.claims(), short, algorithm="RS256", headers={"kid": "short"})
    assert outcome(verifier, token) == "401"
