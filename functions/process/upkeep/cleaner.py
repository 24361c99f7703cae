"""Removes what has expired, and deletes from the object store what no row refers to any more.

Rows go first: the transaction that removes them notes the keys of their objects, and a key is forgotten when its object
is gone. So the clean-up may run and be cut off at any moment, and twice at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, JsonValue

from shared.database import database
from shared.object_store import object_store
from shared.settings import settings
from shared.telemetry import logger, measure

# No page is begun after this. What is left waits for the next sweep.
_SECONDS = 20
# As long as a worker lives. What it was handed by then and did not report, another one gets.
_QUIET_SECONDS = 900
_UPLOAD_IN_PARTS = timedelta(days=1)


class _Page(BaseModel):
    removed: int
    keys: list[str]


def clean_up() -> None:
    """Remove jobs that have expired, and delete the objects that are noted: a page at a time, for some seconds.

    Raises Transient where the database or the object store does not answer, or does not delete; the sweep goes on a
    minute later.
    """
    stop_at = time.monotonic() + _SECONDS
    while time.monotonic() < stop_at:
        answer = database().call("clean_up", {"p_quiet_seconds": _QUIET_SECONDS}, as_user=None)
        page = _Page.model_validate(answer)
        if not (page.removed or page.keys):
            break
        measure("JobsRemoved", page.removed)
        if page.keys:
            _delete(page.keys)
        logger.info("cleaned up", jobs_removed=page.removed, keys=len(page.keys))
    if settings().storage == "supabase":
        # S3 does this by itself, by a rule of the bucket's.
        object_store().abort_uploads(datetime.now(UTC) - _UPLOAD_IN_PARTS)


def _delete(keys: list[str]) -> None:
    """Delete what lies under the keys, and under those that end in a slash, which are prefixes; report what is gone."""
    store = object_store()
    # Uploads first, and at once: whoever announces the same bytes again waits for it.
    uploads = [key for key in keys if not key.endswith("/")]
    store.delete(uploads)
    gone: list[JsonValue] = [*uploads]
    count = len(uploads)
    try:
        for prefix in keys:
            if prefix.endswith("/"):
                count += store.delete_prefix(prefix)
                gone.append(prefix)
    finally:
        database().call("objects_deleted", {"p_keys": gone}, as_user=None)
        measure("ObjectsDeleted", count)
