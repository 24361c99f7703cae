"""Responses about an account: plan, usage and export."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from shared.wire.columns import RememberedColumns
from shared.wire.jobs import Attempt, DownloadLink, Job, JobStatus, Output
from shared.wire.model import Model
from shared.wire.uploads import Registered
from shared.wire.webhooks import Delivery, Webhook


class Limits(Model):
    """The limits of a plan."""

    running_jobs: int = Field(description="jobs running at once; further jobs wait for their turn")
    uploads_per_hour: int = Field(description="new jobs; uploads answered by an earlier job do not count")
    stored_bytes: int = Field(description="bytes of uploads and outputs")
    retention_days: int = Field(description="days from the end of a job to its deletion")


class Usage(Model):
    """The current usage of a plan."""

    running_jobs: int = Field(description="jobs running now")
    uploads_left: int = Field(description="new jobs that can be created now; the allowance refills evenly over an hour")
    stored_bytes: int = Field(description="bytes of uploads and outputs")


class Account(Model):
    """An owner's plan and usage."""

    owner: UUID = Field(description="the signed-in user's id")
    plan: str = Field(description="the plan's name")
    limits: Limits = Field(description="the plan's limits")
    usage: Usage = Field(description="the current usage")


class ExportedWebhook(Webhook):
    """A webhook. A deleted one is included while it has deliveries. The secret is never exported."""

    deleted_at: datetime | None = Field(description="when it was deleted; null if it is active")


class ExportedDelivery(Delivery):
    """A delivery, with its body."""

    webhook_id: UUID = Field(description="the webhook")
    data: dict[str, JsonValue] = Field(description="the body of the request")


class ExportedUpload(Registered):
    """An upload, with a link to the file."""

    stored_at: datetime | None = Field(description="when the file arrived; null if it did not, or if it was wrong")
    link: DownloadLink | None = Field(description="null if there is no file")


class ExportedAttempt(Attempt):
    """One attempt at a job."""

    job_id: UUID = Field(description="the job")


class JobEvent(Model):
    """A change of a job's status, or the choice of its dataset type."""

    job_id: UUID = Field(description="the job's id")
    attempt: int = Field(description="the latest attempt; 0 before the first")
    event: JobStatus | Literal["type_chosen"] = Field(description="the new status, or type_chosen")
    at: datetime = Field(description="when")
    details: dict[str, JsonValue] = Field(description="further details")


class ExportedOutput(Output):
    """An output, with a link to it."""

    job_id: UUID = Field(description="the job that produced it")
    attempt: int = Field(description="the attempt that produced it")
    link: DownloadLink = Field(description="a link to the file")


class AccountExport(Model):
    """A page of an owner's data. The lists of all pages, concatenated, are the complete export.

    A job refers to its upload by `sha256`; attempts, events and outputs to their job; deliveries to webhook and job.
    """

    account: Account = Field(description="plan and usage when the page was made")
    webhooks: list[ExportedWebhook] = Field(description="the webhooks on this page")
    deliveries: list[ExportedDelivery] = Field(description="deliveries to webhooks")
    remembered_columns: list[RememberedColumns] = Field(description="columns that the owner confirmed")
    uploads: list[ExportedUpload] = Field(description="uploaded files")
    jobs: list[Job] = Field(description="their jobs")
    attempts: list[ExportedAttempt] = Field(description="all attempts at the jobs")
    events: list[JobEvent] = Field(description="the history of each job")
    outputs: list[ExportedOutput] = Field(description="the files that the jobs produced")
    next_cursor: str | None = Field(description="null on the last page")


class Remaining(Model):
    """What is still to be deleted."""

    left: int = Field(description="number of jobs, webhooks and deliveries, each counted up to 10,000")
