"""Queries about webhooks, each run as the user: row level security applies."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter

from functions.download.cursor import ROW, Row, decoded, encoded
from shared.database import database
from shared.sign_in.auth import User
from shared.wire.webhooks import Delivery, DeliveryPage, Webhook, WebhookList

_WEBHOOKS = TypeAdapter(list[Webhook])
_DELIVERIES = TypeAdapter(list[Delivery])


def list_webhooks(user: User) -> WebhookList:
    """Return all webhooks of the user, oldest first, without their secrets."""
    return WebhookList(webhooks=_WEBHOOKS.validate_python(database().call("list_webhooks", {}, as_user=user)))


def list_deliveries(user: User, webhook_id: UUID, limit: int, cursor: str | None) -> DeliveryPage:
    """Return a page of a webhook's deliveries, newest first. Raises Problem (404), also for an invalid cursor."""
    before = decoded(user, cursor, ROW) if cursor else None
    answer = database().call(
        "list_deliveries",
        {
            "p_webhook_id": webhook_id,
            # One extra row tells whether there is another page.
            "p_limit": limit + 1,
            "p_before_occurred_at": before.at if before else None,
            "p_before_delivery_id": before.row_id if before else None,
        },
        as_user=user,
    )
    deliveries = _DELIVERIES.validate_python(answer)
    page, last = deliveries[:limit], deliveries[limit - 1] if len(deliveries) > limit else None
    next_cursor = encoded(user, Row(at=last.occurred_at, row_id=last.delivery_id)) if last else None
    return DeliveryPage(deliveries=page, next_cursor=next_cursor)
