"""The database that DATABASE_URL names in place of the embedded one; none of its passwords gets into a message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from local.processes import StackError

_UNREADABLE = (
    "DATABASE_URL is not a Postgres URL (postgresql://user:password@host:port/name, "
    "with what is special in the password percent-encoded)."
)


def place(url: str) -> str:
    """Return `host/dbname`, for a person to see. Raises StackError for a URL that cannot be read."""
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.Error:
        raise StackError(_UNREADABLE) from None  # its message quotes the URL
    host, port, name = parts.get("host", "localhost"), parts.get("port", "5432"), parts.get("dbname", "")
    # A password that is not encoded spills over into the parts behind it.
    if "@" in host + name or not re.fullmatch(r"[\d,]*", port):
        raise StackError(_UNREADABLE)
    return f"{host}/{name or parts.get('user', '')}"


@contextmanager
def without_password(url: str) -> Iterator[None]:
    """Turn psycopg.Error into StackError that says which database, and why, but not the password."""
    where = place(url)
    password = conninfo_to_dict(url).get("password")
    try:
        yield
    except psycopg.Error as error:
        reason = str(error).strip() or type(error).__name__
        if password:
            reason = reason.replace(str(password), "***")
        raise StackError(f"The database at {where} did not do what it was asked: {reason}") from None
