"""With many rows in every table, each function reads along an index, and no more rows than it has to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import md5, sha256
from operator import sub
from pathlib import Path
from typing import NamedTuple, cast
from uuid import UUID

import psycopg
import pytest

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
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
    "deliveries",
    "remembered_columns",
}
# Rows of one table that one call may read. A page, a sweep and a clean-up take up to 1,000, some of them twice.
MOST_ROWS = 2500
# What this transaction has read so far: of each table how often from end to end, how often along an index, and how many
# entries of that.
_READ = """
select c.relname, pg_stat_get_xact_numscans(c.oid), coalesce(sum(pg_stat_get_xact_numscans(i.indexrelid)), 0)::bigint,
    coalesce(sum(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0)::bigint
from pg_class c left join pg_index i on i.indrelid = c.oid
where c.relnamespace = 'assay'::regnamespace and c.relkind = 'r' group by c.oid
"""


class Read(NamedTuple):
    whole: int
    along_an_index: int
    entries: int


def id_of(kind: str, number: int | str) -> str:
    """As many_rows.sql makes them."""
    return str(UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest()))


OWNER, OTHER = id_of("owner", 0), id_of("owner", 200)  # with 1,000 jobs, and with 5
AWAITED, QUEUED, RUNNING, ASKING, FAILED, DONE = (id_of("job", number) for number in (0, 1, 3, 4, 5, 10))
CHOICE = id_of("choice", f"{OWNER}0")
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
    f"choose_type('{DONE}', 'table')",
    f"choose_type('{RUNNING}', 'table')",
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
    "list_remembered_columns()",
    f"edit_remembered_columns('{CHOICE}', '{{\"revenue\": \"Net\"}}')",
    f"forget_columns('{CHOICE}')",
    f"list_deliveries('{WEBHOOK}', 50, null, null)",
]
AS_SERVICE = [
    f"object_created('uploads/{OWNER}/{SHA256[0]}')",
    f"object_created('uploads/{OWNER}/{NEW_SHA256}')",
    "drain_outbox(900)",
    "claim_job('worker', 60, 1024)",
    "claim_job('worker 3', 60, 1024)",
    f"report_progress('{RUNNING}', 1, 60, 0.5, 'reading', null, null)",
    f"await_type('{RUNNING}', 1, '{{}}')",
    f"finish_job('{RUNNING}', 1, 'table', 'table', '1', '{{}}', '{MANIFEST}', '{OUTPUTS}')",
    f"finish_job('{DONE}', 1, 'table', 'table', '1', '{{}}', '{MANIFEST}', '[]')",
    f"fail_job('{RUNNING}', 1, '{ERROR}', 30)",
    f"fail_job('{RUNNING}', 1, '{WRONG}', null)",
    "sweep_jobs(86400, 900)",
    "clean_up(1200)",
    f"objects_deleted('[\"outputs/{OWNER}/{DONE}/2/\"]')",
    f"set_plan('{OTHER}', 'pro')",
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
            # As for an SSD. By default a table of this size is still read whole where a hundredth of it is wanted.
            connection.execute("set random_page_cost = 1.1")
            yield connection
    finally:
        drop_database(postgres, name)


def so_far(connection: Superuser) -> dict[str, Read]:
    return {str(name): Read(*cast("list[int]", counts)) for name, *counts in connection.execute(_READ.encode())}


def read(connection: Superuser, role: str, call: str, mode: str) -> dict[str, Read]:
    """Run the call and take it back; return what it has read of each table."""
    with connection.transaction(force_rollback=True):
        connection.execute("select set_config('plan_cache_mode', %s, true)", (mode,))
        before = so_far(connection)
        connection.execute(
            "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
            (role, json.dumps({"sub": OWNER})),
        )
        connection.execute(f"select public.{call}".encode())
        connection.execute("reset role")
        after = so_far(connection)
    return {table: Read(*map(sub, after[table], before[table])) for table in after}


def offences(what: dict[str, Read]) -> dict[str, Read]:
    """Each large table that is read whole, or too much of it."""
    return {table: read for table, read in what.items() if table in LARGE and (read.whole or read.entries > MOST_ROWS)}


CALLS = [("authenticated", call) for call in AS_OWNER] + [("service_role", call) for call in AS_SERVICE]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(("role", "call"), CALLS, ids=[call for _, call in CALLS])
def test_every_function_reads_along_an_index(filled: Superuser, role: str, call: str, mode: str) -> None:
    what = read(filled, role, call, mode)
    assert any(read.along_an_index for read in what.values())
    assert offences(what) == {}


def test_every_function_is_tried(filled: Superuser) -> None:
    rows = filled.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    assert {str(name) for (name,) in rows} == {call.partition("(")[0] for _, call in CALLS}


@pytest.mark.parametrize("index", ["jobs_by_turn", "jobs_by_expiry", "deletions_by_due"])
def test_without_an_index_it_would_be_seen(filled: Superuser, index: str) -> None:
    with filled.transaction(force_rollback=True):
        filled.execute(f"drop index assay.{index}".encode())
        assert [call for role, call in CALLS if offences(read(filled, role, call, "force_custom_plan"))]


@pytest.mark.parametrize(
    ("status", "index"),
    [
        ("awaiting_upload", "jobs_awaiting"),
        ("queued", "jobs_by_"),
        ("running", "jobs_running"),
        ("needs_type", "jobs_one_under_way"),
    ],
)
def test_each_count_of_the_sweep_reads_a_partial_index(filled: Superuser, status: str, index: str) -> None:
    also = " and not cancel_requested" if status == "needs_type" else ""
    plan = filled.execute(
        f"explain (format json) select count(*) from assay.jobs where status = '{status}'{also}".encode()
    ).fetchone()
    assert plan is not None
    assert f"'{index}" in str(plan[0])
    assert "jobs_by_owner_and_status" not in str(plan[0])
