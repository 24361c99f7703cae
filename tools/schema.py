"""Prints supabase/schema.sql: all that the migrations make, as pg_dump sees it in a new embedded Postgres."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import psycopg

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres, embedded_binaries
from local.postgres.tools import run_tool

_HEADER = "-- What all of supabase/migrations makes. Written by `make schema`; not to be edited, nor applied.\n"
# What differs from one pg_dump to the next: its own version, and the keys that it makes anew for each file.
_CHANGING = re.compile(r"^(-- Dumped (from|by) .*|\\(un)?restrict .*)\n", re.MULTILINE)
# pg_dump leaves them out with the tables that they are on, which are Supabase's.
_TRIGGERS = """
select pg_get_triggerdef(t.oid) || ';' from pg_trigger t
join pg_proc f on f.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid
where f.pronamespace = 'assay'::regnamespace and c.relnamespace <> 'assay'::regnamespace and not t.tgisinternal
order by 1
"""


def dump(url: str, binaries: Path) -> str:
    """All that is in the schemas assay and public of that database, with grants and without owners.

    Behind it our triggers on other tables. `binaries` holds a pg_dump of the server's version. Raises StackError.
    """
    arguments = ("--schema-only", "--no-owner", "--schema=assay", "--schema=public")
    dumped = run_tool(binaries / "pg_dump", url, *arguments)
    with psycopg.connect(url) as connection:
        has_schema = connection.execute("select to_regnamespace('assay') is not null").fetchone() == (True,)
        triggers = [str(row[0]) for row in connection.execute(_TRIGGERS)] if has_schema else []
    return _HEADER + _CHANGING.sub("", dumped) + "".join(f"{trigger}\n" for trigger in triggers)


def schema() -> str:
    """The text of supabase/schema.sql. Raises StackError; psycopg.Error for a migration that fails."""
    with tempfile.TemporaryDirectory(prefix="assay-schema-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            apply_migrations(server.superuser_url)
            return dump(server.superuser_url, embedded_binaries())
        finally:
            server.stop()


if __name__ == "__main__":
    sys.stdout.write(schema())
