"""What both transports share: argument types, timeouts, and retries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import JsonValue

from shared.errors import AssayError, Problem, Transient

Argument = JsonValue | UUID | datetime

# Timeouts of a connection and of a statement. A try that begins at the last moment must end before Lambda ends the
# request: template.yaml allows 29 s, of which sign-in may take 6 s. Supabase also ends a user's statement after 8 s.
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 8

_TRIES = 5
TRYING_SECONDS = 10
# A health check must report the present state.
PING_TRYING_SECONDS = 1
_FIRST_DELAY_SECONDS = 0.1

# Connection lost; deadlock, serialization; out of resources; lock not available; timeout, shutdown; system error.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_STATES = ("08", "40", "53", "55P03", "57", "58")

_Answer = TypeVar("_Answer")


def repeated(call: Callable[[], _Answer], seconds: float = TRYING_SECONDS) -> _Answer:
    """Return the result of `call`. Repeat it while it raises Transient: at most 5 calls, none started after `seconds`.

    Waits a random part of 0.1 s, 0.2 s, … between tries, or longer if the server asks for it ("full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Raises the last Transient.
    """
    start = time.monotonic()
    for earlier in range(_TRIES - 1):
        try:
            return call()
        except Transient as error:
            jitter = random.uniform(0, _FIRST_DELAY_SECONDS * 2**earlier)  # noqa: S311  # not a secret
            delay = max(jitter, error.retry_after_seconds)
            if time.monotonic() - start + delay > seconds:
                raise
        time.sleep(delay)
    return call()


def refusal(state: str, message: str, detail: str, hint: str) -> AssayError | None:
    """Return the error for an SQLSTATE with its message, DETAIL and HINT: a Problem, a Transient, or None for a bug.

    DETAIL is the problem's code, followed by the seconds to wait before a retry, if one can help.
    """
    if state.startswith("PT"):
        code, _, seconds = detail.partition(" ")
        return Problem(int(state[2:]), code, message, hint, int(seconds) if seconds else None)
    if state.startswith(_TRANSIENT_STATES):
        return Transient("the database does not answer")
    return None
