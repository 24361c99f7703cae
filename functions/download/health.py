"""Is everything there that the service stands on?"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.database import database
from shared.errors import Transient
from shared.models import Health, PartHealth
from shared.object_store import object_store
from shared.settings import settings
from shared.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def health() -> Health:
    """Ask each part in turn and say how long it took."""
    database_health = _ask(lambda: database().ping())
    object_store_health = _ask(lambda: object_store().ping())
    queue_health = _ask(_ping_queue)
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
    except Transient as error:
        logger.warning("a part is down", exc_info=error)
        state = "down"
    return PartHealth.model_validate({"state": state, "latency_ms": round((time.perf_counter() - start) * 1000, 1)})


def _ping_queue() -> None:
    try:
        _sqs().get_queue_attributes(QueueUrl=settings().queue_url, AttributeNames=["QueueArn"])
    except (BotoCoreError, ClientError) as error:
        raise Transient("the queue does not answer") from error


@lru_cache(maxsize=1)
def _sqs() -> SQSClient:
    config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
    return boto3.client("sqs", region_name=settings().object_store_region, config=config)
