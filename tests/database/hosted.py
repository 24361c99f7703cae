"""A role and databases like those of a hosted Supabase project, where whoever migrates is no superuser."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.postgres.migrations import bootstrap
from local.postgres.server import Postgres

ROLE = "hosted_postgres"
_PASSWORD = "hosted"
# As `postgres` is on a hosted project (github.com/supabase/postgres, migrations/db): it owns its database, and in the
# schemas of others it may do what is granted to it; with Supabase Storage's tables, here, no more than a trigger needs.
_MAKE_ROLE = f"""
do $$ begin
  if to_regrole('{ROLE}') is null then
    create role {ROLE} login password '{_PASSWORD}' createdb createrole bypassrls;
  end if;
end $$;
"""
_GRANTS = f"""
grant usage on schema auth, storage to {ROLE};
grant trigger on storage.buckets, storage.objects to {ROLE};
"""
# Projects made before new tables and functions stopped being exposed still have these.
_DEFAULTS = f"""
alter default privileges for role {ROLE} in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges for role {ROLE} in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges for role {ROLE} in schema public grant all on sequences to anon, authenticated, service_role;
"""


def at(url: str, database: str) -> str:
    """Return the same login's URL for another database."""
    return make_conninfo(url, dbname=database)


def hosted(server: Postgres, database: str) -> str:
    """Make a database what a new hosted project has; return its owner's URL, which is no superuser's."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(_MAKE_ROLE.encode())
        connection.execute(
            sql.SQL("alter database {} owner to {}").format(sql.Identifier(database), sql.Identifier(ROLE))
        )
    with psycopg.connect(at(server.superuser_url, database)) as connection:
        bootstrap(connection)
        connection.execute((_GRANTS + _DEFAULTS).encode())
    parts = conninfo_to_dict(server.superuser_url)
    return make_conninfo("", host=parts["host"], port=parts["port"], user=ROLE, password=_PASSWORD, dbname=database)


def new_database(server: Postgres, database: str) -> str:
    """Make another database on the server, as `hosted` does."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
    return hosted(server, database)


def drop_database(server: Postgres, database: str) -> None:
    """Drop a database, with whoever is connected to it."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database)))
