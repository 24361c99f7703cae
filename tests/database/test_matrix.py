"""Who may do what: every function and every table that the catalog has, tried as each caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast
from uuid import uuid4

import psycopg
import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from tests.database.steps import Steps, Superuser, new_sha256
from tests.database.webhook_steps import WebhookSteps

# owner: signed in, and the things tried are theirs; other: another; nobody: signed in without a subject.
CALLERS = {
    "owner": "authenticated",
    "other": "authenticated",
    "nobody": "authenticated",
    "anon": "anon",
    "service": "service_role",
}

# no: permission denied. ok: answers. none: answers that there is nothing. A number: the problem's HTTP status.
FUNCTIONS = """
                            owner  other  nobody  anon  service
public.register_upload      ok     ok     401     no    no
public.cancel_job           ok     404    401     no    no
public.retry_job            ok     404    401     no    no
public.reprocess_job        ok     404    401     no    no
public.choose_type          ok     404    401     no    no
public.delete_job           ok     404    401     no    no
public.get_job              ok     404    404     no    no
public.list_jobs            ok     none   none    no    no
public.list_outputs         ok     404    404     no    no
public.get_output           ok     404    404     no    no
public.get_account          ok     ok     401     no    no
public.export_account       ok     ok     401     no    no
public.delete_account       ok     ok     401     no    no
public.create_webhook       ok     ok     401     no    no
public.delete_webhook       ok     404    401     no    no
public.list_webhooks        ok     none   none    no    no
public.list_deliveries      ok     404    404     no    no
public.list_remembered_columns ok  none   none    no    no
public.edit_remembered_columns ok  404    401     no    no
public.forget_columns       ok     404    401     no    no
public.object_created       no     no     no      no    ok
public.drain_outbox         no     no     no      no    ok
public.claim_job            no     no     no      no    ok
public.report_progress      no     no     no      no    ok
public.await_type           no     no     no      no    ok
public.finish_job           no     no     no      no    ok
public.fail_job             no     no     no      no    ok
public.sweep_jobs           no     no     no      no    ok
public.clean_up             no     no     no      no    ok
public.objects_deleted      no     no     no      no    ok
public.set_plan             no     no     no      no    ok
public.deliveries_due       no     no     no      no    ok
public.claim_deliveries     no     no     no      no    ok
public.settle_delivery      no     no     no      no    ok
assay.raise_problem         418    418    418     no    no
assay.job_json              ok     none   none    no    no
assay.webhook_json          ok     none   none    no    no
assay.export_webhooks       ok     none   none    no    no
assay.export_columns        ok     none   none    no    no
assay.remembered_json       ok     none   none    no    no
assay.export_uploads        ok     none   none    no    no
assay.export_jobs           ok     none   none    no    no
assay.signed_in_owner       no     no     no      no    no
assay.settle_lost           no     no     no      no    no
assay.claim_json            no     no     no      no    no
assay.lock_attempt          no     no     no      no    no
assay.end_attempt           no     no     no      no    no
assay.answer_ended          no     no     no      no    no
assay.cancel_running        no     no     no      no    no
assay.job_cost              no     no     no      no    no
assay.guard_status          no     no     no      no    no
assay.record_status         no     no     no      no    no
assay.refuse_change         no     no     no      no    no
assay.set_cost              no     no     no      no    no
assay.note_object           no     no     no      no    no
assay.forget_object         no     no     no      no    no
assay.plan_of               no     no     no      no    no
assay.set_expiry            no     no     no      no    no
assay.hold                  no     no     no      no    no
assay.hold_upload           no     no     no      no    no
assay.hold_outputs          no     no     no      no    no
assay.admit                 no     no     no      no    no
assay.delete_later          no     no     no      no    no
assay.remove_job            no     no     no      no    no
assay.lock_bytes            no     no     no      no    no
assay.correct_size          no     no     no      no    no
assay.set_turn              no     no     no      no    no
assay.running_jobs          no     no     no      no    no
assay.busy_owners           no     no     no      no    no
assay.start_attempt         no     no     no      no    no
assay.start_next            no     no     no      no    no
assay.has_queued            no     no     no      no    no
assay.delete_outputs_of     no     no     no      no    no
assay.lock_own_job          no     no     no      no    no
assay.require_stored        no     no     no      no    no
assay.note_ending           no     no     no      no    no
assay.new_secret            no     no     no      no    no
assay.forget_deliveries     no     no     no      no    no
assay.remember_columns      no     no     no      no    no
assay.claimed_columns       no     no     no      no    no
"""

# no: permission denied. own: their own rows and no other. none: no row.
TABLES = """
                                                owner  other  nobody  anon  service
