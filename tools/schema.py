"""Prints the difference between the databases of supabase/migrations and supabase/schemas, for the next migration."""

from __future__ import annotations

import difflib
import re
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from local.home import PROJECT
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres, embedded_binaries
from local.postgres.tools import run_tool

_SUPABASE = PROJECT / "supabase"
# Lines that differ between dumps: the version of pg_dump, and its random keys.
_CHANGING = re.compile(r"^(-- Dumped (from|by) .*|\\(un)?restrict .*)\n", re.MULTILINE)
_COLUMNS = re.compile(r"^(CREATE TABLE \S+ \(\n)(.*?)(\n\);)", re.MULTILINE | re.DOTALL)
# pg_dump omits these triggers, because they are on Supabase's tables.
_TRIGGERS = """
select pg_get_triggerdef(t.oid) || ';' from pg_trigger t
join pg_proc f on f.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid
where f.pronamespace = 'assay'::regnamespace and c.relnamespace <> 'assay'::regnamespace and not t.tgisinternal
order by 1
"""
_TABLES = "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r'"


def schema_files() -> list[Path]:
    """Return the files of supabase/schemas in the order of supabase/config.toml."""
    config = tomllib.loads((_SUPABASE / "config.toml").read_text(encoding="utf-8"))
    return [path for pattern in config["db"]["migrations"]["schema_paths"] for path in sorted(_SUPABASE.glob(pattern))]


def apply_schemas(url: str) -> None:
    """Apply supabase/schemas in one transaction. Raises psycopg.Error."""
    with psycopg.connect(url) as connection:
        for path in schema_files():
            connection.execute(path.read_bytes())


def dump(url: str, binaries: Path) -> str:
    """Return a dump of the schemas assay and public, with grants, without owners and rows.

    Assay's triggers on other tables follow. `binaries` has a pg_dump of the server's version. Raises StackError.
    """
    arguments = ("--schema-only", "--no-owner", "--schema=assay", "--schema=public")
    dumped = run_tool(binaries / "pg_dump", url, *arguments)
    with psycopg.connect(url) as connection:
        has_schema = connection.execute("select to_regnamespace('assay') is not null").fetchone() == (True,)
        triggers = [str(row[0]) for row in connection.execute(_TRIGGERS)] if has_schema else []
    return _CHANGING.sub("", dumped) + "".join(f"{trigger}\n" for trigger in triggers)


def describe(url: str, binaries: Path) -> list[str]:
    """Return lines that are equal for equivalent databases, also if the order of columns differs.

    They describe all objects of `dump` and all rows.
    """
    objects = re.split(r"\n\n--\n-- (?=Name: )", dump(url, binaries))
    lines = [
        line for text in sorted(_COLUMNS.sub(_sort_columns, text) for text in objects) for line in text.split("\n")
    ]
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            query = SQL("select to_jsonb(t)::text from assay.{} t").format(Identifier(table))
            rows = connection.execute(query).fetchall()
            lines += sorted(f"assay.{table}: {row}" for (row,) in rows)
    return lines


def _sort_columns(table: re.Match[str]) -> str:
    return table[1] + "\n".join(sorted(line.rstrip(",") for line in table[2].split("\n"))) + table[3]


def difference(migrated: list[str], described: list[str]) -> str:
    """Return a unified diff from the migrated to the described database; empty if they are equal."""
    return "\n".join(difflib.unified_diff(migrated, described, "supabase/migrations", "supabase/schemas", lineterm=""))


def _made_by(make: Callable[[str], object]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="assay-schema-") as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            make(server.superuser_url)
            return describe(server.superuser_url, embedded_binaries())
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(difference(_made_by(apply_migrations), _made_by(apply_schemas)) or None)
