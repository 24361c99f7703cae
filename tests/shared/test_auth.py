"""Sign-in: only a fresh token of this project, signed with one of its keys, gets in."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.auth import TokenVerifier
from shared.errors import Problem, Transient
from tests.issuer import EC_KEY, OWNER, Issuer

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(issuer.url, "authenticated")


def test_a_good_token_names_its_owner(issuer: Issuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(f"Bearer {issuer.token()}").owner == OWNER
    assert verifier.verify(f"bearer  {issuer.token()}").owner == OWNER


def test_a_key_that_was_rotated_in_is_found(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier.verify(f"Bearer {issuer.token()}")
    later = time.monotonic() + 31
    monkeypatch.setattr(time, "monotonic", lambda: later)
    issuer.keys.append(issuer.jwk("rsa", RSA_KEY.public_key()))
    token = jwt.encode(issuer.claims(), RSA_KEY, algorithm="RS256", headers={"kid": "rsa"})
    assert verifier.verify(f"Bearer {token}").owner == OWNER


def unsigned(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(), "", algorithm="none", headers={"kid": "ec"})


def signed_with_the_public_key(issuer: Issuer) -> str:
    # By hand: PyJWT refuses to sign with a key like this one.
    head, body, _ = jwt.encode(issuer.claims(), "x" * 32, algorithm="HS256", headers={"kid": "ec"}).split(".")
    pem = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signature = hmac.digest(pem, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def of_a_stranger(issuer: Issuer) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(issuer.claims(), key, algorithm="ES256", headers={"kid": "ec"})


def of_an_unknown_key(issuer: Issuer) -> str:
    return jwt.encode(issuer.claims(), EC_KEY, algorithm="ES256", headers={"kid": "other"})


PAST = datetime.now(UTC) - timedelta(hours=1)
BAD_TOKENS: dict[str, Callable[[Issuer], str]] = {
    "no algorithm": unsigned,
    "HS256 with the public key": signed_with_the_public_key,
    "a stranger's signature": of_a_stranger,
    "unknown kid": of_an_unknown_key,
    "expired": lambda issuer: issuer.token(exp=PAST),
    "not valid yet": lambda issuer: issuer.token(nbf=datetime.now(UTC) + timedelta(hours=1)),
    "no expiry": lambda issuer: issuer.token(exp=None),
    "another issuer": lambda issuer: issuer.token(iss="https://else.where/auth/v1"),
    "another audience": lambda issuer: issuer.token(aud="anon"),
    "no subject": lambda issuer: issuer.token(sub=None),
    "a subject that is no UUID": lambda issuer: issuer.token(sub="root"),
    "the service's role": lambda issuer: issuer.token(role="service_role"),
    "no role": lambda issuer: issuer.token(role=None),
    "not a token": lambda _: "abc",
    "empty": lambda _: "",
}


@pytest.mark.parametrize("make", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_is_refused(issuer: Issuer, verifier: TokenVerifier, make: Callable[[Issuer], str]) -> None:
    with pytest.raises(Problem) as caught:
        verifier.verify(f"Bearer {make(issuer)}")
    assert (caught.value.status, caught.value.code) == (401, "not_signed_in")


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer  "])
def test_a_header_without_a_token_is_refused(verifier: TokenVerifier, header: str | None) -> None:
    with pytest.raises(Problem) as caught:
        verifier.verify(header)
    assert caught.value.status == 401


def test_keys_that_cannot_be_had_are_no_verdict_on_the_token(issuer: Issuer) -> None:
    token = issuer.token()
    with pytest.raises(Transient):
        TokenVerifier("http://127.0.0.1:1/auth/v1", "authenticated").verify(f"Bearer {token}")


def test_a_signed_in_user_is_no_one_else(issuer: Issuer, verifier: TokenVerifier) -> None:
    other = uuid4()
    assert verifier.verify(f"Bearer {issuer.token(sub=str(other))}").owner == other
