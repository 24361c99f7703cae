"""Check the service's dependencies."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.database import database
from shared.errors import AssayError
from shared.object_store import object_store
from shared.queue import queue
from shared.telemetry import logger
from shared.wire.service import Health, PartHealth


def health() -> Health:
    """Check each dependency in turn, and measure how long it takes."""
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
    except AssayError as error:  # down, or misconfigured: the log has the reason
        logger.warning("a dependency is down", exc_info=error)
        state = "down"
    return PartHealth.model_validate({"state": state, "latency_ms": round((time.perf_counter() - start) * 1000, 1)})
