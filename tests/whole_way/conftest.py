from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.client import Client
from functions.download.app import handler as download
from functions.process.app import handler as process
from functions.upload.app import handler as upload
from local.aws.poller import Poller
from local.aws.template import Template
from local.ministack.ministack import BUCKET, NEWS_QUEUE, QUEUE, REGION, MiniStack
from local.stack import Stack
from shared.sign_in.auth import User
from tests import api
from tests.database.steps import Superuser
from tests.environment import forget, leave_nothing_to_do
from tests.log_watch import CANARY
from tests.supabase import storage
from tests.supabase.gateway import Gateway
from tests.whole_way.service import Service, settings_of


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A complete local stack, with short leases, so that a killed worker is replaced soon."""
    stack = Stack(tmp_path_factory.mktemp("stack"), lease_seconds=3, retry_base_seconds=1)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture
def client(stack: Stack, user: User) -> Iterator[Client]:
    with Client(stack.url, stack.token_for(user.owner)) as client:
        yield client


@pytest.fixture
def measurements(tmp_path: Path, user: User) -> Path:
    """A small file that no other test has sent."""
    path = tmp_path / "river.csv"
    path.write_text(
        f"Station_ID,Date_Time,PCode,Result,Owner\nCT,2024-01-01 10:00,Data 1,1.411,{user.owner}\n"
        f"CT,2024-01-01 11:00,Data 10,,{CANARY}\nTUS,2024-01-02 10:00,Data 2,176,{CANARY}\n"
    )
    return path


@pytest.fixture
def kind() -> str:
    return "supabase"


@pytest.fixture
def service(
    kind: str,
    supabase_project: Gateway,
    ministack: MiniStack,
    storage_front: storage.StorageFront,
    superuser: Superuser,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:
    key_id, secret = ministack.access_key
    environment = {
        "SUPABASE_URL": supabase_project.url,
        "SUPABASE_PUBLISHABLE_KEY": supabase_project.publishable_key,
        "SUPABASE_SECRET_KEY": supabase_project.secret_key,
        "OBJECT_STORE_BUCKET": BUCKET,
        "QUEUE_URL": ministack.queue_url(),
        "NEWS_QUEUE_URL": ministack.queue_url(NEWS_QUEUE),
        "AWS_ENDPOINT_URL_SQS": ministack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in (environment | settings_of(kind, ministack, storage_front)).items():
        monkeypatch.setenv(name, value)
    superuser.execute("delete from assay.outbox")
    storage_front.webhooks.clear()
    leave_nothing_to_do(superuser)
    forget()
    sqs, consumers = ministack.sqs(), Template.read().consumers
    urls = [ministack.queue_url(name) for name in (NEWS_QUEUE, QUEUE)]
    for url in urls:
        sqs.purge_queue(QueueUrl=url)
    issuer, owner = supabase_project.issuer, user.owner
    yield Service(
        kind,
        api.Client(upload, issuer, owner),
        api.Client(download, issuer, owner),
        Poller(sqs, urls[0], consumers["NewsQueue"], process),
        Poller(sqs, urls[1], consumers["Queue"], process),
        storage_front,
    )
    forget()
