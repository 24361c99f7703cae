"""What the queue is told again at the start, on the real Postgres and the real MiniStack."""

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from local.migrations import apply_migrations
from local.ministack import BUCKET, MiniStack
from local.postgres import Postgres
from local.recovery import tell_again

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


def test_only_uploads_that_are_there_and_whose_job_waits_are_told_again(parts: tuple[Postgres, MiniStack]) -> None:
    postgres, ministack = parts
    waiting, running, done, never_sent = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
    for sha256 in (waiting, running, done):
        ministack.s3().put_object(Bucket=BUCKET, Key=f"uploads/{OWNER}/{sha256}", Body=b"x")
    ministack.sqs().purge_queue(QueueUrl=ministack.queue_url())
    job(postgres, waiting, "status", "'awaiting_upload'")
    job(postgres, never_sent, "status", "'awaiting_upload'")
    job(postgres, running, "status, lease_expires_at", "'running', now() + interval '100 s'")
    job(postgres, done, "status, finished_at, error", """'failed', now(), '{"code":"","detail":"","suggestion":""}'""")

    assert tell_again(postgres.superuser_url, ministack) == 2

    messages = ministack.sqs().receive_message(QueueUrl=ministack.queue_url(), MaxNumberOfMessages=10)["Messages"]
    keys = [record["s3"]["object"]["key"] for message in messages for record in json.loads(message["Body"])["Records"]]
    assert keys == [f"uploads/{OWNER}/{waiting}"]
    attributes = ministack.sqs().get_queue_attributes(QueueUrl=ministack.queue_url(), AttributeNames=["All"])
    assert attributes["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1", "the lease is not over yet"
