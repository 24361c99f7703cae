"""Tells the worker that there is something to do."""

from __future__ import annotations

from shared.errors import Transient
from shared.queue import queue
from shared.telemetry import logger


def send_hint(hint: str) -> None:
    """Put a hint on the queue. One that cannot be sent is logged, and is no error of the request.

    What it was about stands in the database already, where the sweep finds it within minutes.
    """
    try:
        queue().send_hint(hint)
    except Transient:
        logger.warning("a hint was not sent; the sweep makes up for it", hint=hint, exc_info=True)
