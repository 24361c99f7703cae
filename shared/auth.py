"""Who is asking: verification of Supabase access tokens by the project's JWKS."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

import jwt

from shared.errors import Problem, Transient
from shared.settings import settings

_LEEWAY_SECONDS = 10
_JWKS_SECONDS = 600
_JWKS_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class User:
    """A signed-in user; `owner` is the token's subject, and `token` the verified access token itself."""

    owner: UUID
    token: str = field(default="", repr=False)


class TokenVerifier:
    """Verifies ES256 and RS256 tokens: signature, issuer, audience, expiry, role.

    Keys are cached; a `kid` that is not among them makes a new fetch, so that a rotation is seen, but at most every
    30 s (PyJWT's own default), so that made-up ones are no load.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = jwt.PyJWKClient(
            f"{issuer}/.well-known/jwks.json", lifespan=_JWKS_SECONDS, timeout=_JWKS_TIMEOUT_SECONDS
        )

    def verify(self, authorization: str | None) -> User:
        """Return the user of an `Authorization: Bearer …` header.

        Raises Problem (401) for a missing or bad token, Transient when the JWKS cannot be had.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("The request carries no access token.")
        try:
            key = self._keys.get_signing_key_from_jwt(token.strip())
            claims = jwt.decode(
                token.strip(),
                key,
                algorithms=["ES256", "RS256"],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
            owner = UUID(claims["sub"])
        except jwt.PyJWKClientConnectionError as error:
            raise Transient("the sign-in service does not answer") from error
        except jwt.ExpiredSignatureError as error:
            raise _refused("The access token has expired.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise _refused("The access token is not valid here.") from error
        if claims.get("role") != "authenticated":
            raise _refused("The access token is not a signed-in user's.")
        return User(owner, token.strip())


def _refused(detail: str) -> Problem:
    return Problem(401, "not_signed_in", detail, "Sign in again and send the new token as Authorization: Bearer.")


@lru_cache(maxsize=1)
def verifier() -> TokenVerifier:
    """Return the verifier for the project that the settings name; it fetches keys at the first token."""
    return TokenVerifier(f"{settings().supabase_url.rstrip('/')}/auth/v1", settings().auth_audience)
