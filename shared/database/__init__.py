"""Access to the database: `call(function, arguments, as_user)` is one round trip and one transaction.

There are two transports: data_api.py (Supabase's Data API, over HTTP) and psycopg_database.py (a Postgres connection).
Only the configured transport is imported, so that a function's package needs the libraries of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from pydantic import JsonValue

from shared.database.transport import Argument
from shared.settings import settings

if TYPE_CHECKING:
    from shared.sign_in.auth import User  # imports PyJWT, which functions/process does not have


class Database(Protocol):
    """What a transport provides."""

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """Call a function of schema `public` and return its JSON.

        With a user, row level security applies; `None` means service_role.
        Raises Problem if the function refuses (SQLSTATE PT<status>) and Transient if the database cannot be reached.
        Any other error is a bug and is raised as the transport's own exception.
        A call that fails with a transient error is repeated (transport.repeated). Every function is idempotent, except
        that register_upload may count one more use.
        """
        ...

    def ping(self) -> None:
        """Return when Postgres answers, after retries like any call. Raises Transient if it does not."""
        ...


@lru_cache(maxsize=1)
def database() -> Database:
    """Return the configured database:

    Postgres if DATABASE_URL is set, else the Data API. It connects on the first call.
    """
    chosen = settings()
    if chosen.database_url is not None:
        from shared.database.psycopg_database import PsycopgDatabase  # noqa: PLC0415  # only the configured transport

        return PsycopgDatabase(chosen.database_url.get_secret_value())
    from shared.database.data_api import DataApiDatabase  # noqa: PLC0415  # only the configured transport

    publishable, secret = chosen.supabase_publishable_key, chosen.supabase_secret_key
    return DataApiDatabase(
        chosen.supabase_url,
        publishable_key=publishable.get_secret_value() if publishable else None,
        secret_key=secret.get_secret_value() if secret else None,
    )
