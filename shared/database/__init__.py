"""The one way to the database: `call(function, arguments, as_user)`, one round trip, one transaction.

Two transports do the same: data_api.py (Supabase's Data API, over HTTP) and psycopg_database.py (Postgres itself).
Each is imported only where the settings choose it, so that no function carries the other's libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from pydantic import JsonValue

from shared.database.transport import Argument
from shared.settings import settings

if TYPE_CHECKING:
    from shared.sign_in.auth import User  # with it comes PyJWT, which process does not have


class Database(Protocol):
    """What the code needs of a database."""

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """Call a function of schema `public` and return its JSON.

        As a user, row level security decides what the function sees; `None` stands for service_role.
        Raises Problem where the function refuses (its SQLSTATE PT<status>), Transient where the database is not there;
        whatever else it answers is a bug of ours, and raised as the transport's own error.
        A call that failed for a reason that may pass is repeated (transport.repeated): every function gives the
        same answer again and does its work once (register_upload alone may count one use more).
        """
        ...

    def ping(self) -> None:
        """Return when Postgres answers; asked again like any call. Raises Transient when it does not."""
        ...


@lru_cache(maxsize=1)
def database() -> Database:
    """Return the database of the settings, Postgres by DATABASE_URL or else the Data API; it connects when called."""
    chosen = settings()
    if chosen.database_url is not None:
        from shared.database.psycopg_database import PsycopgDatabase  # noqa: PLC0415  # only where it is chosen

        return PsycopgDatabase(chosen.database_url.get_secret_value())
    from shared.database.data_api import DataApiDatabase  # noqa: PLC0415  # only where it is chosen

    publishable, secret = chosen.supabase_publishable_key, chosen.supabase_secret_key
    return DataApiDatabase(
        chosen.supabase_url,
        publishable_key=publishable.get_secret_value() if publishable else None,
        secret_key=secret.get_secret_value() if secret else None,
    )
