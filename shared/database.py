"""The one way to the database: `call(function, arguments, as_user)`, one round trip, one transaction."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.auth import User
from shared.errors import Problem, Transient
from shared.settings import settings

Argument = JsonValue | UUID | datetime

# How long the database may take to be reached, to answer a statement, and to acknowledge a packet.
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 20
_UNACKNOWLEDGED_SECONDS = 25


class Database(Protocol):
    """What the code needs of a database."""

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """Call a function of schema `public` and return its JSON.

        As a user, row level security decides what the function sees; `None` stands for service_role.
        Raises Problem where the function refuses (its SQLSTATE PT<status>), Transient where the database is not there.
        A call whose answer was lost on an idle connection is repeated: every function gives the same answer again and
        does its work once (register_upload alone may count one use more).
        """
        ...

    def ping(self) -> None:
        """Return when the database answers. Raises Transient when it does not."""
        ...


class PsycopgDatabase:
    """Postgres by psycopg: the embedded one, or Supabase through Supavisor's transaction pooler.

    The pooler may serve each transaction from another server connection, so nothing is prepared and role and claims
    are set for the transaction alone. Pipeline mode sends it all in one round trip.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: deque[psycopg.Connection[tuple[JsonValue]]] = deque()

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """See Database.call."""
        role = "authenticated" if as_user else "service_role"
        claims = json.dumps({"sub": str(as_user.owner), "role": role} if as_user else {"role": role})
        statement = sql.SQL("select public.{}({})").format(
            sql.Identifier(function),
            sql.SQL(", ").join(
                sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in arguments
            ),
        )
        values = [Jsonb(value) if isinstance(value, dict | list) else value for value in arguments.values()]
        try:
            return self._transaction(role, claims, statement, values)
        except psycopg.Error as error:
            raise _translated(error) from error

    def ping(self) -> None:
        """See Database.ping."""
        try:
            self._transaction("authenticated", "{}", sql.SQL("select 'null'::jsonb"), [])
        except psycopg.Error as error:
            raise Transient("the database does not answer") from error

    def _transaction(
        self, role: str, claims: str, statement: sql.Composed | sql.SQL, values: Sequence[Jsonb | Argument]
    ) -> JsonValue:
        while True:
            connection, fresh = self._connection()
            try:
                with connection.pipeline(), connection.transaction():
                    connection.execute(
                        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                        (role, claims),
                    )
                    cursor = connection.execute(statement, values)
                row = cursor.fetchone()
            except psycopg.OperationalError:
                connection.close()
                if fresh:
                    raise
                continue  # a connection that idled may have died in the meantime
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
            return row[0] if row else None

    def _connection(self) -> tuple[psycopg.Connection[tuple[JsonValue]], bool]:
        try:
            return self._idle.pop(), False
        except IndexError:
            return psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,
                connect_timeout=_CONNECT_SECONDS,
                tcp_user_timeout=_UNACKNOWLEDGED_SECONDS * 1000,
            ), True


def _translated(error: psycopg.Error) -> Exception:
    state = error.sqlstate or ""
    if state.startswith("PT"):
        return Problem(
            status=int(state[2:]),
            code=error.diag.message_detail or "",
            detail=error.diag.message_primary or "",
            suggestion=error.diag.message_hint or "",
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Transient("the database does not answer")
    return error


@lru_cache(maxsize=1)
def database() -> Database:
    """Return the database that the settings name; it connects at the first call."""
    url = settings().database_url
    if url is None:
        raise NotImplementedError  # the Data API: in work
    return PsycopgDatabase(url.get_secret_value())
