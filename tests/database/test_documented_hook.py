"""The webhook's SQL in docs/decisions/supabase-storage.md, with stand-ins for pg_net and Vault, which are not here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres.server import Postgres
from tests.database.steps import Superuser

Connection = Superuser
PAGE = Path(__file__).parents[2] / "docs" / "decisions" / "supabase-storage.md"
STAND_INS = """
create schema net;
create table net.sent (url text, headers jsonb);
create function net.http_post(
    url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
    timeout_milliseconds integer default 5000
) returns bigint language sql as 'insert into net.sent values (url, headers); select 1::bigint';
create schema vault;
create table vault.decrypted_secrets (name text, decrypted_secret text);
create function vault.create_secret(secret text, name text) returns void language sql
as 'insert into vault.decrypted_secrets values (name, secret)';
"""
UPSERT = """
insert into storage.objects (bucket_id, name, version) values ('assay', 'uploads/o/s', '1')
on conflict (bucket_id, name) do update set version = '2'
"""


@pytest.fixture
def hooked(postgres: Postgres) -> Iterator[Connection]:
    """A transaction in which the page's SQL was run; it is rolled back."""
    [sql] = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    with psycopg.connect(postgres.superuser_url) as connection:
        connection.execute(STAND_INS.encode())
        connection.execute(sql.encode())
        connection.execute("insert into storage.buckets (id, name) values ('assay', 'assay') on conflict do nothing")
        connection.execute("set local role service_role")
        yield connection
        connection.rollback()


def sent(connection: Connection) -> list[tuple[object, ...]]:
    connection.execute("reset role")
    return connection.execute("select url, headers ->> 'X-Assay-Hook-Secret' from net.sent").fetchall()


def test_an_upload_and_an_overwrite_send_a_hint_each_and_looking_sends_none(hooked: Connection) -> None:
    hooked.execute(UPSERT)
    hooked.execute(UPSERT)
    hooked.execute("select public.drain_outbox(900)")
    assert sent(hooked) == [("https://API/events/storage", "STORAGE_HOOK_SECRET")] * 2


def test_an_upload_goes_on_without_pg_net(hooked: Connection) -> None:
    hooked.execute("reset role")
    hooked.execute("drop schema net cascade")
    hooked.execute("set local role service_role")
    hooked.execute(UPSERT)
    hooked.execute("reset role")
    assert hooked.execute("select object_key from assay.outbox where object_key = 'uploads/o/s'").fetchone()
