"""Who may do what: owners see their own, workers alone move jobs, anon does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import psycopg
import pytest

from local.postgres import Postgres
from shared.auth import User
from shared.database import PsycopgDatabase
from shared.errors import Problem, Transient
from tests.database.steps import Answer, Steps

Superuser = psycopg.Connection[tuple[object, ...]]
USER_FUNCTIONS = {"register_upload", "cancel_job", "get_job", "list_jobs", "list_outputs", "get_output"}
WORKER_FUNCTIONS = {
    "object_created",
    "claim_job",
    "report_progress",
    "await_type",
    "finish_job",
    "fail_job",
    "sweep_jobs",
}


@pytest.mark.parametrize(
    ("look", "code"),
    [
        (lambda steps, job_id, _: steps.job(job_id), "job_not_found"),
        (lambda steps, job_id, _: steps.cancel(job_id), "job_not_found"),
        (lambda steps, job_id, _: steps.outputs(job_id), "job_not_found"),
        (lambda steps, _, output_id: steps.output(output_id), "output_not_found"),
    ],
    ids=["get_job", "cancel_job", "list_outputs", "get_output"],
)
def test_another_owners_things_are_not_there(
    steps: Steps, other_steps: Steps, look: Callable[[Steps, str, str], Answer], code: str
) -> None:
    job_id, _ = steps.done()
    output_id = steps.outputs(job_id)[0]["output_id"]
    with pytest.raises(Problem) as caught:
        look(other_steps, job_id, output_id)
    assert (caught.value.status, caught.value.code) == (404, code)
    assert other_steps.jobs() == []


@pytest.mark.parametrize("table", ["uploads", "jobs", "attempts", "outputs", "job_events"])
def test_row_level_security_holds_on_the_table_itself(postgres: Postgres, steps: Steps, table: str) -> None:
    steps.done()

    def rows(role: str, owner: str) -> int:
        with psycopg.connect(postgres.superuser_url) as connection:
            connection.execute("select set_config('role', %s, true)", (role,))
            connection.execute("select set_config('request.jwt.claims', %s, true)", (f'{{"sub": "{owner}"}}',))
            row = connection.execute(f"select count(*) from assay.{table}").fetchone()
            return cast("int", row[0]) if row else -1

    assert rows("authenticated", str(steps.user.owner)) > 0
    assert rows("authenticated", "00000000-0000-0000-0000-000000000000") == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows("anon", str(steps.user.owner))


@pytest.mark.parametrize("table", ["uploads", "jobs", "attempts", "outputs", "job_events"])
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_writes_to_a_table(superuser: Superuser, role: str, table: str) -> None:
    rights = superuser.execute(
        "select privilege from unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) privilege "
        "where has_table_privilege(%s, %s, privilege)",
        (role, f"assay.{table}"),
    ).fetchall()
    assert rights == []


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("anon", set()), ("authenticated", USER_FUNCTIONS), ("service_role", WORKER_FUNCTIONS)],
)
def test_each_role_may_call_its_own_functions_and_no_other(superuser: Superuser, role: str, allowed: set[str]) -> None:
    callable_ones = superuser.execute(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace "
        "and has_function_privilege(%s, oid, 'EXECUTE')",
        (role,),
    ).fetchall()
    assert {name for (name,) in callable_ones} == allowed


def test_every_function_fixes_its_search_path_and_every_table_has_row_level_security(superuser: Superuser) -> None:
    loose = superuser.execute(
        "select proname from pg_proc where pronamespace in ('public'::regnamespace, 'assay'::regnamespace) "
        "and not coalesce(proconfig, '{}') @> array['search_path=\"\"']"
    ).fetchall()
    open_tables = superuser.execute(
        "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r' "
        "and not relrowsecurity"
    ).fetchall()
    assert (loose, open_tables) == ([], [])


def test_a_call_without_a_user_is_refused(postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_url) as connection:
        connection.execute("set local role authenticated")
        with pytest.raises(psycopg.Error) as caught:
            connection.execute("select public.cancel_job(gen_random_uuid())")
    assert caught.value.sqlstate == "PT401"


def test_role_and_claims_do_not_outlive_the_call(db: PsycopgDatabase, steps: Steps, other_user: User) -> None:
    job_id, _ = steps.done()
    with pytest.raises(Problem):
        db.call("get_job", {"p_job_id": job_id}, other_user)
    assert steps.job(job_id)["job_id"] == job_id


def test_a_connection_that_died_while_idle_is_replaced(postgres: Postgres, superuser: Superuser) -> None:
    database = PsycopgDatabase(postgres.authenticator_url)
    database.ping()
    superuser.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'")
    database.ping()


def test_a_database_that_is_not_there_is_transient() -> None:
    with pytest.raises(Transient):
        PsycopgDatabase("postgresql://authenticator@127.0.0.1:1/postgres").ping()
