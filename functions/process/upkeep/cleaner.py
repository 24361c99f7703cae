"""Removes what has expired, and deletes from the object store what no row refers to any more.

Rows go first: the transaction that removes them notes the keys of their objects, and a key is forgotten when its object
is gone. So the clean-up may run and be cut off at any moment, and twice at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, JsonValue

from shared.database import database
from shared.errors import Transient
from shared.object_store import ObjectsStay, object_store
from shared.settings import settings
from shared.telemetry import logger, measure
from shared.worker_time import WORKER_SECONDS

# No page is begun after this. What is left waits for the next sweep.
_SECONDS = 20
_UPLOAD_IN_PARTS = timedelta(days=1)


class _Page(BaseModel):
    removed: int
    keys: list[str]


def clean_up() -> None:
    """Remove jobs that have expired, and delete the objects that are noted: a page at a time, for some seconds.

    An object that cannot be deleted stops no other. Raises Transient where the database does not answer, and at the end
    where the object store did not delete; the sweep goes on a minute later.
    """
    stop_at = time.monotonic() + _SECONDS
    failures: list[Transient] = []
    while time.monotonic() < stop_at:
        answer = database().call("clean_up", {"p_quiet_seconds": WORKER_SECONDS}, as_user=None)
        page = _Page.model_validate(answer)
        if not (page.removed or page.keys):
            break
        measure("JobsRemoved", page.removed)
        if page.keys:
            failures += _delete(page.keys, stop_at)
        logger.info("cleaned up", jobs_removed=page.removed, keys=len(page.keys))
    if failures:
        raise Transient(f"{len(failures)} times {failures[0]}") from failures[0]


def abort_old_uploads() -> None:
    """Abort uploads in parts that no worker will complete. S3 does this by itself, by a rule of the bucket's.

    Raises Transient where the object store does not answer.
    """
    if settings().storage == "supabase":
        object_store().abort_uploads(datetime.now(UTC) - _UPLOAD_IN_PARTS)


def _delete(keys: list[str], stop_at: float) -> list[Transient]:
    """Delete what lies under the keys, and under those that end in a slash, which are prefixes; report what is gone.

    Returns what failed. With a store that does not answer, each try takes seconds: none is begun after `stop_at`.
    """
    store = object_store()
    failures: list[Transient] = []
    # Uploads first, and at once: whoever announces the same bytes again waits for it.
    uploads = [key for key in keys if not key.endswith("/")]
    left: frozenset[str] = frozenset()
    try:
        store.delete(uploads)
    except ObjectsStay as error:
        left = error.keys
        failures.append(error)
    except Transient as error:
        left = frozenset(uploads)
        failures.append(error)
    gone: list[JsonValue] = [key for key in uploads if key not in left]
    count = len(gone)
    try:
        for prefix in keys:
            if not prefix.endswith("/") or (failures and time.monotonic() >= stop_at):
                continue
            try:
                count += store.delete_prefix(prefix)
                gone.append(prefix)
            except Transient as error:
                failures.append(error)
    finally:
        database().call("objects_deleted", {"p_keys": gone}, as_user=None)
        measure("ObjectsDeleted", count)
    return failures
