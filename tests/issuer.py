"""A project's sign-in service: signs access tokens and serves its JWKS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

OWNER = UUID("11111111-1111-4111-8111-111111111111")
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """A project's sign-in service, as far as its JWKS."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [self.jwk("ec", EC_KEY.public_key())]
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the base class's name
                body = json.dumps({"keys": issuer.keys}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/auth/v1"

    @staticmethod
    def jwk(kid: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> dict[str, Any]:
        if isinstance(key, rsa.RSAPublicKey):
            return {**RSAAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "alg": "RS256", "use": "sig"}
        return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "alg": "ES256", "use": "sig"}

    def claims(self, **changes: object) -> dict[str, object]:
        now = datetime.now(UTC)
        claims: dict[str, object] = {
            "iss": self.url,
            "aud": "authenticated",
            "role": "authenticated",
            "sub": str(OWNER),
            "iat": now,
            "exp": now + timedelta(minutes=5),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, **changes: object) -> str:
        return jwt.encode(self.claims(**changes), EC_KEY, algorithm="ES256", headers={"kid": "ec"})
