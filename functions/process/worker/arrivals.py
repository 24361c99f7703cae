"""News of a new object: the jobs that waited for it are queued, and the queue is told that there is work."""

from __future__ import annotations

from pydantic import BaseModel

from shared.database import database
from shared.errors import AssayError
from shared.object_store import object_store
from shared.queue.events import RUN_HINT, ObjectCreated
from shared.queue.hints import send_hint
from shared.telemetry import logger


class UnknownUpload(AssayError):
    """An object under a key that is none of ours."""


class _Created(BaseModel):
    known: bool
    noted: bool
    queued: int


def take(created: ObjectCreated) -> None:
    """Queue the jobs that waited for the object, and send a hint for each of its jobs that no worker has yet.

    Those include jobs that were queued before, whose hint may be lost. An object that nobody has announced is noted in
    the database: it serves whoever announces it within a day, and is deleted then. One that is gone again is passed
    over: a job that waits for the same bytes to be sent once more would be failed by it.

    Taken twice, the same news does no harm. Raises UnknownUpload, and Transient where the store, the database or the
    queue does not answer.
    """
    if not object_store().has(created.key):
        logger.info("news of an object that is gone", key=created.key)
        return
    found = _Created.model_validate(database().call("object_created", {"p_key": created.key}, as_user=None))
    if not (found.known or found.noted):
        raise UnknownUpload(created.key)
    if not found.known:
        logger.warning("an object that nobody has announced", key=created.key)
    send_hint(RUN_HINT, count=found.queued)
