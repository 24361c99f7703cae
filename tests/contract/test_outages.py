"""Both transports while the real parts go away and come back: backends, Postgres itself, PostgREST, the gateway."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from shared.database import Database
from shared.database.data_api import DataApiDatabase, DataApiRefused
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Problem, Transient
from shared.sign_in.auth import User
from tests.database.steps import Steps, new_sha256
from tests.supabase.gateway import Gateway
from tests.supabase.project import supabase_project_on

_RECOVERY_SECONDS = 60  # PostgREST waits up to 32 s between two looks at whether Postgres is there again


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One that these tests may stop."""
    server = Postgres(tmp_path_factory.mktemp("own_postgres"))
    server.start()
    try:
        apply_migrations(server.superuser_url)
        # As a hosted project has it, where it is 8 s. PostgREST reads it when it starts.
        run(server, "alter role authenticated set statement_timeout = '1s'")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def project(own_postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with supabase_project_on(own_postgres, tmp_path_factory.mktemp("own_supabase")) as project:
        yield project


@dataclass(frozen=True)
class Side:
    db: Database
    user: User


@pytest.fixture(params=["psycopg", "data_api"])
def side(request: pytest.FixtureRequest, own_postgres: Postgres) -> Side:
    owner = uuid4()
    if request.param == "psycopg":
        return Side(PsycopgDatabase(own_postgres.authenticator_url), User(owner))
    project: Gateway = request.getfixturevalue("project")
    return Side(data_api(project), User(owner, project.token(owner)))


def data_api(project: Gateway) -> DataApiDatabase:
    return DataApiDatabase(project.url, publishable_key=project.publishable_key, secret_key=project.secret_key)


def run(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_backends_that_die_between_calls_are_no_matter(own_postgres: Postgres, side: Side) -> None:
    steps = Steps(side.db, side.user)
    job_id, _ = steps.done()
    for _ in range(3):
        run(
            own_postgres,
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'authenticator'",
        )
        assert steps.job(job_id)["status"] == "done"
        side.db.ping()


def test_many_connections_that_died_while_idle_cost_one_try(own_postgres: Postgres) -> None:
    """Eight calls wait for one row, so that there are eight connections, more than there are tries."""
    database = PsycopgDatabase(own_postgres.authenticator_url)
    steps, sha256 = Steps(database, User(uuid4())), new_sha256()
    steps.register(sha256)
    waiting = "select count(*) from pg_stat_activity where usename = 'authenticator' and wait_event_type = 'Lock'"
    with psycopg.connect(own_postgres.superuser_url) as other, ThreadPoolExecutor(8) as threads:
        other.execute("select 1 from assay.uploads where sha256 = %s for update", (sha256,))
        calls = [threads.submit(steps.register, sha256) for _ in range(8)]
        with psycopg.connect(own_postgres.superuser_url, autocommit=True) as watcher:
            while watcher.execute(waiting).fetchone() != (8,):
                assert not any(call.done() for call in calls)
        other.rollback()
        for call in calls:
            call.result()
    run(own_postgres, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'authenticator'")
    database.ping()


def test_a_statement_that_takes_too_long_is_tried_again(
    own_postgres: Postgres, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another transaction holds the upload's row; it lets go when the first try has timed out."""
    sha256 = new_sha256()
    steps = Steps(side.db, side.user)
    steps.register(sha256)
    monkeypatch.setattr("shared.database.psycopg_database.STATEMENT_SECONDS", 1)
    delays: list[float] = []
    with psycopg.connect(own_postgres.superuser_url) as other:
        other.execute("select 1 from assay.uploads where sha256 = %s for update", (sha256,))

        def let_go(delay: float) -> None:
            delays.append(delay)
            other.rollback()

        monkeypatch.setattr("shared.database.transport.time.sleep", let_go)
        assert steps.register(sha256)["upload"]["times_used"] == 2
    assert len(delays) == 1


def test_postgres_stops_and_starts_again(own_postgres: Postgres, side: Side) -> None:
    steps = Steps(side.db, side.user)
    job_id, _ = steps.done()
    own_postgres.stop()
    try:
        with pytest.raises(Transient):
            steps.job(job_id)
        with pytest.raises(Transient):
            side.db.ping()
    finally:
        own_postgres.start()
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while True:
        try:
            assert steps.job(job_id)["status"] == "done"
        except Transient:
            assert time.monotonic() < deadline
        else:
            return


def test_a_gateway_that_does_not_reach_postgrest_is_transient(
    project: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "postgrest_url", "http://127.0.0.1:1")
    with pytest.raises(Transient):
        data_api(project).ping()


@pytest.mark.parametrize(
    "database",
    [
        PsycopgDatabase("postgresql://authenticator@127.0.0.1:1/postgres"),
        DataApiDatabase("http://127.0.0.1:1", publishable_key="sb_publishable_x", secret_key=None),
    ],
    ids=["psycopg", "data_api"],
)
def test_an_address_where_nobody_answers_is_transient(database: Database) -> None:
    with pytest.raises(Transient):
        database.ping()


@pytest.mark.parametrize("key", ["sb_secret_of_another_project", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"])
def test_a_wrong_secret_key_is_said_to_be_wrong(project: Gateway, key: str) -> None:
    database = DataApiDatabase(project.url, publishable_key=project.publishable_key, secret_key=key)
    with pytest.raises(DataApiRefused, match="SUPABASE_SECRET_KEY") as caught:
        database.call("object_created", {"p_key": "x"}, None)
    assert key not in str(caught.value)


def test_ping_does_with_either_key_and_with_no_other(project: Gateway) -> None:
    for publishable, secret in ((project.publishable_key, None), (None, project.secret_key), (project.anon_key, None)):
        DataApiDatabase(project.url, publishable_key=publishable, secret_key=secret).ping()
    with pytest.raises(DataApiRefused):
        DataApiDatabase(project.url, publishable_key="sb_publishable_x", secret_key=None).ping()


@pytest.mark.parametrize(
    "changes",
    [{"exp": datetime.now(UTC) - timedelta(minutes=2)}, {"aud": "another"}, {"nbf": datetime.now(UTC) + timedelta(1)}],
    ids=["expired", "for another audience", "of the future"],
)
def test_a_token_that_postgrest_refuses_is_not_signed_in(project: Gateway, changes: dict[str, Any]) -> None:
    user = User(uuid4(), project.issuer.token(**changes))
    with pytest.raises(Problem) as caught:
        Steps(data_api(project), user).jobs()
    assert (caught.value.status, caught.value.code) == (401, "not_signed_in")


def test_a_token_signed_with_the_project_s_secret_does_as_well(project: Gateway) -> None:
    owner = uuid4()
    user = User(owner, project.issuer.secret_token(sub=str(owner)))
    assert Steps(data_api(project), user).jobs() == []


def test_a_user_s_call_needs_the_user_s_token(project: Gateway) -> None:
    with pytest.raises(ValueError, match="access token"):
        Steps(data_api(project), User(uuid4())).jobs()
