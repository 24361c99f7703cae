"""The outbox: what Supabase Storage holds and nobody took yet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.object_store.keys import upload_key
from tests.database.steps import Steps, Superuser, new_sha256

_PUT = """
insert into storage.objects as o (bucket_id, name, version) values (%s, %s, 'one')
on conflict (bucket_id, name) do update set version = o.version || ' more'
"""


@pytest.fixture(autouse=True)
def bucket(superuser: Superuser) -> None:
    """Both buckets, and an outbox that other tests left nothing in."""
    superuser.execute(
        "insert into storage.buckets (id, name) values ('assay', 'assay'), ('b', 'b') on conflict do nothing"
    )
    superuser.execute("delete from assay.outbox")


def put(connection: Superuser, key: str, bucket: str = "assay") -> None:
    """What the storage server does when the bytes are there: as its service_role, an upsert."""
    with connection.transaction():
        connection.execute("set local role service_role")
        connection.execute(_PUT, (bucket, key))


def age(superuser: Superuser, key: str) -> None:
    """Move the time at which the queue was told of the key an hour into the past."""
    superuser.execute("update assay.outbox set told_at = told_at - interval '1 hour' where object_key = %s", (key,))


def new_key(steps: Steps) -> str:
    return upload_key(steps.user.owner, new_sha256())


def test_an_object_is_told_of_until_it_is_taken(steps: Steps, superuser: Superuser) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256)["job"]["job_id"]
    key = upload_key(steps.user.owner, sha256)
    put(superuser, key)
    assert steps.drain() == [key]
    assert steps.drain() == []
    age(superuser, key)
    assert steps.drain() == [key]
    assert steps.arrive(sha256) == {"known": True, "noted": False, "jobs": [job_id], "queued": 1}
    age(superuser, key)
    assert steps.drain() == []


def test_an_overwrite_is_told_of_anew(steps: Steps, superuser: Superuser) -> None:
    key = new_key(steps)
    put(superuser, key)
    assert steps.drain() == [key]
    put(superuser, key)
    assert steps.drain() == [key]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("name = 'uploads/renamed'", ["uploads/renamed"]),
        ("name = 'elsewhere/renamed'", []),
        ("bucket_id = 'b'", []),
        ("version = 'two'", ["uploads/first"]),
    ],
    ids=["renamed", "renamed out of uploads", "moved to another bucket", "overwritten"],
)
def test_an_old_name_is_told_of_no_more(steps: Steps, superuser: Superuser, change: str, left: list[str]) -> None:
    put(superuser, "uploads/first")
    assert steps.drain() == ["uploads/first"]
    age(superuser, "uploads/first")
    with superuser.transaction():
        superuser.execute("set local role service_role")
        superuser.execute(f"update storage.objects set {change} where name = 'uploads/first'".encode())
    assert steps.drain() == left
    superuser.execute("delete from storage.objects where version like 'one%' or version = 'two'")


def test_an_object_that_is_deleted_is_told_of_no_more(steps: Steps, superuser: Superuser) -> None:
    key, other = new_key(steps), new_key(steps)
    for one in (key, other):
        put(superuser, one)
    put(superuser, key, bucket="b")
    with superuser.transaction():
        superuser.execute("set local role service_role")
        superuser.execute("delete from storage.objects where name = %s and bucket_id = 'b'", (key,))
    assert steps.drain() == [key, other]
    age(superuser, key)
    with superuser.transaction():
        superuser.execute("set local role service_role")
        superuser.execute("delete from storage.objects where name = %s", (key,))
    assert steps.drain() == []
    put(superuser, key)
    assert steps.drain() == [key]


def test_only_uploads_in_our_bucket_are_noted(steps: Steps, superuser: Superuser) -> None:
    key = new_key(steps)
    put(superuser, key.replace("uploads/", "outputs/"))
    put(superuser, key, bucket="b")
    assert steps.drain() == []


def test_an_upload_by_a_user_is_noted_though_they_have_no_right_to_the_outbox(
    steps: Steps, superuser: Superuser
) -> None:
    key = new_key(steps)
    with superuser.transaction():
        superuser.execute("create policy anybody on storage.objects for insert to authenticated with check (true)")
        superuser.execute("set local role authenticated")
        superuser.execute("insert into storage.objects (bucket_id, name) values ('assay', %s)", (key,))
        superuser.execute("reset role")
        superuser.execute("drop policy anybody on storage.objects")
    assert steps.drain() == [key]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_by_itself_nobody_reaches_an_object_with_a_token_of_their_own(
    steps: Steps, superuser: Superuser, role: str
) -> None:
    """Supabase's own Storage API asks as the user: without a policy, row level security leaves them nothing."""
    put(superuser, new_key(steps))
    assert superuser.execute("select policyname from pg_policies where schemaname = 'storage'").fetchall() == []
    with superuser.transaction():
        superuser.execute(f"set local role {role}".encode())
        for statement in ("select from", "update", "delete from"):
            change = " set version = 'mine'" if statement == "update" else ""
            assert superuser.execute(f"{statement} storage.objects{change}".encode()).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege), superuser.transaction():
            superuser.execute("insert into storage.objects (bucket_id, name) values ('assay', %s)", (new_key(steps),))


def test_an_upload_that_is_rolled_back_is_not_noted(steps: Steps, superuser: Superuser) -> None:
    with superuser.transaction():
        put(superuser, new_key(steps))
        raise psycopg.Rollback
    assert steps.drain() == []


def test_an_object_that_nobody_registered_leaves_the_outbox_when_its_message_is_taken(
    steps: Steps, superuser: Superuser
) -> None:
    sha256 = new_sha256()
    key = upload_key(steps.user.owner, sha256)
    put(superuser, key)
    steps.drain()
    assert steps.arrive(sha256)["known"] is False
    age(superuser, key)
    assert steps.drain() == []


def test_a_thousand_at_a_time_the_oldest_first(steps: Steps, superuser: Superuser) -> None:
    superuser.execute(
        "insert into assay.outbox (object_key, written_at) "
        "select 'uploads/' || n, now() - make_interval(secs => n) from generate_series(1, 1001) n"
    )
    assert steps.drain() == [f"uploads/{number}" for number in range(1001, 1, -1)]
    assert steps.drain() == ["uploads/1"]


def test_two_that_drain_at_once_get_different_keys(postgres: Postgres, steps: Steps, superuser: Superuser) -> None:
    superuser.execute("insert into assay.outbox (object_key) select 'uploads/' || n from generate_series(1, 500) n")

    def drain(_: int) -> list[str]:
        return Steps(PsycopgDatabase(postgres.authenticator_url), steps.user).drain()

    with ThreadPoolExecutor(4) as pool:
        keys = [key for drained in pool.map(drain, range(4)) for key in drained]
    assert sorted(keys) == sorted(f"uploads/{number}" for number in range(1, 501))
