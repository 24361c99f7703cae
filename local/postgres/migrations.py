"""Applies supabase/migrations to the embedded Postgres and keeps the same record of it as the Supabase CLI does."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from local.home import PROJECT
from local.processes import StackError

FOLDER = PROJECT / "supabase" / "migrations"

_BOOTSTRAP = Path(__file__).with_name("bootstrap.sql")
_FILE = re.compile(r"(?P<version>\d{14})_(?P<name>\w+)\.sql")
_RECORD = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
  version text primary key, statements text[], name text
);
"""


def bootstrap(connection: psycopg.Connection) -> None:
    """Make the roles and the functions in schema auth that Supabase already has, where they are missing."""
    connection.execute(_BOOTSTRAP.read_bytes())
    connection.commit()


def versions(folder: Path = FOLDER) -> list[str]:
    """All versions that there are, in order. Raises StackError for a file whose name does not fit."""
    return list(_files(folder))


def _files(folder: Path) -> dict[str, tuple[str, Path]]:
    """Name and path of each migration by its version, in order."""
    files: dict[str, tuple[str, Path]] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None or match["version"] in files:
            raise StackError(f"Migration {path.name} must be named <YYYYMMDDHHMMSS>_name.sql, each time once.")
        files[match["version"]] = (match["name"], path)
    return files


def apply_migrations(url: str, folder: Path = FOLDER, *, until: str | None = None) -> list[str]:
    """Apply what is new, in order, each file in one transaction; return the versions applied.

    None that is newer than the version `until`, if that is given. Two at once wait for each other. Raises StackError
    for a file whose name does not fit, a file older than one that was applied, and an applied file that is gone;
    psycopg.Error for SQL that fails, which then changed nothing.
    """
    files = _files(folder)
    done = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(hashtext('assay.migrations'))")
        connection.execute(_RECORD.encode())
        rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
        applied = {str(row[0]) for row in rows}
        if gone := sorted(applied - set(files)):
            raise StackError(
                "Another checkout of Assay made this database: this one does not know its migrations "
                f"{', '.join(gone)}. Nothing was changed. To use what is in it, start that checkout; there, "
                "`assay export DIR` saves your files and results. To begin anew here, set ASSAY_HOME to another "
                "folder, or rename the folder .assay."
            )
        for version, (name, path) in files.items():
            if version in applied or (until is not None and version > until):
                continue
            if applied and version < max(applied):
                raise StackError(f"Migration {path.name} is older than {max(applied)}, which was applied before it.")
            text = path.read_text(encoding="utf-8")
            connection.execute("reset all")  # what the previous file has set, as the Supabase CLI does
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute(
                    "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
                    (version, [text], name),
                )
            done.append(version)
    return done
