"""What the connection itself keeps: a call's rights end with it, and a lost connection is no lost call."""

from __future__ import annotations

import psycopg
import pytest

from local.postgres import Postgres
from shared.auth import User
from shared.errors import Problem, Transient
from shared.psycopg_database import PsycopgDatabase
from tests.database.steps import Steps

Superuser = psycopg.Connection[tuple[object, ...]]


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
