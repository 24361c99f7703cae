"""Sends the deliveries that a database trigger records when jobs end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from functions.process.webhooks.sender import Try, post
from shared.database import database
from shared.database.transport import Argument
from shared.errors import Transient
from shared.queue.events import DELIVER_HINT
from shared.queue.hints import send_hint
from shared.settings import settings
from shared.telemetry import logger, measure
from shared.wire.webhooks import EndedJob, EventType, WebhookEvent

_AT_ONCE = 50
_TRY_SECONDS = 10
# No delivery is claimed after this. The last claimed one is sent one try later at most: half a minute in total, with
# settling. A claim lasts longer than that, so only a lost worker causes a second send.
_CLAIMING_SECONDS = 10
_LEASE_SECONDS = 60


class _Claimed(BaseModel):
    delivery_id: UUID
    attempt: int
    url: str
    secret: str
    type: EventType
    occurred_at: datetime
    data: EndedJob
    claimed_at: datetime


class _Due(BaseModel):
    due: bool


class _Settled(BaseModel):
    accepted: bool
    state: str | None = None


_CLAIMED = TypeAdapter(list[_Claimed])


def hint_at_deliveries(owner: str) -> None:
    """Send a hint if the owner has a delivery that is due. Called when a job of the owner ends.

    A hint, so that no job waits for a receiver. If database or queue do not answer, the sweep sends within a minute.
    """
    try:
        if _Due.model_validate(database().call("deliveries_due", {"p_owner": owner}, as_user=None)).due:
            send_hint(DELIVER_HINT, may_be_lost=True)
    except Transient:
        logger.warning("no hint sent for deliveries", exc_info=True)


def deliver(*, sweep: bool = False) -> None:
    """Send due deliveries until none is left. After half a minute, send a hint instead, for the rest.

    The sweep also sends to webhooks whose last try failed. Raises Transient if the database or, for the hint, the queue
    does not answer.
    """
    stop_at = time.monotonic() + _CLAIMING_SECONDS
    while claimed := _claim(sweep=sweep):
        with ThreadPoolExecutor(len(claimed)) as pool:
            tries = {pool.submit(_send, delivery): delivery for delivery in claimed}
            for ended in as_completed(tries):
                _settle(tries[ended], ended.result())
        if time.monotonic() > stop_at:
            send_hint(DELIVER_HINT)
            return


def _claim(*, sweep: bool) -> list[_Claimed]:
    answer = database().call(
        "claim_deliveries", {"p_limit": _AT_ONCE, "p_lease_seconds": _LEASE_SECONDS, "p_sweep": sweep}, as_user=None
    )
    return _CLAIMED.validate_python(answer)


def _send(delivery: _Claimed) -> Try:
    event = WebhookEvent(type=delivery.type, timestamp=delivery.occurred_at.astimezone(UTC), data=delivery.data)
    body = event.model_dump_json().encode()
    # The database's clock, because receivers refuse timestamps that are minutes off, and a worker's clock may be.
    headers = signed(delivery.secret, str(delivery.delivery_id), int(delivery.claimed_at.timestamp()), body)
    headers |= {"Content-Type": "application/json", "User-Agent": "Assay-Webhooks/1"}
    return post(delivery.url, headers, body, _TRY_SECONDS, private=settings().webhook_private_addresses)


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that authenticate a message; `timestamp` is in seconds since 1970.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _settle(delivery: _Claimed, ended: Try) -> None:
    arguments: dict[str, Argument] = {
        "p_delivery_id": delivery.delivery_id,
        "p_attempt": delivery.attempt,
        "p_delivered": ended.error is None,
        "p_http_status": ended.http_status,
        "p_error": ended.error.model_dump() if ended.error else None,
        "p_retry_after_seconds": ended.retry_after_seconds,
    }
    # Not the URL, which may contain a secret, and not the response.
    keys: dict[str, object] = {
        "correlation_id": str(delivery.data.job_id),
        "delivery_id": str(delivery.delivery_id),
        "attempt": delivery.attempt,
        "http_status": ended.http_status,
        "code": ended.error.code if ended.error else None,
    }
    try:
        settled = _Settled.model_validate(database().call("settle_delivery", arguments, as_user=None))
    except Transient:
        logger.warning("delivery not settled; it will be sent again", exc_info=True, extra=keys)
        return
    logger.info("delivery tried", extra=keys | {"state": settled.state or "stale_attempt"})
    if settled.state == "delivered":
        measure("WebhooksDelivered")
    elif settled.state == "failed":
        measure("WebhooksFailed")
