"""A project's sign-in service: signs access tokens, serves its JWKS, and answers as Supabase's Auth server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

OWNER = UUID("11111111-1111-4111-8111-111111111111")
EC_KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = "the project's shared secret, of 40 letters"
PUBLISHABLE_KEY = "sb_publishable_of-this-project"


class Issuer:
    """A project's sign-in service. `asked` holds the last part of every path that was asked for."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [self.jwk("ec", EC_KEY.public_key())]
        self.asked: list[str] = []
        self.down = False
        self.user: dict[str, object] = {}  # what /user says of a user, other than the truth
        self.body: Iterable[bytes] | None = None  # what is said in place of any answer, piece by piece
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the base class's name
                what = self.path.rpartition("/")[2]
                issuer.asked.append(what)
                status, body = 503, b"upstream connect error"
                if not issuer.down:
                    status, answer = issuer.answer_user(self) if what == "user" else (200, {"keys": issuer.keys})
                    body = json.dumps(answer).encode()
                self.send_response(200 if issuer.body else status)
                self.end_headers()
                with suppress(OSError):  # who asked may have heard enough
                    for piece in issuer.body or [body]:
                        self.wfile.write(piece)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/auth/v1"

    def answer_user(self, request: BaseHTTPRequestHandler) -> tuple[int, dict[str, object]]:
        """Answer GET /auth/v1/user: the API gateway's check of the key, then the Auth server's of the token.

        Source: https://github.com/supabase/auth/blob/master/internal/api/auth.go and user.go
        """
        if request.headers["apikey"] != PUBLISHABLE_KEY:
            return 401, {"message": "Invalid API key"}
        try:
            token = request.headers["Authorization"].removeprefix("Bearer ")
            claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="authenticated")
        except jwt.PyJWTError as error:
            return 403, {"code": 403, "error_code": "bad_jwt", "msg": f"invalid JWT: {error}"}
        return 200, {
            "id": claims["sub"],
            "aud": "authenticated",
            "role": "authenticated",
            "email": "someone@example.com",
            "app_metadata": {"provider": "email", "providers": ["email"]},
            "user_metadata": {},
            "identities": [],
            "is_anonymous": False,
        } | self.user

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

    def token(self, headers: dict[str, object] | None = None, **changes: object) -> str:
        """A token as a project with signing keys makes it; `headers` come on top of its header's own."""
        return jwt.encode(self.claims(**changes), EC_KEY, algorithm="ES256", headers={"kid": "ec"} | (headers or {}))

    def secret_token(self, **changes: object) -> str:
        """A token as a project with a shared secret makes it."""
        return jwt.encode(self.claims(**changes), SECRET, algorithm="HS256", headers={"kid": "secret"})
