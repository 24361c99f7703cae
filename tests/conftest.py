"""The real Postgres, once for the whole run; every test brings an owner of its own."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from local.migrations import apply_migrations
from local.postgres import Postgres
from shared.auth import User
from shared.database import PsycopgDatabase


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        apply_migrations(server.superuser_url)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def db(postgres: Postgres) -> PsycopgDatabase:
    return PsycopgDatabase(postgres.authenticator_url)


@pytest.fixture
def superuser(postgres: Postgres) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """For what no function may do: looking at the catalog, moving a lease into the past."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user() -> User:
    return User(uuid4())


@pytest.fixture
def other_user() -> User:
    return User(uuid4())
