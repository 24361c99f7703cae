"""What goes over the wire about webhooks: what owners send and get, and what receivers get."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.webhook_url import MAX_URL_CHARACTERS

EventType = Literal["job.done", "job.failed"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class WebhookRequest(_Model):
    """`POST /webhooks`: where to send the owner's events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        description="where to POST to: https, a public address, no user name, no fragment",
        examples=["https://example.org/hooks/assay"],
        json_schema_extra={"format": "uri", "pattern": "^https://", "maxLength": MAX_URL_CHARACTERS},
    )


class Webhook(_Model):
    """A URL that is told of the owner's jobs."""

    webhook_id: UUID = Field(description="the webhook's id")
    url: str = Field(description="where events are sent to")
    created_at: datetime = Field(description="when it was registered")
    failing_since: datetime | None = Field(description="null while deliveries are taken")


class NewWebhook(Webhook):
    """A webhook that was just registered."""

    secret: str = Field(description="what its deliveries are signed with; shown this once")


class WebhookList(_Model):
    """An owner's webhooks, oldest first."""

    webhooks: list[Webhook] = Field(description="oldest first")


class DeliveryError(_Model):
    """Why a try at a delivery failed."""

    code: str = Field(description="stable and machine-readable")
    detail: str = Field(description="what is wrong, for people")
    suggestion: str = Field(description="what to do about it")


class Delivery(_Model):
    """One event that a webhook is told of; `delivery_id` is the header webhook-id of every try."""

    delivery_id: UUID = Field(description="the header webhook-id of every try")
    job_id: UUID = Field(description="the job that it is about")
    type: EventType = Field(description="what happened")
    occurred_at: datetime = Field(description="when the job ended")
    state: Literal["pending", "sending", "delivered", "failed"] = Field(description="where it stands")
    attempts: int = Field(description="tries so far")
    next_attempt_at: datetime | None = Field(
        description="while it is pending; while it is sending, when it is given up"
    )
    http_status: int | None = Field(description="what the receiver answered to the last try; null where it did not")
    error: DeliveryError | None = Field(description="why the last try failed")
    ended_at: datetime | None = Field(description="when it was taken or given up; null before that")


class DeliveryPage(_Model):
    """A webhook's deliveries of the last 30 days, newest first, and the cursor of the next page."""

    deliveries: list[Delivery] = Field(description="newest first")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last")


class EndedJob(_Model):
    """The job that an event is about, as it was when it ended; GET /jobs/{job_id} tells the rest."""

    job_id: UUID = Field(description="the job's id")
    status: Literal["done", "failed"] = Field(description="how it ended")
    dataset_type: str | None = Field(description="what the file was run as")
    pipeline: str | None = Field(description="what ran")
    pipeline_version: str | None = Field(description="its version")
    manifest_sha256: str | None = Field(description="SHA-256 of its manifest.json; null where it failed")
    error_code: str | None = Field(description="why it failed; null where it is done")


class WebhookEvent(_Model):
    """The body of a delivery.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    type: EventType = Field(description="what happened")
    timestamp: datetime = Field(description="when the job ended")
    data: EndedJob = Field(description="the job, as it was when it ended")
