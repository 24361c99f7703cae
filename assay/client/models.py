"""Responses about jobs, uploads, outputs and dataset types, as in functions/download/openapi.json.

A test compares both. The document describes the fields.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

JobStatus = Literal["awaiting_upload", "queued", "running", "needs_type", "done", "failed", "cancelled", "expired"]


class Model(BaseModel):
    """A response, or a part of one. Instances are immutable."""

    model_config = ConfigDict(frozen=True)


class ProblemDetails(Model):
    """The format of every error (RFC 9457)."""

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
    """The dataset type and parameters that a user chose for a job."""

    dataset_type: str
    parameters: dict[str, JsonValue] | None = None
    chosen_by: UUID
    chosen_at: datetime


class Attempt(Model):
    """One attempt at a job."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    duration_seconds: float | None
    outcome: Literal["done", "failed", "retry", "needs_type", "cancelled", "lost", "superseded"] | None
    error: JobError | None


class Cost(Model):
    """The estimated cost of a job on AWS at list prices: all attempts so far, and one month of storage."""

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
    """A job with all its attempts."""

    attempts: list[Attempt]


class JobPage(Model):
    """Jobs, newest first, and the cursor of the next page."""

    jobs: list[Job]
    next_cursor: str | None


class Registered(Model):
    """A file that was registered, and when."""

    sha256: str
    size_bytes: int
    filename: str
    first_seen: datetime
    last_used: datetime
    times_used: int


class Upload(Registered):
    """An upload: one per owner and SHA-256."""

    jobs: list[Job]


class PutLink(Model):
    """Where to send the file: one PUT to `url` with exactly these headers."""

    url: str
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str]
    expires_at: datetime


class UploadAnswer(Model):
    """The job for an upload."""

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
    """A job's outputs, in the order in which the pipeline wrote them."""

    outputs: list[Output]


class DownloadLink(Model):
    """A signed link to an output, or to an upload."""

    url: str
    expires_at: datetime


class ColumnWanted(Model):
    """One column of a dataset type and the names it is recognised by. Case, accents and punctuation are ignored."""

    role: str
    holds: Literal["text", "date", "number", "result"]
    names: list[str]
    translations: dict[str, list[str]]
    patterns: list[str]


class DatasetType(Model):
    """A dataset type."""

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
    """All dataset types."""

    dataset_types: list[DatasetType]
