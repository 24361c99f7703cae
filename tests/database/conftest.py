"""The state machine is tested on every Postgres at hand: hosted Supabase runs 15 or 17, the embedded one is 16."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.database.hosted import at, hosted, new_database
from tests.database.own import EMPTY, OwnDatabase
from tests.database.servers import SERVERS
from tests.database.steps import Superuser
from tests.database.webhook_steps import WebhookSteps


@pytest.fixture(scope="session", params=list(SERVERS.values()), ids=list(SERVERS))
def postgres(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"), binaries=request.param)
    server.start()
    try:
        apply_migrations(hosted(server, "postgres"))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def other_database(postgres: Postgres) -> Iterator[OwnDatabase]:
    """A second database on the same server, for `own`."""
    name = "own"
    apply_migrations(new_database(postgres, name))
    with psycopg.connect(at(postgres.superuser_url, name), autocommit=True) as superuser:
        url = at(postgres.authenticator_url, name)
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
def webhooks(db: PsycopgDatabase, user: User) -> WebhookSteps:
    return WebhookSteps(db, user)


@pytest.fixture
def others(db: PsycopgDatabase, other_user: User) -> WebhookSteps:
    return WebhookSteps(db, other_user)
