"""The answers of the HTTP API, as functions/download/openapi.json states them.

A test holds both equal. What each field means stands in the document.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

JobStatus = Literal["awaiting_upload", "queued", "running", "needs_type", "done", "failed", "cancelled", "expired"]
EventType = Literal["job.done", "job.failed"]


class Model(BaseModel):
    """An answer, or a part of one; it never changes."""

    model_config = ConfigDict(frozen=True)


class ProblemDetails(Model):
    """Every error's shape (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]*$")]
    suggestion: str


class JobError(Model):
    """Why a job or an attempt failed."""

    code: str
    detail: str
    suggestion: str


class TypeChoice(Model):
    """The dataset type and parameters that a person chose for a job, who that was, and when."""

    dataset_type: str
    parameters: dict[str, JsonValue] | None = None
    chosen_by: UUID
    chosen_at: datetime


class Attempt(Model):
    """One try at a job."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: float | None
    outcome: Literal["done", "failed", "retry", "needs_type", "cancelled", "lost", "superseded"] | None
    error: JobError | None


class Cost(Model):
    """What a job is estimated to cost on AWS at list prices: all attempts so far, and a month of its files."""

    currency: Literal["USD"]
    total: float
    compute: float
    requests: float
    storage_month: float
    gb_seconds: float
    request_count: int
    stored_bytes: int
    prices_as_of: date


class Job(Model):
    """One analysis of one upload."""

    job_id: UUID
    status: JobStatus
    filename: str
    sha256: str
    size_bytes: int
    requested_dataset_type: str | None
    type_choice: TypeChoice | None = None
    dataset_type: str | None
    pipeline: str | None
    pipeline_version: str | None
    parameters: dict[str, JsonValue]
    progress: float = Field(ge=0, le=1)
    stage: str | None
    detection: dict[str, JsonValue] | None
    error: JobError | None
    summary: dict[str, JsonValue] | None
    manifest_sha256: str | None
    cost: Cost | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


class JobWithAttempts(Job):
    """A job with every try at it."""

    attempts: list[Attempt]


class JobPage(Model):
    """Jobs, newest first, and the cursor of the next page."""

    jobs: list[Job]
    next_cursor: str | None


class Upload(Model):
    """What is known of the bytes: one entry per owner and SHA-256."""

    sha256: str
    size_bytes: int
    filename: str
    first_seen: datetime
    last_used: datetime
    times_used: int
    jobs: list[Job]


class PutLink(Model):
    """Where to send the bytes: one PUT to `url` with exactly these headers."""

    url: str
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str]
    expires_at: datetime


class UploadAnswer(Model):
    """The job that answers an upload."""

    cached: bool
    job: Job
    upload: Upload
    put: PutLink | None = None


class Output(Model):
    """One file that a job produced."""

    output_id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime


class OutputList(Model):
    """A job's outputs, in the order in which the pipeline made them."""

    outputs: list[Output]


class DownloadLink(Model):
    """A signed link to an output, or to an upload."""

    url: str
    expires_at: datetime


class Limits(Model):
    """What a plan allows."""

    running_jobs: int
    uploads_per_hour: int
    stored_bytes: int
    retention_days: int


class Usage(Model):
    """What is used of a plan at this moment."""

    running_jobs: int
    uploads_left: int
    stored_bytes: int


class Account(Model):
    """An owner, the plan, and what is used of it."""

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
    """A URL that is told of the owner's jobs."""

    webhook_id: UUID
    url: str
    created_at: datetime
    failing_since: datetime | None


class DeliveryError(Model):
    """Why a try at a delivery failed."""

    code: str
    detail: str
    suggestion: str


class Delivery(Model):
    """One event that a webhook is told of; `delivery_id` is the header webhook-id of every try."""

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
    filename: str
    first_seen: datetime
    last_used: datetime
    times_used: int
    stored_at: datetime | None
    link: DownloadLink | None


class ExportedAttempt(Attempt):
    """One try at a job."""

    job_id: UUID


class JobEvent(Model):
    """A job came to have a status, or a person chose its dataset type."""

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
    """A page of all that an owner has; the lists of all pages, one behind the other, are the whole."""

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
    """What a deletion has not come to yet."""

    left: int


class ColumnWanted(Model):
    """One column of a dataset type, and the names that it is known by; case, accents and punctuation are no matter."""

    role: str
    holds: Literal["text", "date", "number"]
    names: list[str]
    translations: dict[str, list[str]]
    patterns: list[str]


class DatasetType(Model):
    """What a file may be."""

    dataset_type: str
    title: str
    description: str
    pipeline: str
    pipeline_version: str
    fallback: bool
    needs: list[list[list[str]]]
    columns: list[ColumnWanted]
    often_beside: list[str]
    speaks_against: list[str]
    example: str


class DatasetTypes(Model):
    """All of them; one is added by adding its folder."""

    dataset_types: list[DatasetType]
