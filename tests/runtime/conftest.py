"""The environment of a function: real Postgres, S3 and SQS by MiniStack, a sign-in service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.ministack import BUCKET, REGION, MiniStack
from local.postgres import Postgres
from tests.issuer import Issuer
from tests.runtime.emulator import require_emulator


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    require_emulator()
    server = MiniStack(tmp_path_factory.mktemp("ministack"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def environment(postgres: Postgres, ministack: MiniStack, issuer: Issuer) -> dict[str, str]:
    key_id, secret = ministack.access_key
    return {
        "DATABASE_URL": postgres.authenticator_url,
        "SUPABASE_URL": issuer.url.removesuffix("/auth/v1"),
        "OBJECT_STORE_BUCKET": BUCKET,
        "OBJECT_STORE_ENDPOINT": ministack.endpoint,
        "QUEUE_URL": ministack.queue_url(),
        "AWS_ENDPOINT_URL_SQS": ministack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
