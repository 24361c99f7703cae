"""What goes over the wire about an owner's account: the plan, what is used of it, and all that there is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from shared.wire.jobs import Attempt, DownloadLink, Job, JobStatus, Model, Output
from shared.wire.webhooks import Delivery, Webhook


class Limits(Model):
    """What a plan allows."""

    running_jobs: int = Field(description="at once; more of them wait for their turn")
    uploads_per_hour: int = Field(description="new jobs; what an earlier job answers is free")
    stored_bytes: int = Field(description="uploads and outputs together")
    retention_days: int = Field(description="from the end of a job to its deletion")


class Usage(Model):
    """What is used of a plan at this moment."""

    running_jobs: int
    uploads_left: int = Field(description="new jobs that may be made right now; they come back evenly over the hour")
    stored_bytes: int


class Account(Model):
    """An owner, the plan, and what is used of it."""

    owner: UUID
    plan: str
    limits: Limits
    usage: Usage


class ExportedWebhook(Webhook):
    """A webhook; one that was deleted is there until its deliveries are gone. Its secret is in no export."""

    deleted_at: datetime | None


class ExportedDelivery(Delivery):
    """A delivery, with what was sent."""

    webhook_id: UUID
    data: dict[str, JsonValue]


class ExportedUpload(Model):
    """An upload, with a link to its bytes."""

    sha256: str
    size_bytes: int
    filename: str = Field(description="as last sent")
    first_seen: datetime
    last_used: datetime
    times_used: int
    stored_at: datetime | None = Field(description="when its bytes arrived; null if they did not, or were not right")
    link: DownloadLink | None = Field(description="null where there are no bytes")


class ExportedAttempt(Attempt):
    """One try at a job."""

    job_id: UUID


class JobEvent(Model):
    """A job came to have a status, or a person chose its dataset type."""

    job_id: UUID
    attempt: int = Field(description="the attempt that it had come to; 0 before the first")
    event: JobStatus | Literal["type_chosen"]
    at: datetime
    details: dict[str, JsonValue]


class ExportedOutput(Output):
    """An output, with a link to it."""

    job_id: UUID
    attempt: int
    link: DownloadLink


class AccountExport(Model):
    """A page of all that an owner has; the lists of all pages, one behind the other, are the whole.

    A job names its upload by `sha256`; attempts, events and outputs name their job, deliveries their webhook and job.
    """

    account: Account = Field(description="the same on every page, as of that moment")
    webhooks: list[ExportedWebhook]
    deliveries: list[ExportedDelivery]
    uploads: list[ExportedUpload]
    jobs: list[Job]
    attempts: list[ExportedAttempt]
    events: list[JobEvent]
    outputs: list[ExportedOutput]
    next_cursor: str | None = Field(description="null on the last page")


class Remaining(Model):
    """What a deletion has not come to yet."""

    left: int = Field(description="jobs, webhooks and deliveries; counted up to 10,000 of each")
