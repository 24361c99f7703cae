"""Verification of Supabase access tokens. See docs/decisions/sign-in.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from uuid import UUID

import jwt
from pydantic_core import from_json

from shared.errors import Problem, Transient
from shared.settings import settings
from shared.sign_in.failures import SignInFailures
from shared.sign_in.keys import SigningKeys
from shared.sign_in.service import ask
from shared.telemetry import logger

_ALGORITHMS = ("ES256", "RS256")
_LEEWAY_SECONDS = 10
# API Gateway's limit for all headers together.
# Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
_MAX_TOKEN_CHARACTERS = 10_240
_SIGN_IN_AGAIN = "Sign in again and send the new token as Authorization: Bearer."


@dataclass(frozen=True)
class User:
    """A signed-in user: `owner` is the token's subject, `token` the verified access token."""

    owner: UUID
    token: str = field(default="", repr=False)


class TokenVerifier:
    """Verifies access tokens: first their claims, then their signature.

    ES256 and RS256 tokens are verified with the project's JWKS. HS256 tokens are verified by the project's Auth server,
    which alone has the secret; that needs `publishable_key`, and without it HS256 tokens are refused. `failures` counts
    refusals by address.
    """

    def __init__(
        self, issuer: str, audience: str, publishable_key: str | None = None, failures: SignInFailures | None = None
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._publishable_key = publishable_key
        self._keys = SigningKeys(f"{issuer}/.well-known/jwks.json")
        self._failures = failures or SignInFailures()

    def sign_in(self, authorization: str | None, address: str) -> User:
        """Return the user of a request's `Authorization` header, like `verify`.

        Raises Problem (429) instead of 401 if too many tokens from this IP address were refused. While that lasts, a
        token that only the Auth server can verify is accepted only if it was recently verified.
        """
        wait = ceil(self._failures.wait_seconds(address))
        try:
            return self.verify(authorization, ask_for_unknown=not wait)
        except Problem as refused:
            if not authorization:
                raise  # a request without a token is not an attempt to guess one
            if not wait:
                self._failures.count(address)
                raise
            raise Problem(
                429,
                "too_many_sign_in_failures",
                "Too many access tokens from this address were refused.",
                f"Sign in again, and send the new token in {wait} seconds.",
                wait,
            ) from refused

    def verify(self, authorization: str | None, *, ask_for_unknown: bool = True) -> User:
        """Return the user of an `Authorization: Bearer …` header.

        Without `ask_for_unknown`, the Auth server is asked only about recently verified tokens. Raises Problem (401)
        for a missing or invalid token, and Transient if the keys or the Auth server cannot be reached.
        """
        token = _token(authorization)
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
            header = unverified["header"]
            _refuse_api_keys(unverified["payload"].get("role"))
            if "crit" in header or str(header.get("typ", "JWT")).upper() != "JWT":
                raise _refused("The access token is not valid for this service.", "a token of another kind")
            owner = self._owner(token, None)
            if header.get("alg") == "HS256":
                if not ask_for_unknown and not self._failures.was_good(token):
                    raise _refused("The access token is not known to this service.", "too many refused before")
                self._ask_auth_server(token, owner)
                self._failures.remember_good(token)
            else:
                owner = self._owner(token, self._key(header))
        except jwt.ExpiredSignatureError as error:
            raise _refused("The access token has expired.", "expired") from error
        except (jwt.PyJWTError, ValueError) as error:
            # The error's message may quote the token; its type does not.
            raise _refused("The access token is not valid for this service.", type(error).__name__) from error
        return User(owner, token)

    def _owner(self, token: str, key: jwt.PyJWK | None) -> UUID:
        """Check every claim and, with a key, the signature. Raises PyJWTError, ValueError, Problem."""
        claims = jwt.decode(
            token,
            key or "",
            algorithms=_ALGORITHMS,
            issuer=self._issuer,
            audience=self._audience,
            leeway=_LEEWAY_SECONDS,
            options={
                "require": ["exp", "sub", "iss", "aud"],
                "verify_signature": key is not None,
                # PyJWT skips these by default if the signature is not checked.
                "verify_exp": True,
                "verify_nbf": True,
                "verify_iat": True,
                "verify_iss": True,
                "verify_aud": True,
                "verify_sub": True,
            },
        )
        if claims.get("role") != "authenticated":
            raise _refused("The access token is not a signed-in user's.", "another role")
        return UUID(claims["sub"])

    def _key(self, header: dict[str, object]) -> jwt.PyJWK:
        kid = header.get("kid")
        # Keys and URLs in the header (jwk, jku, x5c, x5u) are ignored.
        key = self._keys.get(kid) if isinstance(kid, str) and header.get("alg") in _ALGORITHMS else None
        if key is None:
            raise _refused("The access token is not valid for this service.", "no such algorithm or key")
        return key

    def _ask_auth_server(self, token: str, owner: UUID) -> None:
        """Return if the Auth server confirms that the token is this user's. Raises Problem (401), Transient."""
        if self._publishable_key is None:
            raise _refused(
                "This service does not accept tokens that are signed with a shared secret.",
                "HS256 without a publishable key",
                "Ask the operator to set SUPABASE_PUBLISHABLE_KEY or to use asymmetric signing keys in the project.",
            )
        status, body = ask(
            f"{self._issuer}/user", {"apikey": self._publishable_key, "Authorization": f"Bearer {token}"}
        )
        if status in {401, 403}:
            raise _refused("The access token is not valid for this service.", f"the Auth server answered {status}")
        if status != 200:
            raise Transient(f"the sign-in service answers {status}")
        try:
            user = from_json(body)
        except ValueError as error:
            raise Transient("the sign-in service's answer is not valid") from error
        expected = {"id": str(owner), "aud": self._audience, "role": "authenticated"}
        if not isinstance(user, dict) or any(user.get(name) != value for name, value in expected.items()):
            raise _refused("The access token is not valid for this service.", "the Auth server returned another user")


def _token(authorization: str | None) -> str:
    """Return the token of the header. Raises Problem (401)."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _refused("The request has no access token.", "no token")
    if token.startswith(("sb_publishable_", "sb_secret_")):
        _refuse_api_keys("anon" if token.startswith("sb_publishable_") else "service_role")
    if len(token) > _MAX_TOKEN_CHARACTERS:
        raise _refused("The access token is too long.", "too long")
    return token


def _refuse_api_keys(role: object) -> None:
    """Raise Problem (401) for an API key of the project. Legacy API keys are also tokens, with other roles."""
    if role == "anon":
        raise _refused(
            "This is the project's publishable key, not an access token.",
            "a publishable key",
            "Sign in with it, and send the session's access_token as Authorization: Bearer.",
        )
    if role == "service_role":
        raise _refused(
            "This is the project's secret key, not an access token.",
            "a secret key",
            "Send the access_token of a signed-in user's session. Replace the key if it has left your servers.",
        )


def _refused(detail: str, reason: str, suggestion: str = _SIGN_IN_AGAIN) -> Problem:
    logger.info("access token refused", reason=reason)
    return Problem(401, "not_signed_in", detail, suggestion)


@lru_cache(maxsize=1)
def verifier() -> TokenVerifier:
    """Return the verifier for the configured project. It connects when the first token arrives."""
    key = settings().supabase_publishable_key
    return TokenVerifier(
        f"{settings().supabase_url.rstrip('/')}/auth/v1",
        settings().auth_audience,
        key.get_secret_value() if key else None,
    )
