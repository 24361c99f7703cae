"""A database of a test's own: whichever job is next, it is one of this test's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from tests.database.steps import Steps, Superuser

_Answer = TypeVar("_Answer")

EMPTY = """
delete from assay.uploads;
delete from assay.outbox;
delete from assay.webhooks;
delete from assay.owners;
delete from assay.deletions;
"""


@dataclass(frozen=True)
class OwnDatabase:
    """The database as superuser, and as the functions' login."""

    superuser: Superuser
    authenticator_url: str
    db: PsycopgDatabase

    def owner(self, plan: str = "free") -> Steps:
        """A new owner."""
        steps = Steps(self.db, User(uuid4()))
        steps.set_plan(plan)
        return steps

    def queue(self, steps: Steps, count: int) -> list[str]:
        """Queue so many jobs of that owner, as past any limit; return their ids in the order of their turns."""
        self.superuser.execute(
            "with sent as (insert into assay.uploads (owner, sha256, size_bytes, filename, stored_at) "
            "  select %(owner)s, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 10, 'a.csv', now() "
            "  from generate_series(1, %(count)s) returning upload_id) "
            "insert into assay.jobs (owner, upload_id, filename, size_bytes, status) "
            "select %(owner)s, upload_id, 'a.csv', 10, 'queued' from sent",
            {"owner": steps.user.owner, "count": count},
        )
        rows = self.superuser.execute(
            "select job_id::text from assay.jobs where owner = %s and status = 'queued' order by turn desc limit %s",
            (steps.user.owner, count),
        )
        return [str(job_id) for (job_id,) in rows][::-1]

    def together(self, callers: Sequence[Steps], call: Callable[[Steps, int], _Answer]) -> list[_Answer]:
        """Call with each of these at once, each with its number; return the answers in their order."""
        ready = Barrier(len(callers))

        def one(number: int) -> _Answer:
            steps = Steps(PsycopgDatabase(self.authenticator_url), callers[number].user)
            ready.wait(timeout=30)
            return call(steps, number)

        with ThreadPoolExecutor(len(callers)) as pool:
            return list(pool.map(one, range(len(callers))))
