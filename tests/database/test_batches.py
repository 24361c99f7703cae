"""What is done in batches is done by no more than a batch at a time, whatever plan Postgres chooses for it.

A subquery with a limit that locks its rows is read again for each row of the other side of a nested loop, and then
finds others than before.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.sign_in.auth import User
from tests.database.own import OwnDatabase
from tests.database.steps import Superuser


@pytest.fixture
def superuser(own: OwnDatabase) -> Iterator[Superuser]:
    """A session that joins by nested loops alone."""
    others = (
        "hashjoin",
        "mergejoin",
        "hashagg",
        "sort",
        "indexscan",
        "indexonlyscan",
        "bitmapscan",
        "material",
        "memoize",
    )
    with own.superuser.transaction(force_rollback=True):
        for kind in others:
            own.superuser.execute(f"select set_config('enable_{kind}', 'off', true)".encode())
        # What is off counts as very dear, and what is dear would be compiled.
        own.superuser.execute("set local jit = off")
        yield own.superuser


def count(superuser: Superuser, rows: str) -> int:
    answer = superuser.execute(f"select count(*)::int from assay.{rows}".encode()).fetchone()
    assert answer is not None
    assert isinstance(answer[0], int)
    return answer[0]


def call(superuser: Superuser, function: str, user: User | None = None) -> None:
    superuser.execute(
        "select set_config('request.jwt.claims', json_build_object('sub', %s::text)::text, true)",
        (user and user.owner,),
    )
    superuser.execute(f"select {function}".encode())


def deliver(superuser: Superuser, user: User, number: int, ended: str | None = None) -> None:
    """Lay down deliveries of one webhook of that owner, which wait or ended so long ago."""
    secret = "whsec_" + 32 * "a"
    superuser.execute(
        "insert into assay.webhooks (owner, url, secret) values (%s, 'https://example.org/', %s)", (user.owner, secret)
    )
    superuser.execute(
        "insert into assay.deliveries"
        "  (webhook_id, owner, job_id, type, data, occurred_at, state, next_attempt_at, ended_at) "
        "select webhook_id, owner, gen_random_uuid(), 'job.done', '{}', now(), "
        "  case when ended is null then 'pending' else 'delivered' end, case when ended is null then now() end, ended "
        "from assay.webhooks, generate_series(1, %s), (select now() - %s::interval) e (ended) where owner = %s",
        (number, ended, user.owner),
    )


def test_an_account(own: OwnDatabase, superuser: Superuser) -> None:
    user = own.owner().user
    deliver(superuser, user, 50)
    for left in (30, 10, 0):
        call(superuser, "delete_account(20)", user)
        assert count(superuser, "deliveries") == left
    assert count(superuser, "webhooks") == 0


def test_old_deliveries(own: OwnDatabase, superuser: Superuser) -> None:
    deliver(superuser, own.owner().user, 2500, "31 days")
    for left in (1500, 500, 0):
        call(superuser, "assay.forget_deliveries()")
        assert count(superuser, "deliveries") == left


def test_deliveries_of_deleted_webhooks(own: OwnDatabase, superuser: Superuser) -> None:
    deliver(superuser, own.owner().user, 2500)
    superuser.execute("update assay.webhooks set deleted_at = now(), secret = null")
    for left in (1500, 500, 0):
        call(superuser, "assay.forget_deliveries()")
        assert count(superuser, "deliveries") == left
    assert count(superuser, "webhooks") == 0


def test_uploads_that_never_came(own: OwnDatabase, superuser: Superuser) -> None:
    own.queue(own.owner(), 500)
    superuser.execute("set local session_replication_role = replica")
    superuser.execute("update assay.jobs set status = 'awaiting_upload', created_at = now() - interval '2 days'")
    superuser.execute("set local session_replication_role = origin")
    superuser.execute("update assay.uploads set stored_at = null, last_used = now() - interval '2 days'")
    for expired in (200, 400, 500):
        call(superuser, "sweep_jobs(86400, 60)")
        assert count(superuser, "jobs where status = 'expired'") == expired


def test_jobs_that_nobody_took(own: OwnDatabase, superuser: Superuser) -> None:
    own.queue(own.owner(), 500)
    superuser.execute("update assay.jobs set run_after = now() - interval '1 hour'")
    for told in (200, 400, 500):
        call(superuser, "sweep_jobs(86400, 60)")
        assert count(superuser, "jobs where run_after = now()") == told
