"""The database through psycopg: the embedded Postgres, or Supabase's through its pooler."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from shared.database.transport import (
    CONNECT_SECONDS,
    PING_TRYING_SECONDS,
    STATEMENT_SECONDS,
    Argument,
    refusal,
    repeated,
)
from shared.errors import Transient

if TYPE_CHECKING:
    from shared.sign_in.auth import User  # imports PyJWT, which functions/process does not have

_UNACKNOWLEDGED_SECONDS = 25  # how long a sent packet may stay unacknowledged


class PsycopgDatabase:
    """Postgres through psycopg: the embedded one, or Supabase through Supavisor's transaction pooler.

    The pooler may use another server connection for each transaction, so no statement is prepared, and role and claims
    are set for the transaction only. Pipeline mode sends everything in one round trip. A simple query would take half
    the time, but its text contains the arguments, and Postgres logs the text with each error. A call that fails with a
    transient error is repeated (shared.database.transport.repeated). The object is safe to share between threads.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: deque[psycopg.Connection[tuple[JsonValue]]] = deque()

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        """See Database.call."""
        role = "authenticated" if as_user else "service_role"
        claims = json.dumps({"sub": str(as_user.owner), "role": role} if as_user else {"role": role})
        statement = _statement(function, tuple(arguments))
        values = [Jsonb(value) if isinstance(value, dict | list) else value for value in arguments.values()]
        return repeated(lambda: self._transaction(role, claims, statement, values))

    def ping(self) -> None:
        """See Database.ping."""
        repeated(
            lambda: self._transaction("authenticated", "{}", sql.SQL("select 'null'::jsonb"), []), PING_TRYING_SECONDS
        )

    def _transaction(
        self, role: str, claims: str, statement: sql.Composed | sql.SQL, values: Sequence[Jsonb | Argument]
    ) -> JsonValue:
        try:
            connection = self._connection()
            try:
                with connection.pipeline(), connection.transaction():
                    connection.execute(
                        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true), "
                        "set_config('statement_timeout', %s, true)",
                        (role, claims, f"{STATEMENT_SECONDS}s"),
                    )
                    cursor = connection.execute(statement, values)
                row = cursor.fetchone()
            except BaseException:
                connection.close()
                raise
        except psycopg.Error as error:
            raise self._translated(error) from error
        self._idle.append(connection)
        return row[0] if row else None

    def _connection(self) -> psycopg.Connection[tuple[JsonValue]]:
        try:
            return self._idle.pop()
        except IndexError:
            return psycopg.connect(
                self._url,
                autocommit=True,
                prepare_threshold=None,
                connect_timeout=CONNECT_SECONDS,
                tcp_user_timeout=_UNACKNOWLEDGED_SECONDS * 1000,
            )

    def _translated(self, error: psycopg.Error) -> Exception:
        state, diag = error.sqlstate or "", error.diag
        lost = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        if lost or state.startswith(("08", "57P")):
            self._forget_idle()  # what closed this connection has closed the others in the pool
        if lost:
            return Transient("the database does not answer")
        return refusal(state, diag.message_primary or "", diag.message_detail or "", diag.message_hint or "") or error

    def _forget_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


@lru_cache(maxsize=100)
def _statement(function: str, names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("select public.{}({})").format(
        sql.Identifier(function),
        sql.SQL(", ").join(sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in names),
    )
