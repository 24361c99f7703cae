"""Send hints to functions/process."""

from __future__ import annotations

from shared.errors import Transient
from shared.queue import Queue, news_queue, queue
from shared.queue.events import OUTBOX_HINT
from shared.settings import settings
from shared.telemetry import logger


def send_hint(hint: str, *, count: int = 1, after_seconds: int = 0, may_be_lost: bool = False) -> None:
    """Send a hint `count` times. Raises Transient if the queue does not accept it.

    With `may_be_lost`, sending takes seconds at most, because a client waits for the request, and a failure is only
    logged: the sweep finds the work in the database.
    """
    if not may_be_lost:
        (news_queue() if hint == OUTBOX_HINT else queue()).send([hint] * count, after_seconds)
        return
    try:
        Queue(settings().queue_url, read_seconds=2, attempts=1).send([hint] * count, after_seconds)
    except Transient:
        logger.warning("a hint was not sent; the sweep will find the work", hint=hint, exc_info=True)
