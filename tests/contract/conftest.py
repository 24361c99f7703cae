"""Both ways to the database, each as it is used: by psycopg, and by the real PostgREST with either kind of API keys."""

from __future__ import annotations

from uuid import uuid4

import pytest

from local.postgres.server import Postgres
from shared.database import Database
from shared.database.data_api import DataApiDatabase
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.contract.transport import Transport
from tests.supabase.gateway import Gateway


@pytest.fixture(params=["psycopg", "data_api", "data_api_legacy_keys"])
def transport(request: pytest.FixtureRequest, postgres: Postgres) -> Transport:
    if request.param == "psycopg":
        return Transport(PsycopgDatabase(postgres.authenticator_url), User)
    project: Gateway = request.getfixturevalue("supabase_project")
    keys = (
        (project.publishable_key, project.secret_key)
        if request.param == "data_api"
        else (project.anon_key, project.service_role_key)
    )
    db = DataApiDatabase(project.url, publishable_key=keys[0], secret_key=keys[1])
    return Transport(db, lambda owner: User(owner, project.token(owner)))


@pytest.fixture
def db(transport: Transport) -> Database:
    return transport.db


@pytest.fixture
def user(transport: Transport) -> User:
    return transport.sign_in(uuid4())


@pytest.fixture
def other_user(transport: Transport) -> User:
    return transport.sign_in(uuid4())
