"""Tokens that PyJWT itself would not make, and what refuses them."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.errors import Problem
from shared.sign_in.auth import TokenVerifier
from tests.issuer import EC_KEY, Issuer


def refusal(verifier: TokenVerifier, token: str) -> Problem:
    with pytest.raises(Problem) as caught:
        verifier.verify(f"Bearer {token}")
    assert (caught.value.status, caught.value.code) == (401, "not_signed_in")
    return caught.value


def by_hand(header: dict[str, object], claims: str, signature: bytes = b"signature") -> str:
    """A token that PyJWT itself would not make."""
    parts = [json.dumps(header).encode(), claims.encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def signed_by_hand(header: dict[str, object], issuer: Issuer) -> str:
    """As by_hand, with the project's real key."""
    token = by_hand(header, json.dumps(plain_claims(issuer)))
    signing_input = token.rpartition(".")[0]
    signature = jwt.get_algorithm_by_name("ES256").sign(signing_input.encode(), EC_KEY)
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def plain_claims(issuer: Issuer) -> dict[str, object]:
    now = int(datetime.now(UTC).timestamp())
    return issuer.claims(iat=now, exp=now + 300)


def signed_with_the_public_key(issuer: Issuer) -> str:
    pem = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = by_hand({"alg": "HS256", "kid": "ec"}, json.dumps(plain_claims(issuer))).split(".")
    signature = hmac.digest(pem, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
