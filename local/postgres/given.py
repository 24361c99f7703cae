"""The database of DATABASE_URL. Messages about it never contain a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from local.processes import StackError

_UNREADABLE = (
    "DATABASE_URL is not a Postgres URL (postgresql://user:password@host:port/name, "
    "with special characters in the password percent-encoded)."
)


def place(url: str) -> str:
    """Return `host/dbname`, to print. Raises StackError for an invalid URL."""
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.Error:
        raise StackError(_UNREADABLE) from None  # its message quotes the URL
    host, port, name = parts.get("host", "localhost"), parts.get("port", "5432"), parts.get("dbname", "")
    # Part of an unencoded password may be parsed as the host or the name.
    if "@" in host + name or not re.fullmatch(r"[\d,]*", port):
        raise StackError(_UNREADABLE)
    return f"{host}/{name or parts.get('user', '')}"


@contextmanager
def without_password(url: str) -> Iterator[None]:
    """Convert psycopg.Error to StackError with the database and the reason, but without the password."""
    database = place(url)
    password = conninfo_to_dict(url).get("password")
    try:
        yield
    except psycopg.Error as error:
        reason = str(error).strip() or type(error).__name__
        if password:
            reason = reason.replace(str(password), "***")
        raise StackError(f"The database at {database} failed: {reason}") from None
