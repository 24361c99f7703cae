"""Sign-in: only a fresh token of this project, signed with one of its keys, gets in."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.errors import Problem
from shared.sign_in.auth import TokenVerifier
from tests.issuer import OWNER, SECRET, Issuer
from tests.shared.tokens import by_hand, plain_claims, refusal, signed_by_hand, signed_with_the_public_key

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(issuer.url, "authenticated")


def test_a_good_token_names_its_owner(issuer: Issuer, verifier: TokenVerifier) -> None:
    token = issuer.token()
    assert verifier.verify(f"Bearer {token}").owner == OWNER
    assert verifier.verify(f"bearer  {token}").owner == OWNER
    assert verifier.verify(f"Bearer {token}").token == token


def test_a_signed_in_user_is_no_one_else(issuer: Issuer, verifier: TokenVerifier) -> None:
    other = uuid4()
    assert verifier.verify(f"Bearer {issuer.token(sub=str(other))}").owner == other


def test_rs256_gets_in_as_well(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys.append(issuer.jwk("rsa", RSA_KEY.public_key()))
    token = jwt.encode(issuer.claims(), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})
    assert verifier.verify(f"Bearer {token}").owner == OWNER


def test_someone_who_signed_in_anonymously_is_an_owner(issuer: Issuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(f"Bearer {issuer.token(is_anonymous=True)}").owner == OWNER


def test_clocks_may_differ_by_seconds(issuer: Issuer, verifier: TokenVerifier) -> None:
    now = datetime.now(UTC)
    verifier.verify(f"Bearer {issuer.token(exp=now - timedelta(seconds=5))}")
    verifier.verify(f"Bearer {issuer.token(iat=now + timedelta(seconds=5), nbf=now + timedelta(seconds=5))}")


def of_a_stranger(issuer: Issuer, **headers: object) -> str:
    return jwt.encode(issuer.claims(), STRANGER, algorithm="ES256", headers={"kid": "ec"} | headers)


def with_a_key_of_another_kind(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(), RSA_KEY, algorithm="RS256", headers={"kid": "ec"})


NOW = datetime.now(UTC)
PAST, FUTURE = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
BAD_TOKENS: dict[str, Callable[[Issuer], str]] = {
    "no algorithm": lambda issuer: jwt.encode(issuer.claims(), "", algorithm="none", headers={"kid": "ec"}),
    "an algorithm that is no text": lambda issuer: by_hand(
        {"alg": ["ES256"], "kid": "ec"}, json.dumps(plain_claims(issuer))
    ),
    "an algorithm not taken": lambda issuer: jwt.encode(
        issuer.claims(), SECRET * 2, algorithm="HS512", headers={"kid": "ec"}
    ),
    "HS256 with the public key": signed_with_the_public_key,
    "RS256 under the name of an EC key": with_a_key_of_another_kind,
    "a stranger's signature": of_a_stranger,
    "a stranger's own key in the header": lambda issuer: of_a_stranger(
        issuer, jwk=issuer.jwk("ec", STRANGER.public_key())
    ),
    "an address of keys in the header": lambda issuer: of_a_stranger(
        issuer, jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/keys"
    ),
    "unknown kid": lambda issuer: issuer.token({"kid": "other"}),
    "no kid": lambda issuer: signed_by_hand({"alg": "ES256"}, issuer),
    "a kid that is no text": lambda issuer: signed_by_hand({"alg": "ES256", "kid": ["ec"]}, issuer),
    "an extension that must be understood": lambda issuer: signed_by_hand(
        {"alg": "ES256", "kid": "ec", "crit": ["exp"], "exp": 1}, issuer
    ),
    "an extension that PyJWT understands": lambda issuer: signed_by_hand(
        {"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": True}, issuer
    ),
    "another kind of token": lambda issuer: issuer.token({"typ": "logout+jwt"}),
    "expired": lambda issuer: issuer.token(exp=PAST),
    "not valid yet": lambda issuer: issuer.token(nbf=FUTURE),
    "issued in the future": lambda issuer: issuer.token(iat=FUTURE, exp=FUTURE + timedelta(hours=1)),
    "no expiry": lambda issuer: issuer.token(exp=None),
    "an expiry that is no time": lambda issuer: issuer.token(exp="never"),
    "an endless expiry": lambda issuer: issuer.token(exp=float("inf")),
    "another issuer": lambda issuer: issuer.token(iss="https://else.where/auth/v1"),
    "no issuer": lambda issuer: issuer.token(iss=None),
    "another audience": lambda issuer: issuer.token(aud="anon"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "no subject": lambda issuer: issuer.token(sub=None),
    "a subject that is no text": lambda issuer: issuer.token(sub=7),
    "a subject that is no UUID": lambda issuer: issuer.token(sub="root"),
    "the database's role": lambda issuer: issuer.token(role="supabase_admin"),
    "no role": lambda issuer: issuer.token(role=None),
    "a role that is no text": lambda issuer: issuer.token(role=["authenticated"]),
    "too long": lambda issuer: issuer.token(user_metadata={"about": "x" * 10_000}),
    "claims that are no object": lambda _: by_hand({"alg": "ES256", "kid": "ec"}, "[1]"),
    "claims nested without end": lambda _: by_hand({"alg": "ES256", "kid": "ec"}, "[" * 7_000),
    "not a token": lambda _: "abc",
    "two words": lambda issuer: f"{issuer.token()} {issuer.token()}",
    "half a character": lambda _: "\ud800.a.b",
    "empty": lambda _: "",
}
# Those whose fault only the signature or the keys can show.
SIGNED = {
    "RS256 under the name of an EC key",
    "a stranger's signature",
    "a stranger's own key in the header",
    "an address of keys in the header",
    "unknown kid",
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_is_refused(issuer: Issuer, verifier: TokenVerifier, name: str) -> None:
    refusal(verifier, BAD_TOKENS[name](issuer))
    assert issuer.asked == (["jwks.json"] if name in SIGNED else [])


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer  "])
def test_a_header_without_a_token_is_refused(verifier: TokenVerifier, header: str | None) -> None:
    with pytest.raises(Problem) as caught:
        verifier.verify(header)
    assert caught.value.status == 401


def test_what_a_header_brings_along_is_not_looked_at(issuer: Issuer, verifier: TokenVerifier) -> None:
    brought: dict[str, object] = {
        "jku": f"{issuer.url}/mine",
        "x5u": f"{issuer.url}/mine",
        "jwk": issuer.jwk("ec", STRANGER.public_key()),
    }
    assert verifier.verify(f"Bearer {issuer.token(brought)}").owner == OWNER
    assert issuer.asked == ["jwks.json"]


def legacy_key(role: str) -> str:
    """An API key as projects had them before the `sb_…` ones: a token that names no user and lives for ten years."""
    claims = {"iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role, "iat": PAST, "exp": FUTURE}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        ("sb_publishable_AbC-dEf_123", "publishable key"),
        (legacy_key("anon"), "publishable key"),
        ("sb_secret_AbC-dEf_123", "secret key"),
        (legacy_key("service_role"), "secret key"),
    ],
    ids=["publishable", "anon", "secret", "service_role"],
)
def test_an_api_key_is_refused_with_word_of_what_to_send(
    issuer: Issuer, verifier: TokenVerifier, key: str, detail: str
) -> None:
    problem = refusal(verifier, key)
    assert detail in problem.detail
    assert "access_token" in problem.suggestion
    assert issuer.asked == []


def test_a_refusal_is_logged_without_the_token(
    issuer: Issuer, verifier: TokenVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token({"crit": ["a-secret-word"]}, sub="a-secret-name", exp=PAST)
    refusal(verifier, token)
    refusal(verifier, issuer.token(exp=PAST))
    logged = [vars(record) for record in caplog.records]
    assert [(line["levelname"], line["reason"]) for line in logged] == [
        ("INFO", "InvalidTokenError"),
        ("INFO", "expired"),
    ]
    assert not any(word in str(logged) for word in ("secret", token[:20], str(OWNER)))


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode() + ".e30.e30"))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_gets_in_or_asks_anyone(issuer: Issuer, verifier: TokenVerifier, text: str) -> None:
    refusal(verifier, text)
    assert issuer.asked == []
