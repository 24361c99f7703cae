"""Is everything there that the service stands on?"""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.database import database
from shared.errors import AssayError
from shared.object_store import object_store
from shared.queue import queue
from shared.telemetry import logger
from shared.wire.jobs import Health, PartHealth


def health() -> Health:
    """Ask each part in turn and say how long it took."""
    database_health = _ask(lambda: database().ping())
    object_store_health = _ask(lambda: object_store().ping())
    queue_health = _ask(lambda: queue().ping())
    parts = (database_health, object_store_health, queue_health)
    return Health(
        status="ok" if all(part.state == "ok" for part in parts) else "degraded",
        parts={"database": database_health, "object_store": object_store_health, "queue": queue_health},
    )


def _ask(ping: Callable[[], None]) -> PartHealth:
    start = time.perf_counter()
    state = "ok"
    try:
        ping()
    except AssayError as error:  # down, or not to be used as the settings say: the log tells which
        logger.warning("a part is down", exc_info=error)
        state = "down"
    return PartHealth.model_validate({"state": state, "latency_ms": round((time.perf_counter() - start) * 1000, 1)})
