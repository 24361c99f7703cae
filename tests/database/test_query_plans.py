"""With many rows in every table, each function reads along an index, and no more rows than it has to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import md5, sha256
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from local.migrations import apply_migrations
from local.postgres import Postgres
from tests.database.conftest import SERVERS
from tests.database.hosted import at, drop_database, new_database
from tests.database.steps import MANIFEST, Superuser

MANY_ROWS = Path(__file__).with_name("many_rows.sql")
LARGE = {
    "uploads",
    "jobs",
    "attempts",
    "outputs",
    "job_events",
    "owners",
    "deletions",
    "outbox",
    "webhooks",
    "deliveries",
}
# Rows of one table that one call may read. A page, a sweep and a clean-up take up to 1,000, some of them twice.
MOST_ROWS = 2500
# What this transaction has read so far: of each table how often from end to end, and how many entries of its indexes.
_READ = """
select c.relname, pg_stat_get_xact_numscans(c.oid),
    (select coalesce(sum(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0) from pg_index i where i.indrelid = c.oid)
from pg_class c where c.relnamespace = 'assay'::regnamespace and c.relkind = 'r'
"""


def id_of(kind: str, number: int | str) -> str:
    """As many_rows.sql makes them."""
    return str(UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()))


OWNER, OTHER = id_of("owner", 0), id_of("owner", 1)
AWAITED, QUEUED, RUNNING, ASKING, FAILED, DONE = (id_of("job", number) for number in (0, 1, 3, 4, 5, 10))
WEBHOOK, DELIVERY, SENDING = id_of("webhook", OWNER), id_of("delivery", 10), id_of("delivery", 9)
SHA256 = {number: sha256(str(number).encode()).hexdigest() for number in (0, 10)}
NEW_SHA256 = "f" * 64
ERROR = '{"code": "c", "detail": "d", "suggestion": "s"}'
WRONG = '{"code": "hash_mismatch", "detail": "d", "suggestion": "s"}'
OUTPUTS = json.dumps([{"name": "b.csv", "media_type": "text/csv", "size_bytes": 1, "sha256": NEW_SHA256}])
REGISTER = "register_upload('a.csv', 10, '{}', null, '{{}}', 'reuse', '{{\"table\": \"1.0.0\"}}')"

AS_OWNER = [
    REGISTER.format(NEW_SHA256),
    REGISTER.format(SHA256[0]),
    REGISTER.format(SHA256[10]),
    f"cancel_job('{QUEUED}')",
    f"cancel_job('{RUNNING}')",
    f"retry_job('{FAILED}')",
    f"reprocess_job('{DONE}')",
    f"delete_job('{DONE}')",
    f"get_job('{DONE}')",
    "list_jobs(null, 50, null, null)",
    "list_jobs('done', 50, now() - interval '50 seconds', '00000000-0000-0000-0000-000000000000')",
    f"list_outputs('{DONE}')",
    f"get_output('{id_of('output', 10)}')",
    "get_account()",
    "export_account(500, null)",
    "delete_account(100)",
    "create_webhook('https://example.org/', gen_random_uuid())",
    f"delete_webhook('{WEBHOOK}')",
    "list_webhooks()",
    f"list_deliveries('{WEBHOOK}', 50, null, null)",
]
AS_SERVICE = [
    f"object_created('uploads/{OWNER}/{SHA256[0]}')",
    f"object_created('uploads/{OWNER}/{NEW_SHA256}')",
    "drain_outbox(900)",
    "claim_job('worker', 60)",
    f"claim_job('worker', 60, 1024, '{QUEUED}')",
    "claim_job('worker 3', 60)",
    f"report_progress('{RUNNING}', 1, 60, 0.5, 'reading', null)",
    f"await_type('{RUNNING}', 1, '{{}}')",
    f"finish_job('{RUNNING}', 1, 'table', 'table', '1', '{{}}', '{MANIFEST}', '{OUTPUTS}')",
    f"finish_job('{DONE}', 1, 'table', 'table', '1', '{{}}', '{MANIFEST}', '[]')",
    f"fail_job('{RUNNING}', 1, '{ERROR}', 30)",
    f"fail_job('{RUNNING}', 1, '{WRONG}', null)",
    "sweep_jobs(86400, 900)",
    "clean_up(1200)",
    f"objects_deleted('[\"outputs/{OWNER}/{DONE}/2/\"]')",
    f"set_plan('{OWNER}', 'pro')",
    f"deliveries_due('{OWNER}')",
    "claim_deliveries(10, 60, true)",
    f"settle_delivery('{SENDING}', 1, true, 204, null, null)",
]


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[Superuser]:
    """A database full of rows, and a superuser's connection to it."""
    name = "filled"
    try:
        apply_migrations(new_database(postgres, name))
        with psycopg.connect(at(postgres.superuser_url, name), autocommit=True) as connection:
            connection.execute(MANY_ROWS.read_bytes())
            connection.execute("vacuum analyze")
            yield connection
    finally:
        drop_database(postgres, name)


def read(connection: Superuser, role: str, call: str, mode: str) -> dict[str, tuple[int, int]]:
    """Run the call and take it back; of each table return how often it was read whole, and how many index entries."""
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('plan_cache_mode', %s, true)", (mode,))
        before = connection.execute(_READ.encode()).fetchall()
        connection.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
            (role, json.dumps({"sub": OWNER})),
        )
        connection.execute(f"select public.{call}".encode())
        connection.execute("reset role")
        after = connection.execute(_READ.encode()).fetchall()
    earlier = {name: (whole, entries) for name, whole, entries in before}
    return {
        str(name): (int(whole) - earlier[name][0], int(entries) - earlier[name][1]) for name, whole, entries in after
    }


def offences(what: dict[str, tuple[int, int]]) -> list[str]:
    """Each large table that is read whole, or too much of it."""
    return [
        f"{name}: read whole {whole} times, {entries} entries of indexes"
        for name, (whole, entries) in what.items()
        if name in LARGE and (whole > 0 or entries > MOST_ROWS)
    ]


CALLS = [("authenticated", call) for call in AS_OWNER] + [("service_role", call) for call in AS_SERVICE]
EMBEDDED = pytest.mark.parametrize("postgres", [SERVERS["embedded"]], ids=["embedded"], indirect=True)


@EMBEDDED
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(("role", "call"), CALLS, ids=[call for _, call in CALLS])
def test_every_function_reads_along_an_index(filled: Superuser, role: str, call: str, mode: str) -> None:
    what = read(filled, role, call, mode)
    assert any(entries for _, entries in what.values())
    assert offences(what) == []


@EMBEDDED
def test_every_function_is_tried(filled: Superuser) -> None:
    rows = filled.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    assert {str(name) for (name,) in rows} == {call.partition("(")[0] for _, call in CALLS}


@EMBEDDED
@pytest.mark.parametrize("index", ["jobs_by_turn", "jobs_by_owner_and_turn", "jobs_running", "jobs_by_expiry"])
def test_without_an_index_it_would_be_seen(filled: Superuser, index: str) -> None:
    with filled.transaction(force_rollback=True):
        filled.execute(f"drop index assay.{index}".encode())
        assert [call for role, call in CALLS if offences(read(filled, role, call, "force_custom_plan"))]
