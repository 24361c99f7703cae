"""What Supabase Storage took in: the outbox that a trigger in the database fills, told to the queue."""

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
    """Tell the queue of every object in the outbox that it was not told of lately.

    A row goes when a message about its object is taken, not before; so whatever is lost in between is told again.
    Raises Transient where the database or the queue does not answer.
    """
    told = 0
    while keys := _drain():
        news_queue().send([created_message(key) for key in keys])
        told += len(keys)
    if told:
        logger.info("told of the outbox", objects=told)


def _drain() -> list[str]:
    answer = database().call("drain_outbox", {"p_quiet_seconds": WORKER_SECONDS}, as_user=None)
    return _Drained.model_validate(answer).keys
