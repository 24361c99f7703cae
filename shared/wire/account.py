"""What goes over the wire about an owner's account: the plan, what is used of it, and all that there is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from shared.wire.columns import RememberedColumns
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

    running_jobs: int = Field(description="at this moment")
    uploads_left: int = Field(description="new jobs that may be made right now; they come back evenly over the hour")
    stored_bytes: int = Field(description="uploads and outputs together")


class Account(Model):
    """An owner, the plan, and what is used of it."""

    owner: UUID = Field(description="the signed-in user's id")
    plan: str = Field(description="its name")
    limits: Limits = Field(description="what the plan allows")
    usage: Usage = Field(description="what is used of it")


class ExportedWebhook(Webhook):
    """A webhook; one that was deleted is there until its deliveries are gone. Its secret is in no export."""

    deleted_at: datetime | None = Field(description="when it was deleted; null if it was not")


class ExportedDelivery(Delivery):
    """A delivery, with what was sent."""

    webhook_id: UUID = Field(description="the webhook that is told")
    data: dict[str, JsonValue] = Field(description="the body that is sent")


class ExportedUpload(Model):
    """An upload, with a link to its bytes."""

    sha256: str = Field(description="SHA-256 of the bytes, in hex")
    size_bytes: int = Field(description="how many bytes")
    filename: str = Field(description="as last sent")
    first_seen: datetime = Field(description="when it was first announced")
    last_used: datetime = Field(description="when it was last announced")
    times_used: int = Field(description="how often it was announced")
    stored_at: datetime | None = Field(description="when its bytes arrived; null if they did not, or were not right")
    link: DownloadLink | None = Field(description="null where there are no bytes")


class ExportedAttempt(Attempt):
    """One try at a job."""

    job_id: UUID = Field(description="the job that it was a try at")


class JobEvent(Model):
    """A job came to have a status, or a person chose its dataset type."""

    job_id: UUID = Field(description="the job's id")
    attempt: int = Field(description="the attempt that it had come to; 0 before the first")
    event: JobStatus | Literal["type_chosen"] = Field(description="the status that it came to, or type_chosen")
    at: datetime = Field(description="when")
    details: dict[str, JsonValue] = Field(description="what else is known of it")


class ExportedOutput(Output):
    """An output, with a link to it."""

    job_id: UUID = Field(description="the job that made it")
    attempt: int = Field(description="the attempt that made it")
    link: DownloadLink = Field(description="where its bytes are")


class AccountExport(Model):
    """A page of all that an owner has; the lists of all pages, one behind the other, are the whole.

    A job names its upload by `sha256`; attempts, events and outputs name their job, deliveries their webhook and job.
    """

    account: Account = Field(description="the same on every page, as of that moment")
    webhooks: list[ExportedWebhook] = Field(description="of this page, as all lists")
    deliveries: list[ExportedDelivery] = Field(description="what webhooks were told")
    remembered_columns: list[RememberedColumns] = Field(description="the columns that the owner confirmed")
    uploads: list[ExportedUpload] = Field(description="what was sent")
    jobs: list[Job] = Field(description="what was made of it")
    attempts: list[ExportedAttempt] = Field(description="every try at a job")
    events: list[JobEvent] = Field(description="what became of each job, and when")
    outputs: list[ExportedOutput] = Field(description="what the jobs made")
    next_cursor: str | None = Field(description="null on the last page")


class Remaining(Model):
    """What a deletion has not come to yet."""

    left: int = Field(description="jobs, webhooks and deliveries; counted up to 10,000 of each")
