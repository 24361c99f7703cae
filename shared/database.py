"""The one way to the database: `call(function, arguments, as_user)`, one round trip, one transaction.

Two transports do the same: shared.data_api (Supabase's Data API, over HTTP) and shared.psycopg_database (Postgres
itself). Each is imported only where the settings choose it, so that no function carries the other's libraries.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from pydantic import JsonValue

from shared.errors import AssayError, Problem, Transient
from shared.settings import settings

if TYPE_CHECKING:
    from shared.auth import User  # with it comes PyJWT, which process does not have

Argument = JsonValue | UUID | datetime

# How long the database may take to be reached, and to answer a statement.
CONNECT_SECONDS = 3
STATEMENT_SECONDS = 20

_TRIES = 5
_TRYING_SECONDS = 5
_FIRST_DELAY_SECONDS = 0.1

# Connection lost; deadlock, serialization; out of resources; lock not available; timeout, shutdown; system error.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_TRANSIENT_STATES = ("08", "40", "53", "55P03", "57", "58")

_Answer = TypeVar("_Answer")


class Database(Protocol):
    """What the code needs of a database."""

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """Call a function of schema `public` and return its JSON.

        As a user, row level security decides what the function sees; `None` stands for service_role.
        Raises Problem where the function refuses (its SQLSTATE PT<status>), Transient where the database is not there;
        whatever else it answers is a bug of ours, and raised as the transport's own error.
        A call that failed for a reason that may pass is repeated, as `repeated` says: every function gives the same
        answer again and does its work once (register_upload alone may count one use more).
        """
        ...

    def ping(self) -> None:
        """Return when Postgres answers, asked again as `repeated` says. Raises Transient when it does not."""
        ...


def repeated(call: Callable[[], _Answer]) -> _Answer:
    """Return what `call` returns; while it raises Transient, call again: at most 5 times, beginning none after 5 s.

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
            if time.monotonic() - start + delay > _TRYING_SECONDS:
                raise
        time.sleep(delay)
    return call()


def refusal(state: str, message: str, detail: str, hint: str) -> AssayError | None:
    """Return what an SQLSTATE stands for with its message, DETAIL and HINT: a Problem, Transient, or None for a bug."""
    if state.startswith("PT"):
        return Problem(status=int(state[2:]), code=detail, detail=message, suggestion=hint)
    if state.startswith(_TRANSIENT_STATES):
        return Transient("the database does not answer")
    return None


@lru_cache(maxsize=1)
def database() -> Database:
    """Return the database of the settings, Postgres by DATABASE_URL or else the Data API; it connects when called."""
    chosen = settings()
    if chosen.database_url is not None:
        from shared.psycopg_database import PsycopgDatabase  # noqa: PLC0415  # only where it is chosen

        return PsycopgDatabase(chosen.database_url.get_secret_value())
    from shared.data_api import DataApiDatabase  # noqa: PLC0415  # only where it is chosen

    publishable, secret = chosen.supabase_publishable_key, chosen.supabase_secret_key
    return DataApiDatabase(
        chosen.supabase_url,
        publishable_key=publishable.get_secret_value() if publishable else None,
        secret_key=secret.get_secret_value() if secret else None,
    )
