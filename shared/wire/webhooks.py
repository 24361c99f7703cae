"""Requests and responses about webhooks, and the events that receivers get."""

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
        description="the URL to POST to: https, a public address, no user name, no fragment",
        examples=["https://example.org/hooks/assay"],
        json_schema_extra={"format": "uri", "pattern": "^https://", "maxLength": MAX_URL_CHARACTERS},
    )


class Webhook(_Model):
    """A URL that receives events about the owner's jobs."""

    webhook_id: UUID = Field(description="the webhook's id")
    url: str = Field(description="the URL that events are sent to")
    created_at: datetime = Field(description="when it was registered")
    failing_since: datetime | None = Field(
        description="since when deliveries fail; null if the last one succeeded or there was none"
    )


class NewWebhook(Webhook):
    """A new webhook, with its secret."""

    secret: str = Field(description="the key that signs its deliveries; shown only in this response")


class WebhookList(_Model):
    """An owner's webhooks, oldest first."""

    webhooks: list[Webhook] = Field(description="oldest first")


class DeliveryError(_Model):
    """Why a delivery failed."""

    code: str = Field(description="stable and machine-readable")
    detail: str = Field(description="what is wrong, for people")
    suggestion: str = Field(description="what to do about it")


class Delivery(_Model):
    """One event for a webhook. `delivery_id` is the webhook-id header of every try."""

    delivery_id: UUID = Field(description="the webhook-id header of every try")
    job_id: UUID = Field(description="the job")
    type: EventType = Field(description="the type of event")
    occurred_at: datetime = Field(description="when the job ended")
    state: Literal["pending", "sending", "delivered", "failed"] = Field(description="the state of the delivery")
    attempts: int = Field(description="number of tries so far")
    next_attempt_at: datetime | None = Field(
        description="pending: when the next try is due; sending: when this try counts as lost; otherwise null"
    )
    http_status: int | None = Field(
        description="the receiver's HTTP status at the last try; null if there was no response"
    )
    error: DeliveryError | None = Field(description="why the last try failed")
    ended_at: datetime | None = Field(description="when it was delivered or given up; null before")


class DeliveryPage(_Model):
    """A webhook's deliveries of the last 30 days, newest first, and the cursor of the next page."""

    deliveries: list[Delivery] = Field(description="newest first")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last")


class EndedJob(_Model):
    """The job as it was when it ended. GET /jobs/{job_id} has the rest."""

    job_id: UUID = Field(description="the job's id")
    status: Literal["done", "failed"] = Field(description="its final status")
    dataset_type: str | None = Field(description="the dataset type it was processed as")
    pipeline: str | None = Field(description="the pipeline that processed it")
    pipeline_version: str | None = Field(description="the pipeline's version")
    manifest_sha256: str | None = Field(description="SHA-256 of its manifest.json; null if it failed")
    error_code: str | None = Field(description="why it failed; null if it is done")


class WebhookEvent(_Model):
    """The body of a delivery.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """

    type: EventType = Field(description="the type of event")
    timestamp: datetime = Field(description="when the job ended")
    data: EndedJob = Field(description="the job as it was when it ended")
