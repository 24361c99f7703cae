"""Responses about the account: plan, usage, webhooks and export, as in functions/download/openapi.json.

A test compares both. The document describes the fields.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from assay.client.models import Attempt, DownloadLink, Job, JobStatus, Model, Output, Registered

EventType = Literal["job.done", "job.failed"]


class Limits(Model):
    """The limits of a plan."""

    running_jobs: int
    uploads_per_hour: int
    stored_bytes: int
    retention_days: int


class Usage(Model):
    """The current usage of a plan."""

    running_jobs: int
    uploads_left: int
    stored_bytes: int


class Account(Model):
    """An owner's plan and usage."""

    owner: UUID
    plan: str
    limits: Limits
    usage: Usage


class RememberedColumns(Model):
    """The columns that the owner confirmed for files of one type with one header."""

    choice_id: UUID
    dataset_type: str
    header_sha256: str
    columns: dict[str, str | None] = Field(max_length=100)
    filename: str
    chosen_by: UUID
    chosen_at: datetime


class RememberedColumnsList(Model):
    """An owner's remembered columns, oldest first."""

    columns: list[RememberedColumns]


class Webhook(Model):
    """A URL that receives events about the owner's jobs."""

    webhook_id: UUID
    url: str
    created_at: datetime
    failing_since: datetime | None


class DeliveryError(Model):
    """Why a delivery failed."""

    code: str
    detail: str
    suggestion: str


class Delivery(Model):
    """One event for a webhook. `delivery_id` is the webhook-id header of every try."""

    delivery_id: UUID
    job_id: UUID
    type: EventType
    occurred_at: datetime
    state: Literal["pending", "sending", "delivered", "failed"]
    attempts: int
    next_attempt_at: datetime | None
    http_status: int | None
    error: DeliveryError | None
    ended_at: datetime | None


class ExportedWebhook(Webhook):
    """A webhook. A deleted one is included while it has deliveries. The secret is never exported."""

    deleted_at: datetime | None


class ExportedDelivery(Delivery):
    """A delivery, with its body."""

    webhook_id: UUID
    data: dict[str, JsonValue]


class ExportedUpload(Registered):
    """An upload, with a link to the file."""

    stored_at: datetime | None
    link: DownloadLink | None


class ExportedAttempt(Attempt):
    """One attempt at a job."""

    job_id: UUID


class JobEvent(Model):
    """A change of a job's status, or the choice of its dataset type."""

    job_id: UUID
    attempt: int
    event: JobStatus | Literal["type_chosen"]
    at: datetime
    details: dict[str, JsonValue]


class ExportedOutput(Output):
    """An output, with a link to it."""

    job_id: UUID
    attempt: int
    link: DownloadLink


class AccountExport(Model):
    """A page of an owner's data. The lists of all pages, concatenated, are the complete export."""

    account: Account
    webhooks: list[ExportedWebhook]
    deliveries: list[ExportedDelivery]
    remembered_columns: list[RememberedColumns]
    uploads: list[ExportedUpload]
    jobs: list[Job]
    attempts: list[ExportedAttempt]
    events: list[JobEvent]
    outputs: list[ExportedOutput]
    next_cursor: str | None


class Remaining(Model):
    """What is still to be deleted."""

    left: int
