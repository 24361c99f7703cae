"""Sends news of new objects in Supabase Storage, from the outbox that a database trigger fills."""

from __future__ import annotations

from pydantic import BaseModel

from shared.database import database
from shared.queue import news_queue
from shared.queue.events import created_message
from shared.telemetry import logger
from shared.worker_time import WORKER_SECONDS


class _Drained(BaseModel):
    keys: list[str]


def tell_of_outbox() -> None:
    """Send news of every object in the outbox, unless it was sent recently.

    A row is deleted only when a message about its object is processed, so lost messages are sent again.
    Raises Transient if the database or the queue does not answer.
    """
    sent = 0
    while keys := _drain():
        news_queue().send([created_message(key) for key in keys])
        sent += len(keys)
    if sent:
        logger.info("news sent from the outbox", objects=sent)


def _drain() -> list[str]:
    answer = database().call("drain_outbox", {"p_quiet_seconds": WORKER_SECONDS}, as_user=None)
    return _Drained.model_validate(answer).keys
