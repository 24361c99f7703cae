"""A real Postgres for the whole run. Every test uses its own owner."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from uuid import uuid4

import boto3
import botocore.session
import hypothesis
import psycopg
import pytest
from botocore.loaders import create_loader
from moto import mock_aws

from local.ministack.ministack import MiniStack
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from shared.database import Database
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.api import BUCKET, NEWS_QUEUE, QUEUE
from tests.database.servers import WITHOUT_SYNC
from tests.database.steps import Steps, Superuser
from tests.database.webhook_steps import WebhookSteps
from tests.environment import forget, leave_nothing_to_do
from tests.issuer import Issuer
from tests.supabase.gateway import Gateway
from tests.supabase.project import supabase_project_on
from tests.supabase.storage import StorageFront

# No test fails because a machine has other things to do.
hypothesis.settings.register_profile("assay", hypothesis.settings(deadline=None))
hypothesis.settings.load_profile("assay")

# Each test has a new session of boto3, which would read the descriptions of all services again.
botocore.session.create_loader = functools.cache(create_loader)

# Looks through all that is logged, of every test.
pytest_plugins = ["tests.log_watch"]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"), settings=WITHOUT_SYNC)
    server.start()
    try:
        apply_migrations(server.superuser_url)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def db(postgres: Postgres) -> PsycopgDatabase:
    return PsycopgDatabase(postgres.authenticator_url)


@pytest.fixture(scope="session")
def supabase_project(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A Supabase project: its url, its keys, tokens of its users, and its Data API on the same Postgres as `db`."""
    with supabase_project_on(postgres, tmp_path_factory.mktemp("supabase")) as project:
        yield project


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    """S3 and SQS that answer over HTTP."""
    server = MiniStack(tmp_path_factory.mktemp("ministack"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def storage_front(ministack: MiniStack, postgres: Postgres) -> Iterator[StorageFront]:
    """Supabase Storage's S3 endpoint, on the same Postgres as `db`."""
    front = StorageFront(ministack, postgres.superuser_url)
    front.start()
    yield front
    front.stop()


@pytest.fixture
def superuser(postgres: Postgres) -> Iterator[Superuser]:
    """For what no function may do: looking at the catalog, moving a lease into the past."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user() -> User:
    return User(uuid4())


@pytest.fixture
def other_user() -> User:
    return User(uuid4())


@pytest.fixture
def steps(db: Database, user: User) -> Steps:
    return Steps(db, user)


@pytest.fixture
def other_steps(db: Database, other_user: User) -> Steps:
    return Steps(db, other_user)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    thread = threading.Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()
    thread.join()


@pytest.fixture
def aws(postgres: Postgres, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a function, with moto's S3 and SQS, and with nothing that other tests left to do."""
    with psycopg.connect(postgres.superuser_url) as connection:
        leave_nothing_to_do(connection)
    for name, value in {
        "DATABASE_URL": postgres.authenticator_url,
        "SUPABASE_URL": issuer.url.removesuffix("/auth/v1"),
        "OBJECT_STORE_BUCKET": BUCKET,
        "QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}",
        "NEWS_QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/123456789012/{NEWS_QUEUE}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    forget()
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        for name in (QUEUE, NEWS_QUEUE):
            boto3.client("sqs").create_queue(QueueName=name)
        yield
    forget()


@pytest.fixture
def webhooks(db: PsycopgDatabase, user: User) -> WebhookSteps:
    return WebhookSteps(db, user)