assay.uploads      select                       own    none   none    no    no
assay.uploads      insert update delete truncate  no   no     no      no    no
assay.jobs         select                       own    none   none    no    no
assay.jobs         insert update delete truncate  no   no     no      no    no
assay.attempts     select                       own    none   none    no    no
assay.attempts     insert update delete truncate  no   no     no      no    no
assay.outputs      select                       own    none   none    no    no
assay.outputs      insert update delete truncate  no   no     no      no    no
assay.job_events   select                       own    none   none    no    no
assay.job_events   insert update delete truncate  no   no     no      no    no
assay.outbox       select                       no     no     no      no    no
assay.outbox       insert update delete truncate  no   no     no      no    no
assay.plans        select                       no     no     no      no    no
assay.plans        insert update delete truncate  no   no     no      no    no
assay.owners       select                       no     no     no      no    no
assay.owners       insert update delete truncate  no   no     no      no    no
assay.deletions    select                       no     no     no      no    no
assay.deletions    insert update delete truncate  no   no     no      no    no
assay.webhooks     select                       no     no     no      no    no
assay.webhooks     insert update delete truncate  no   no     no      no    no
assay.deliveries   select                       own    none   none    no    no
assay.deliveries   insert update delete truncate  no   no     no      no    no
assay.remembered_columns select                 own    none   none    no    no
assay.remembered_columns insert update delete truncate no no  no      no    no
assay.list_prices  select                       no     no     no      no    no
assay.list_prices  insert update delete truncate  no   no     no      no    no
"""

# How each function is called; those that are not here may be called by nobody, and are tried with nulls.
CALLS = {
    "public.register_upload": "('a.csv', 1, '{sha256}', null, '{{}}', 'reuse', '{{}}')",
    "public.cancel_job": "('{running}')",
    "public.retry_job": "('{failed}')",
    "public.reprocess_job": "('{done}')",
    "public.choose_type": "('{done}', 'table')",
    "public.delete_job": "('{done}')",
    "public.get_job": "('{done}')",
    "public.list_jobs": "(null, 10, null, null)",
    "public.list_outputs": "('{done}')",
    "public.get_output": "('{output}')",
    "public.get_account": "()",
    "public.export_account": "(10, null)",
    "public.delete_account": "(10)",
    "public.create_webhook": "('https://example.org/', gen_random_uuid())",
    "public.delete_webhook": "('{webhook}')",
    "public.list_webhooks": "()",
    "public.list_remembered_columns": "()",
    "public.edit_remembered_columns": """('{choice}', '{{"revenue": "Net"}}')""",
    "public.forget_columns": "('{choice}')",
    "public.list_deliveries": "('{webhook}', 10, null, null)",
    "public.object_created": "('{key}')",
    "public.drain_outbox": "(900)",
    "public.claim_job": "('worker', 60, 1024)",
    "public.report_progress": "('{running}', 1, 60, 0.5, 'reading', null, null)",
    "public.await_type": "('{running}', 1, '{{}}')",
    "public.finish_job": "('{running}', 1, 'table', 'table', '1', '{{}}', '{sha256}', '[]')",
    "public.fail_job": """('{running}', 1, '{{"code": "c", "detail": "d", "suggestion": "s"}}', null)""",
    "public.sweep_jobs": "(3600, 900)",
    "public.clean_up": "(1200)",
    "public.objects_deleted": "('[]')",
    "public.set_plan": "('{owner}', 'pro')",
    "public.deliveries_due": "('{owner}')",
    "public.claim_deliveries": "(10, 60, true)",
    "public.settle_delivery": "('{delivery}', 0, true, 204, null, null)",
    "assay.raise_problem": "(418, 'code', 'detail', 'suggestion')",
    **dict.fromkeys(
        ("assay.export_webhooks", "assay.export_columns", "assay.export_uploads", "assay.export_jobs"),
        """('{owner}', '{{"at": "-infinity", "id": "00000000-0000-0000-0000-000000000000", "sha256": ""}}', 10)""",
    ),
    "assay.webhook_json": "('{webhook}')",
    "assay.remembered_json": "(c) from assay.remembered_columns c where choice_id = '{choice}'",
    "assay.job_json": "(j) from assay.jobs j where job_id = '{done}'",
}


class World(NamedTuple):
    """One owner's things, another owner, and a login that may become any caller."""

    connection: psycopg.Connection
    subjects: dict[str, str]
    names: dict[str, str]

    def outcome(self, caller: str, statement: str) -> object:
        """Run the statement as that caller and take it back; return its value, or what refused it."""
        claims = f'{{"sub": "{self.subjects[caller]}"}}' if caller in self.subjects else "{}"
        try:
            self.connection.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (CALLERS[caller], claims),
            )
            cursor = self.connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        except psycopg.errors.InsufficientPrivilege:
            return "no"
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith("PT"):
                raise
            return (error.sqlstate or "")[2:]
        finally:
            self.connection.rollback()
        return row[0] if row else None


