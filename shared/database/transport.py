"""What the two transports have in common: what they carry, how long they wait, and what they do when a call fails."""

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

# How long the database may take to be reached, and to answer a statement. A try that begins at the last moment must end
# before Lambda ends the request: template.yaml gives it 29 s, of which sign-in may have taken 6 s. Supabase itself ends
# a user's statement after 8 s as well.
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 8

_TRIES = 5
TRYING_SECONDS = 10
# Whoever asks how the database is wants to know of now.
PING_TRYING_SECONDS = 1
_FIRST_DELAY_SECONDS = 0.1

# Connection lost; deadlock, serialization; out of resources; lock not available; timeout, shutdown; system error.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_STATES = ("08", "40", "53", "55P03", "57", "58")

_Answer = TypeVar("_Answer")


def repeated(call: Callable[[], _Answer], seconds: float = TRYING_SECONDS) -> _Answer:
    """Return what `call` returns; while it raises Transient, call again: at most 5 times, none begun after `seconds`.

    Waits a random part of 0.1 s, 0.2 s, … between two tries, or longer where the other side asks for it ("full jitter",
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Raises the last Transient.
    """
    start = time.monotonic()
    for earlier in range(_TRIES - 1):
        try:
            return call()
        except Transient as error:
            jitter = random.uniform(0, _FIRST_DELAY_SECONDS * 2**earlier)  # noqa: S311  # no secret
            delay = max(jitter, error.retry_after_seconds)
            if time.monotonic() - start + delay > seconds:
                raise
        time.sleep(delay)
    return call()


def refusal(state: str, message: str, detail: str, hint: str) -> AssayError | None:
    """Return what an SQLSTATE stands for with its message, DETAIL and HINT: a Problem, Transient, or None for a bug.

    DETAIL is the problem's code, followed by the seconds after which to ask again where that may help.
    """
    if state.startswith("PT"):
        code, _, seconds = detail.partition(" ")
        return Problem(int(state[2:]), code, message, hint, int(seconds) if seconds else None)
    if state.startswith(_TRANSIENT_STATES):
        return Transient("the database does not answer")
    return None
