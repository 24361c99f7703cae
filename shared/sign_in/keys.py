"""A project's public signing keys, from its JWKS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from time import time

import jwt
from pydantic_core import from_json

from shared.errors import Transient
from shared.sign_in.service import ask
from shared.telemetry import logger

_FRESH_SECONDS = 600
_USABLE_SECONDS = 3600
# How long nothing is fetched again: after an answer, so that made-up kids are no load; after none, so that not every
# request waits for the timeout.
_AFTER_SUCCESS_SECONDS = 30
_AFTER_FAILURE_SECONDS = 5


@dataclass(frozen=True)
class _Fetched:
    keys: Mapping[str, jwt.PyJWK]
    at: float


class SigningKeys:
    """The keys of one JWKS by their `kid`, for any number of threads.

    They are fresh for ten minutes. When they cannot be fetched again, they go on serving until they are an hour old.
    The clock is the wall's: a monotonic one may stand still while a function is frozen or a laptop sleeps.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._fetched = _Fetched({}, float("-inf"))
        self._failed_at = float("-inf")

    def get(self, kid: str) -> jwt.PyJWK | None:
        """Return the key, or None where the project has no key of this name.

        Raises Transient when that cannot be known: the JWKS does not answer, and no usable key is known.
        """
        fetched = self._fetched
        if kid in fetched.keys and time() - fetched.at < _FRESH_SECONDS:
            return fetched.keys[kid]
        with self._lock:
            self._renew(kid)
            age = time() - self._fetched.at
            if kid in self._fetched.keys and age < _USABLE_SECONDS:
                return self._fetched.keys[kid]
            if self._failed_at > self._fetched.at:
                raise Transient("the sign-in service does not answer")
            return None

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        status, body = ask(self._url, {})
        if status != 200:
            raise Transient(f"the sign-in service answers {status}")
        return _by_kid(from_json(body))

    def _renew(self, kid: str) -> None:
        age = time() - self._fetched.at
        wait = _FRESH_SECONDS if kid in self._fetched.keys else _AFTER_SUCCESS_SECONDS
        if age < wait or time() - self._failed_at < _AFTER_FAILURE_SECONDS:
            return
        try:
            self._fetched = _Fetched(self._fetch(), time())
        except (Transient, jwt.PyJWTError, ValueError) as error:
            self._failed_at = time()
            logger.warning("no signing keys", exc_info=error)


def _by_kid(jwks: object) -> dict[str, jwt.PyJWK]:
    if not isinstance(jwks, dict):
        raise ValueError("a JWKS is an object")  # noqa: TRY004  # of a type that JSON may have
    # A project that signs with a shared secret has a JWKS without keys, which PyJWKSet would not take.
    keys = jwt.PyJWKSet.from_dict(jwks) if jwks.get("keys") != [] else ()
    return {key.key_id: key for key in keys if key.key_id and key.public_key_use in {"sig", None}}
