"""The commands around webhooks."""

from __future__ import annotations

from uuid import UUID, uuid4

from pydantic import BaseModel, ValidationError

from shared.database import database
from shared.errors import Problem
from shared.http import invalid_request
from shared.settings import settings
from shared.sign_in.auth import User
from shared.webhook_url import receiver_of
from shared.wire.webhooks import NewWebhook, Webhook, WebhookRequest


class _Created(BaseModel):
    new: bool


def parse_request(body: bytes) -> WebhookRequest:
    """Validate a request for a webhook, given as JSON. Raises Problem (422)."""
    try:
        request = WebhookRequest.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        if errors[0]["type"] == "json_invalid":
            raise Problem(
                422,
                "invalid_request",
                "The body is not JSON.",
                'Send JSON such as {"url": "https://example.org/hooks/assay"}.',
            ) from error
        raise invalid_request(errors) from error
    receiver_of(request.url, private=settings().webhook_private_addresses)
    return request


def create(request: WebhookRequest, user: User) -> Webhook:
    """Register a URL. A NewWebhook has the secret, which is shown this once; a URL registered before has its Webhook.

    Raises Problem (409) where there are ten already.
    """
    answer = database().call("create_webhook", {"p_url": request.url, "p_request_id": uuid4()}, as_user=user)
    return (NewWebhook if _Created.model_validate(answer).new else Webhook).model_validate(answer)


def delete(webhook_id: UUID, user: User) -> None:
    """Forget a URL, its secret and its deliveries. Raises Problem (404)."""
    database().call("delete_webhook", {"p_webhook_id": webhook_id}, as_user=user)
