"""Tells functions/process that there is something to do."""

from __future__ import annotations

from shared.errors import Transient
from shared.queue import Queue, news_queue, queue
from shared.queue.events import OUTBOX_HINT
from shared.settings import settings
from shared.telemetry import logger


def send_hint(hint: str, *, count: int = 1, after_seconds: int = 0, may_be_lost: bool = False) -> None:
    """Put a hint on its queue, `count` times. Raises Transient where the queue does not take it.

    A hint that may be lost is sent within seconds or not at all, for whoever waits for the request that sends it. A
    failure is logged and no error: what the hint was about stands in the database, where the sweep finds it.
    """
    if not may_be_lost:
        (news_queue() if hint == OUTBOX_HINT else queue()).send([hint] * count, after_seconds)
        return
    try:
        Queue(settings().queue_url, read_seconds=2, attempts=1).send([hint] * count, after_seconds)
    except Transient:
        logger.warning("a hint was not sent; the sweep makes up for it", hint=hint, exc_info=True)
