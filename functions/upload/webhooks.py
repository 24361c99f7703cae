"""Commands on webhooks."""

from __future__ import annotations

from uuid import UUID, uuid4

from pydantic import BaseModel

from shared.database import database
from shared.http import parse_json
from shared.settings import settings
from shared.sign_in.auth import User
from shared.webhook_url import receiver_of
from shared.wire.webhooks import NewWebhook, Webhook, WebhookRequest


class _Created(BaseModel):
    new: bool


def parse_request(body: bytes) -> WebhookRequest:
    """Validate a request for a webhook, given as JSON. Raises Problem (422)."""
    request = parse_json(WebhookRequest, body, 'Send JSON such as {"url": "https://example.org/hooks/assay"}.')
    receiver_of(request.url, private=settings().webhook_private_addresses)
    return request


def create(request: WebhookRequest, user: User) -> Webhook:
    """Register a URL.

    Returns a NewWebhook with the secret, which is shown only once, or the existing Webhook of the URL. Raises Problem
    (409) if there are already ten.
    """
    answer = database().call("create_webhook", {"p_url": request.url, "p_request_id": uuid4()}, as_user=user)
    return (NewWebhook if _Created.model_validate(answer).new else Webhook).model_validate(answer)


def delete(webhook_id: UUID, user: User) -> None:
    """Delete a webhook with its secret and deliveries. Raises Problem (404)."""
    database().call("delete_webhook", {"p_webhook_id": webhook_id}, as_user=user)
