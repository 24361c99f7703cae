"""The messages that are sent again at the start, on a real Postgres and a real MiniStack."""

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from local.ministack.ministack import BUCKET, NEWS_QUEUE, QUEUE, MiniStack
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from local.recovery import tell_again
from shared.queue.events import RUN_HINT

OWNER = uuid.UUID("7d444840-9dc0-41d1-b245-5ffdce74fad2")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, MiniStack]]:
    home = tmp_path_factory.mktemp("recovery")
    postgres, ministack = Postgres(home), MiniStack(home)
    postgres.start()
    try:
        apply_migrations(postgres.superuser_url)
        ministack.start()
        yield postgres, ministack
    finally:
        ministack.stop()
        postgres.stop()


def job(postgres: Postgres, sha256: str, columns: str, values: str) -> None:
    with psycopg.connect(postgres.superuser_url) as connection:
        connection.execute(
            "insert into assay.uploads (owner, sha256, size_bytes, filename) values (%s, %s, 1, 'a.csv')",
            (OWNER, sha256),
        )
        connection.execute(
            f"insert into assay.jobs (owner, upload_id, filename, size_bytes, {columns}) "
            f"select owner, upload_id, filename, size_bytes, {values} from assay.uploads where sha256 = %s".encode(),
            (sha256,),
        )


def test_what_waits_is_told_again_and_nothing_else(parts: tuple[Postgres, MiniStack]) -> None:
    postgres, ministack = parts
    arrived, never_sent, queued, later, running, failed = (letter * 64 for letter in "abcdef")
    for sha256 in (arrived, queued, later, running, failed):
        ministack.s3().put_object(Bucket=BUCKET, Key=f"uploads/{OWNER}/{sha256}", Body=b"x")
    ministack.sqs().purge_queue(QueueUrl=ministack.queue_url(NEWS_QUEUE))
    job(postgres, arrived, "status", "'awaiting_upload'")
    job(postgres, never_sent, "status", "'awaiting_upload'")
    job(postgres, queued, "status", "'queued'")
    job(postgres, later, "status, run_after", "'queued', now() + interval '100 s'")
    job(postgres, running, "status, lease_expires_at", "'running', now() + interval '100 s'")
    job(
        postgres, failed, "status, finished_at, error", """'failed', now(), '{"code":"","detail":"","suggestion":""}'"""
    )

    assert tell_again(postgres.superuser_url, ministack) == 3

    [news] = messages(ministack, NEWS_QUEUE)
    [record] = json.loads(news)["Records"]
    assert record["s3"]["object"]["key"] == f"uploads/{OWNER}/{arrived}"
    assert messages(ministack, QUEUE) == [RUN_HINT]
    attributes = ministack.sqs().get_queue_attributes(QueueUrl=ministack.queue_url(), AttributeNames=["All"])
    assert attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1", "its retry is not due yet"


def messages(ministack: MiniStack, queue: str) -> list[str]:
    received = ministack.sqs().receive_message(QueueUrl=ministack.queue_url(queue), MaxNumberOfMessages=10)
    return [message["Body"] for message in received["Messages"]]
