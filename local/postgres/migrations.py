"""Applies supabase/migrations to the embedded Postgres, and records them like the Supabase CLI."""

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
    """Create the roles and the functions of schema auth that Supabase provides, if they are missing."""
    connection.execute(_BOOTSTRAP.read_bytes())
    connection.commit()


def versions(folder: Path = FOLDER) -> list[str]:
    """Return all versions in order. Raises StackError for an invalid file name."""
    return list(_files(folder))


def _files(folder: Path) -> dict[str, tuple[str, Path]]:
    """Return name and path of each migration by version, in order."""
    files: dict[str, tuple[str, Path]] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.fullmatch(path.name)
        if match is None or match["version"] in files:
            raise StackError(f"Migration {path.name} must be named <YYYYMMDDHHMMSS>_name.sql, with a unique time.")
        files[match["version"]] = (match["name"], path)
    return files


def apply_migrations(url: str, folder: Path = FOLDER, *, until: str | None = None) -> list[str]:
    """Apply new migrations in order, each in one transaction. Return the applied versions.

    Migrations newer than `until` are not applied. Concurrent calls wait for each other. Raises StackError for an
    invalid file name, for a file older than an applied one, and for a missing file of an applied migration;
    psycopg.Error for SQL that fails and is rolled back.
    """
    files = _files(folder)
    applied_now = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(hashtext('assay.migrations'))")
        connection.execute(_RECORD.encode())
        rows = connection.execute("select version from supabase_migrations.schema_migrations").fetchall()
        applied = {str(row[0]) for row in rows}
        if missing := sorted(applied - set(files)):
            raise StackError(
                "Another checkout of Assay created this database: this one does not have its migrations "
                f"{', '.join(missing)}. Nothing was changed. To use its data, start that checkout; there, "
                "`assay export DIR` saves your files and results. To start with a new database, set ASSAY_HOME to "
                "another "
                "folder, or rename the folder .assay."
            )
        for version, (name, path) in files.items():
            if version in applied or (until is not None and version > until):
                continue
            if applied and version < max(applied):
                raise StackError(f"Migration {path.name} is older than {max(applied)}, which is already applied.")
            text = path.read_text(encoding="utf-8")
            connection.execute("reset all")  # settings of the previous file, as the Supabase CLI does
            with connection.transaction():
                connection.execute(text.encode())
                connection.execute(
                    "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)",
                    (version, [text], name),
                )
            applied_now.append(version)
    return applied_now
