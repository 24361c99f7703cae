"""Handles news of a new object: queues the jobs that wait for it, and sends hints."""

from __future__ import annotations

from pydantic import BaseModel

from shared.database import database
from shared.errors import AssayError
from shared.object_store import object_store
from shared.queue.events import RUN_HINT, ObjectCreated
from shared.queue.hints import send_hint
from shared.telemetry import logger


class UnknownUpload(AssayError):
    """An object under an unexpected key."""


class _Created(BaseModel):
    known: bool
    noted: bool
    queued: int


def take(created: ObjectCreated) -> None:
    """Queue the jobs that wait for the object, and send a hint for each of its queued jobs.

    This includes jobs that were queued earlier, whose hint may be lost. An object without a registered upload is
    recorded in the database: an upload registered within a day uses it, otherwise it is deleted. An object that no
    longer exists is ignored, because queueing a job that waits for a new upload of the same bytes would make the job
    fail.

    Idempotent. Raises UnknownUpload, and Transient if the object store, the database or the queue does not answer.
    """
    if not object_store().has(created.key):
        logger.info("object no longer exists", key=created.key)
        return
    registered = _Created.model_validate(database().call("object_created", {"p_key": created.key}, as_user=None))
    if not (registered.known or registered.noted):
        raise UnknownUpload(created.key)
    if not registered.known:
        logger.warning("object without a registered upload", key=created.key)
    send_hint(RUN_HINT, count=registered.queued)
