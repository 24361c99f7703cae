"""A local stack of its own, whose users send nothing but junk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from assay.client import Client, LocalFile
from local.stack import Stack
from shared.sign_in.auth import User
from tests.fuzz.running import Users
from tests.log_watch import CANARY


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("fuzzed"), lease_seconds=10, retry_base_seconds=1)
    stack.start()
    with psycopg.connect(stack.superuser_url) as connection:
        connection.execute("insert into assay.plans values ('fuzzed', 10, 1000000, 9e18, 1)")
    yield stack
    stack.stop()


@pytest.fixture
def users(stack: Stack, user: User, other_user: User, tmp_path: Path) -> Users:
    """Two users whose plan has room for hundreds of uploads.

    Each has three jobs that are done, because fuzzing deletes some, one that was cancelled, one that waits for its
    bytes, and remembered columns.
    """
    columns: list[str] = []
    with psycopg.connect(stack.superuser_url) as connection:
        for one in (user, other_user):
            connection.execute("insert into assay.owners (owner, plan) values (%s, 'fuzzed')", (one.owner,))
            remembered = connection.execute(
                "insert into assay.remembered_columns "
                "(owner, dataset_type, header_sha256, columns, filename, chosen_by) "
                "select %s, 'table', repeat(n::text, 64), '{}', 'a.csv', %s from generate_series(1, 8) n "
                "returning choice_id::text",
                (one.owner, one.owner),
            )
            columns.extend(choice_id for (choice_id,) in remembered)
    tokens = {"one": stack.token_for(user.owner), "other": stack.token_for(other_user.owner)}
    users = Users(tokens, columns=columns)
    for token in users.tokens.values():
        with Client(stack.url, token) as client:
            for ending in ("done", "done", "done", "cancelled", "awaiting_upload"):
                users.jobs.append(str(job := made(client, tmp_path, ending)))
                users.outputs.extend(str(output.output_id) for output in client.outputs(job))
    return users


def made(client: Client, folder: Path, ending: str) -> UUID:
    """A job of a file that nobody has sent."""
    path = folder / "river.csv"
    path.write_text(f"Station_ID,Date_Time,PCode,Result,Note\nCT,2024-01-01 10:00,{CANARY},1.5,{uuid4()}\n")
    file = LocalFile.read(path)
    answer = client.register(file, None, {}, "reuse")
    job_id = answer.job.job_id
    if ending == "cancelled":
        client.cancel(job_id)
    elif ending == "done":
        assert answer.put is not None
        client.send(file, answer.put)
        assert client.wait(job_id).status == "done"
    return job_id
