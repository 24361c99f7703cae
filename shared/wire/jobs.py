"""Requests and responses about jobs and their outputs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from shared.wire.model import Model
from shared.wire.parameters import Columns, Parameters

JobStatus = Literal["awaiting_upload", "queued", "running", "needs_type", "done", "failed", "cancelled", "expired"]


class TypeChoiceRequest(Model):
    """`PATCH /jobs/{job_id}`: the dataset type of a job's file, and optionally its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset_type: str = Field(description="a dataset type from GET /dataset-types", examples=["table"])
    parameters: Parameters | None = Field(
        default=None,
        description="the pipeline's parameters, all of them; the job keeps its own if omitted",
        examples=[{"reading": {"delimiter": ";"}}],
    )
    columns: Columns | None = Field(
        default=None,
        description="which column plays which part, in place of `parameters.columns`; a header, #7 for the seventh "
        "column, null where there is none",
        examples=[{"revenue": "Gross"}],
    )


class TypeChoice(Model):
    """The dataset type and parameters that a user chose for a job."""

    dataset_type: str = Field(description="the chosen type")
    parameters: dict[str, JsonValue] | None = Field(
        default=None, description="the chosen parameters; null: those of the upload"
    )
    chosen_by: UUID = Field(description="the user who chose it")
    chosen_at: datetime = Field(description="when it was chosen")


class JobError(Model):
    """Why a job or an attempt failed."""

    code: str = Field(description="stable and machine-readable, such as no_header")
    detail: str = Field(description="what is wrong, for people")
    suggestion: str = Field(description="what to do about it")


class Attempt(Model):
    """One attempt at a job."""

    attempt: int = Field(description="the attempt's number; the first is 1")
    worker: str = Field(description="the worker that ran it")
    started_at: datetime = Field(description="when it began")
    ended_at: datetime | None = Field(description="when it ended; null while it runs")
    duration_seconds: float | None = Field(description="from start to end; null while it runs")
    outcome: Literal["done", "failed", "retry", "needs_type", "cancelled", "lost", "superseded"] | None = Field(
        description="null while it runs; after `retry` and `lost` comes another attempt, if any are left; "
        "`superseded`: another dataset type, or other parameters, were chosen"
    )
    error: JobError | None = Field(description="why it failed; null if it did not")


class Cost(Model):
    """The estimated cost of a job on AWS at list prices: all attempts so far, and one month of storage."""

    currency: Literal["USD"] = Field(description="always US dollars")
    total: float = Field(description="the sum of compute, requests and storage_month")
    compute: float = Field(description="price of the worker's time and memory")
    requests: float = Field(description="price of calls of Lambda, the queue and the object store")
    storage_month: float = Field(description="price of storing the upload and the outputs for one month")
    gb_seconds: float = Field(description="the worker's memory in GiB times its seconds")
    request_count: int = Field(description="number of calls in `requests`")
    stored_bytes: int = Field(description="bytes of the upload and the outputs")
    prices_as_of: date = Field(description="the date of the price list's oldest price")


class Job(Model):
    """One analysis of one upload."""

    job_id: UUID = Field(description="the job's id")
    status: JobStatus = Field(description="the job's status; done, failed, cancelled and expired are final")
    filename: str = Field(description="the upload's file name")
    sha256: str = Field(description="SHA-256 of the file, in hex")
    size_bytes: int = Field(description="size of the file in bytes")
    requested_dataset_type: str | None = Field(description="the dataset type that the upload asked for")
    type_choice: TypeChoice | None = Field(default=None, description="the type chosen later; it takes precedence")
    dataset_type: str | None = Field(description="the type the file is processed as; null before that is known")
    pipeline: str | None = Field(description="the pipeline; null before it is known")
    pipeline_version: str | None = Field(description="the pipeline's version")
    parameters: dict[str, JsonValue] = Field(description="the parameters that the upload gave")
    progress: float = Field(ge=0, le=1, description="the fraction of work done, from 0 to 1")
    stage: str | None = Field(description="the current step, in a few words; null before it runs")
    detection: dict[str, JsonValue] | None = Field(
        description="the result of detection: `dataset_type` (null if the user must choose), "
        "`band` (sure, likely, review, unsure, or chosen), `likeliest` with its `confidence` and `evidence`, "
        "`decision` (a sentence), `runners_up`, `columns` (the column of each role, and how it was found) and "
        "`header_sha256` (stands for the header; null where it has blank or repeated names)"
    )
    error: JobError | None = Field(description="why it failed; null if it did not")
    summary: dict[str, JsonValue] | None = Field(
        description="figures of a finished run: `counts` by noun, such as "
        '`{"rows": {"read": 9, "used": 8, "refused": 1}}`, and figures of its pipeline; null until it is done'
    )
    manifest_sha256: str | None = Field(
        description="SHA-256 of manifest.json, which lists every other output; null until it is done"
    )
    cost: Cost | None = Field(description="the estimated cost; null until an attempt has ended")
    cancel_requested: bool = Field(description="whether its cancellation was requested")
    created_at: datetime = Field(description="when it was registered")
    started_at: datetime | None = Field(description="when its first attempt began")
    finished_at: datetime | None = Field(description="when it ended")
    expires_at: datetime | None = Field(
        description="when it is deleted with its outputs, and with its upload unless another job uses it; null until "
        "it has ended"
    )


class JobWithAttempts(Job):
    """A job with all its attempts."""

    attempts: list[Attempt] = Field(description="in order, the first attempt first")


class JobPage(Model):
    """Jobs, newest first, and the cursor of the next page."""

    jobs: list[Job] = Field(description="newest first")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last")


class Output(Model):
    """One file that a job produced."""

    output_id: UUID = Field(description="the output's id")
    name: str = Field(description="the file name, unique within the job")
    media_type: str = Field(description="the media type, such as text/csv")
    size_bytes: int = Field(description="size in bytes")
    sha256: str = Field(description="SHA-256, in hex")
    created_at: datetime = Field(description="when the job was done")


class OutputList(Model):
    """A job's outputs, in the order in which the pipeline wrote them."""

    outputs: list[Output] = Field(description="the outputs; manifest.json is last")


class DownloadLink(Model):
    """A signed link to an output, or to an upload."""

    url: str = Field(description="the signed link; anyone who has it can read the file")
    expires_at: datetime = Field(description="when the link expires")