@pytest.fixture(scope="module")
def world(postgres: Postgres, db: PsycopgDatabase) -> Iterator[World]:
    owner = Steps(db, User(uuid4()))
    webhooks = WebhookSteps(db, owner.user)
    webhook = webhooks.create()
    done, _ = owner.done()
    owner.confirmed()
    failed = owner.running()
    owner.fail(failed, 1)
    running = owner.running()
    queued, sha256 = owner.queued()
    names = {
        "owner": str(owner.user.owner),
        "done": done,
        "failed": failed,
        "queued": queued,
        "running": running,
        "output": owner.outputs(done)[0]["output_id"],
        "key": upload_key(owner.user.owner, sha256),
        "sha256": new_sha256(),
        "webhook": webhook,
        "choice": owner.remembered()[0]["choice_id"],
        "delivery": webhooks.deliveries(webhook)[0]["delivery_id"],
    }
    subjects = {"owner": str(owner.user.owner), "other": str(uuid4())}
    with psycopg.connect(postgres.authenticator_url) as connection:
        yield World(connection, subjects, names)


def rows(table: str) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The words before the cells of each line, and the cell of each caller."""
    heading, *lines = table.strip().splitlines()
    for line in lines:
        words = line.split()
        cells = words[-len(heading.split()) :]
        yield words[: -len(cells)], dict(zip(heading.split(), cells, strict=True))


FUNCTION_ROWS = {words[0]: cells for words, cells in rows(FUNCTIONS)}
TABLE_ROWS = {(words[0], verb): cells for words, cells in rows(TABLES) for verb in words[1:]}


@pytest.mark.parametrize(("name", "expected"), FUNCTION_ROWS.items(), ids=FUNCTION_ROWS.keys())
def test_function(world: World, superuser: Superuser, name: str, expected: dict[str, str]) -> None:
    if name in CALLS:
        call = name + CALLS[name].format(**world.names)
    else:
        row = superuser.execute("select proargtypes::regtype[]::text[] from pg_proc where oid = %s::regproc", (name,))
        types = cast("tuple[list[str]]", row.fetchone())[0]
        call = f"{name}({', '.join(f'null::{kind}' for kind in types)})"

    def cell(caller: str) -> str:
        value = world.outcome(caller, f"select {call}")
        return value if isinstance(value, str) else "none" if value in (None, []) else "ok"

    assert {caller: cell(caller) for caller in CALLERS} == expected


@pytest.mark.parametrize(("target", "expected"), TABLE_ROWS.items(), ids=map(" ".join, TABLE_ROWS))
def test_table(world: World, superuser: Superuser, target: tuple[str, str], expected: dict[str, str]) -> None:
    table, verb = target
    row = superuser.execute(
        "select quote_ident(attname) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and attidentity = '' and not attisdropped limit 1",
        (table,),
    )
    column = cast("tuple[str]", row.fetchone())[0]
    statement = {
        "select": f"select coalesce(jsonb_agg(t), '[]') from {table} t",
        "insert": f"insert into {table} default values",
        "update": f"update {table} set {column} = {column}",
        "delete": f"delete from {table}",
        "truncate": f"truncate {table}",
    }[verb]

    def cell(caller: str) -> str:
        value = world.outcome(caller, statement)
        if isinstance(value, str):
            return value
        owners = {row["owner"] for row in cast("list[dict[str, str]]", value)}
        return "none" if not owners else "own" if owners == {world.subjects.get(caller)} else "all"

    assert {caller: cell(caller) for caller in CALLERS} == expected


def test_the_tables_above_are_complete(superuser: Superuser) -> None:
    functions = superuser.execute(
        "select pronamespace::regnamespace || '.' || proname from pg_proc "
        "where pronamespace in ('assay'::regnamespace, 'public'::regnamespace)"
    ).fetchall()
    relations = superuser.execute(
        "select relnamespace::regnamespace || '.' || relname from pg_class "
        "where relnamespace in ('assay'::regnamespace, 'public'::regnamespace) and relkind in ('r', 'p', 'v', 'm', 'f')"
    ).fetchall()
    assert sorted(str(name) for (name,) in functions) == sorted(FUNCTION_ROWS)
    verbs = ("select", "insert", "update", "delete", "truncate")
    assert {(name, verb) for (name,) in relations for verb in verbs} == set(TABLE_ROWS)
