"""Removes expired jobs, and deletes objects that no row refers to.

Rows are deleted first, in a transaction that records the keys of their objects. A key is removed when its object is
deleted. The clean-up may therefore be interrupted at any time, and may run concurrently.
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

# No page is started after this. The rest waits for the next sweep.
_SECONDS = 20
_UPLOAD_IN_PARTS = timedelta(days=1)


class _Page(BaseModel):
    removed: int
    keys: list[str]


def clean_up() -> None:
    """Remove expired jobs and delete recorded objects, page by page, until the time limit.

    An object that cannot be deleted does not stop the others. Raises Transient if the database does not answer, and at
    the end if the object store did not delete some objects. The next sweep continues.
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
    """Abort multipart uploads that no worker will complete. On S3, a lifecycle rule of the bucket does this.

    Raises Transient if the object store does not answer.
    """
    if settings().storage == "supabase":
        object_store().abort_uploads(datetime.now(UTC) - _UPLOAD_IN_PARTS)


def _delete(keys: list[str], stop_at: float) -> list[Transient]:
    """Delete the objects under the keys (a key that ends in a slash is a prefix), and report which are deleted.

    Returns the failures. If the store does not answer, each try takes seconds; none is started after `stop_at`.
    """
    store = object_store()
    failures: list[Transient] = []
    # Uploads first, in one request: a new upload of the same bytes waits for their deletion.
    uploads = [key for key in keys if not key.endswith("/")]
    remaining: frozenset[str] = frozenset()
    try:
        store.delete(uploads)
    except ObjectsStay as error:
        remaining = error.keys
        failures.append(error)
    except Transient as error:
        remaining = frozenset(uploads)
        failures.append(error)
    deleted: list[JsonValue] = [key for key in uploads if key not in remaining]
    count = len(deleted)
    try:
        for prefix in keys:
            if not prefix.endswith("/") or (failures and time.monotonic() >= stop_at):
                continue
            try:
                count += store.delete_prefix(prefix)
                deleted.append(prefix)
            except Transient as error:
                failures.append(error)
    finally:
        database().call("objects_deleted", {"p_keys": deleted}, as_user=None)
        measure("ObjectsDeleted", count)
    return failures
