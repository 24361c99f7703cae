"""Postgres as a hosted project has it, for each version where the version matters."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.database.hosted import ROLE, at, hosted
from tests.database.own import EMPTY, OwnDatabase
from tests.database.servers import SERVERS, WITHOUT_SYNC
from tests.database.steps import Superuser
from tests.database.webhook_steps import WebhookSteps

OWN = "own"


# What depends on the version of Postgres: all else is tested on the embedded one alone.
ON_EVERY_VERSION = {"test_migrations", "test_catalog", "test_matrix", "test_functions"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "postgres" in metafunc.fixturenames:
        names = SERVERS if metafunc.definition.path.stem in ON_EVERY_VERSION else ["embedded"]
        metafunc.parametrize("postgres", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with two databases like those of a hosted project: `postgres`, and for `own` its copy."""
    binaries = SERVERS[request.param]
    server = Postgres(tmp_path_factory.mktemp("postgres"), binaries=binaries, settings=WITHOUT_SYNC)
    server.start()
    try:
        apply_migrations(hosted(server, "postgres"))
        with psycopg.connect(at(server.superuser_url, "template1"), autocommit=True) as superuser:
            superuser.execute(f"create database {OWN} template postgres owner {ROLE}".encode())
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def other_database(postgres: Postgres) -> Iterator[OwnDatabase]:
    """A second database on the same server, for `own`."""
    with psycopg.connect(at(postgres.superuser_url, OWN), autocommit=True) as superuser:
        url = at(postgres.authenticator_url, OWN)
        yield OwnDatabase(superuser, url, PsycopgDatabase(url))


@pytest.fixture
def own(other_database: OwnDatabase, monkeypatch: pytest.MonkeyPatch) -> OwnDatabase:
    """A database in which nothing is but what the test itself makes; and a deadlock is not tried again, but seen."""
    other_database.superuser.execute(EMPTY)
    monkeypatch.setattr("shared.database.transport._TRIES", 1)
    return other_database


# Of its own: pytest would keep that of tests/conftest.py, which speaks to another server, for the whole run.
@pytest.fixture(scope="session")
def db(postgres: Postgres) -> PsycopgDatabase:
    return PsycopgDatabase(postgres.authenticator_url)


@pytest.fixture
def no_webhooks(superuser: Superuser) -> None:
    """What is claimed is anybody's: nothing is left of other tests."""
    superuser.execute("delete from assay.webhooks")


@pytest.fixture
def others(db: PsycopgDatabase, other_user: User) -> WebhookSteps:
    return WebhookSteps(db, other_user)
