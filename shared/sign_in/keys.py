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
_MIN_RSA_BITS = 2048
# Pause between fetches: after an answer, so that unknown `kid`s cause no load; after a failure, so that not every
# request waits for the timeout.
_AFTER_SUCCESS_SECONDS = 30
_AFTER_FAILURE_SECONDS = 5


@dataclass(frozen=True)
class _Fetched:
    keys: Mapping[str, jwt.PyJWK]
    at: float


class SigningKeys:
    """The keys of one JWKS by their `kid`. Safe to share between threads.

    Keys are fetched again after ten minutes. If that fails, they stay in use until they are an hour old.
    Uses the wall clock: a monotonic clock may stop while a function is frozen or a laptop sleeps.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._fetched = _Fetched({}, float("-inf"))
        self._failed_at = float("-inf")

    def get(self, kid: str) -> jwt.PyJWK | None:
        """Return the key, or None if the project has no key with this `kid`.

        Raises Transient if the JWKS cannot be fetched and no usable key is known.
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
        raise ValueError("a JWKS is an object")  # noqa: TRY004  # bad input, not a wrong type in our code
    entries = jwks.get("keys")
    if not isinstance(entries, list):
        raise ValueError("a JWKS has a list of keys")  # noqa: TRY004  # as above
    # One unusable key must not disable the others.
    keys = [key for key in map(_parsed, entries) if key is not None]
    if entries and not keys:
        raise ValueError("every key of the JWKS is malformed")
    return {key.key_id: key for key in keys if key.key_id and _verifies(key)}


def _parsed(entry: object) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK.from_dict(entry)  # type: ignore[arg-type]  # PyJWK validates it
    except Exception as error:  # noqa: BLE001  # PyJWT and cryptography raise many types for a malformed key
        logger.warning("signing key skipped", reason=f"malformed ({type(error).__name__})")
        return None


def _verifies(key: jwt.PyJWK) -> bool:
    """Whether the key may verify signatures. Logs the reason if not.

    Source: RFC 7517, sections 4.2 (use) and 4.3 (key_ops); RFC 7518, section 3.3 (RSA keys have at least 2048 bits).
    """
    operations = key._jwk_data.get("key_ops")  # not public in PyJWK
    if key.public_key_use not in {"sig", None} or not (operations is None or "verify" in operations):
        reason = "not meant for verifying"
    elif key.key_type not in {"RSA", "EC"}:
        reason = "neither RSA nor EC"
    elif key.key_type == "RSA" and key.key.key_size < _MIN_RSA_BITS:
        reason = f"RSA of less than {_MIN_RSA_BITS} bits"
    else:
        return True
    logger.warning("signing key skipped", reason=reason, kid=key.key_id)
    return False
