"""The environment variables of the functions, and what they keep between invocations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.database import database
from shared.object_store import object_store
from shared.queue import news_queue, queue
from shared.settings import settings
from shared.sign_in.auth import verifier
from tests.database.steps import Superuser

NOTHING_THERE = "postgresql://authenticator@127.0.0.1:1/postgres"


@contextmanager
def environment(**changes: str) -> Iterator[None]:
    """Run the functions with these variables changed."""
    with pytest.MonkeyPatch.context() as changed:
        for name, value in changes.items():
            changed.setenv(name, value)
        forget()
        yield
    forget()


def leave_nothing_to_do(superuser: Superuser) -> None:
    """Leave no job to claim or to sweep up, and no webhook to send."""
    superuser.execute(
        "update assay.jobs set status = 'cancelled', lease_expires_at = null, finished_at = now()"
        " where status in ('queued', 'running')"
    )
    superuser.execute("delete from assay.webhooks")


def forget() -> None:
    """Drop what the functions keep between invocations."""
    for kept in (settings, database, object_store, queue, news_queue, verifier):
        kept.cache_clear()
