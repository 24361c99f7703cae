"""What goes over the wire: the requests and answers of the API."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

JobStatus = Literal["awaiting_upload", "queued", "running", "needs_type", "done", "failed", "cancelled", "expired"]
OnDuplicate = Literal["reuse", "reprocess"]

MAX_FILENAME_CHARACTERS = 255
# What is not seen, or turns the direction of the text beside it: a name must be what it looks like. The joiners U+200C
# and U+200D are none of these, since Persian and emoji need them.
_UNSEEN = r"\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
_UNSEEN_CHARACTER = re.compile(f"[{_UNSEEN}]")
# For the OpenAPI document; _is_filename says what is wrong with a name that does not fit.
_UNFIT = rf"/\\\x00-\x1f\x7f-\x9f{_UNSEEN}"
_FILENAME_PATTERN = rf"^(?!\.{{1,2}}$)[^{_UNFIT}]*[^\s{_UNFIT}][^{_UNFIT}]*$"
MAX_PARAMETERS_BYTES = 64 * 1024
FILENAME_SCHEMA: JsonDict = {"minLength": 1, "maxLength": MAX_FILENAME_CHARACTERS, "pattern": _FILENAME_PATTERN}


def _is_filename(name: str) -> str:
    if not name.strip() or name in {".", ".."}:
        raise _refused("invalid_filename", "The file name is empty.", "Send the file's own name, such as river.csv.")
    if len(name) > MAX_FILENAME_CHARACTERS:
        raise _refused(
            "invalid_filename",
            f"The file name has {len(name)} characters; at most {MAX_FILENAME_CHARACTERS} are allowed.",
            "Send a shorter name.",
        )
    if "/" in name or "\\" in name or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise _refused(
            "invalid_filename",
            "The file name contains a folder or a control character.",
            "Send the file's name alone, without folders.",
        )
    if unseen := _UNSEEN_CHARACTER.search(name):
        raise _refused(
            "invalid_filename",
            f"The file name contains U+{ord(unseen[0]):04X}, which can't be seen or turns the direction of the text.",
            "Rename the file without it; where it comes from is hard to say, so type the name anew.",
        )
    return name


def _is_sha256(value: str) -> str:
    lowered = value.lower()
    if len(lowered) != 64 or any(character not in "0123456789abcdef" for character in lowered):
        raise _refused(
            "invalid_sha256",
            "The SHA-256 is not 64 hexadecimal digits.",
            "Send the output of `sha256sum FILE`, without the file's name.",
        )
    return lowered


def _is_number(value: object) -> object:
    """Refuse what pydantic would make a number of; 12.0 is an integer to JSON Schema, as it is to pydantic."""
    if isinstance(value, str | bytes | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


def _is_size(value: int) -> int:
    if value <= 0:
        raise _refused("empty_file", "The file is empty.", "Upload a file with a header and at least one row.")
    return value


def _is_parameters(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    size = len(json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
    if size > MAX_PARAMETERS_BYTES:
        raise _refused(
            "invalid_parameters",
            f"The parameters have {size} bytes; at most {MAX_PARAMETERS_BYTES} are taken.",
            "Send a shorter list of columns.",
        )
    for leaf in _leaves(value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise _refused("invalid_parameters", "The parameters hold NaN or Infinity.", "Send finite numbers.")
        if isinstance(leaf, str) and any(
            unicodedata.category(character) == "Cs" or character == "\0" for character in leaf
        ):
            raise _refused(
                "invalid_parameters",
                "The parameters hold a NUL or half a character.",
                "Send texts of whole characters.",
            )
    return value


def _leaves(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _refused(code: str, detail: str, suggestion: str) -> PydanticCustomError:
    return PydanticCustomError(code, detail, {"suggestion": suggestion})


class Model(BaseModel):
    """What goes over the wire never changes once it is made."""

    model_config = ConfigDict(frozen=True)


Columns = Annotated[dict[str, str | None], Field(max_length=100)]

_Parameters = Annotated[dict[str, JsonValue], AfterValidator(_is_parameters)]


class UploadRequest(Model):
    """`POST /uploads`: what the client is about to send."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filename: Annotated[str, AfterValidator(_is_filename)] = Field(
        description="the file's own name, without folders",
        examples=["station_measurements.csv"],
        json_schema_extra=FILENAME_SCHEMA,
    )
    size_bytes: Annotated[int, BeforeValidator(_is_number), AfterValidator(_is_size)] = Field(
        description="size of the file in bytes", examples=[20_480], json_schema_extra={"minimum": 1}
    )
    sha256: Annotated[str, AfterValidator(_is_sha256)] = Field(
        description="SHA-256 of the file, in hex",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        json_schema_extra={"pattern": "^[0-9a-fA-F]{64}$"},
    )
    dataset_type: str | None = Field(
        default=None, description="what the file is; detected if omitted", examples=["table"]
    )
    parameters: _Parameters = Field(
        default_factory=dict, description="the pipeline's parameters", examples=[{"reading": {"delimiter": ";"}}]
    )
    on_duplicate: OnDuplicate = Field(
        default="reuse", description="whether a finished job for the same file answers, or the file is processed again"
    )


class TypeChoiceRequest(Model):
    """`PATCH /jobs/{job_id}`: what the file of a job is, and with which parameters it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset_type: str = Field(description="one of those that GET /dataset-types lists", examples=["table"])
    parameters: _Parameters | None = Field(
        default=None,
        description="the pipeline's parameters, all of them; the job keeps those it has if omitted",
        examples=[{"reading": {"delimiter": ";"}}],
    )
    columns: Columns | None = Field(
        default=None,
        description="which column plays which part, in place of `parameters.columns`; a header, #7 for the seventh "
        "column, null where there is none",
        examples=[{"revenue": "Gross"}],
    )


class TypeChoice(Model):
    """The dataset type and parameters that a person chose for a job, who that was, and when."""

    dataset_type: str = Field(description="the type that was chosen")
    parameters: dict[str, JsonValue] | None = Field(
        default=None, description="the parameters that were chosen; null: those of the upload"
    )
    chosen_by: UUID = Field(description="the user who chose it")
    chosen_at: datetime = Field(description="when")


class JobError(Model):
    """Why a job or an attempt failed."""

    code: str = Field(description="stable and machine-readable, such as no_header")
    detail: str = Field(description="what is wrong, for people")
    suggestion: str = Field(description="what to do about it")


class Attempt(Model):
    """One try at a job."""

    attempt: int = Field(description="its number; the first is 1")
    worker: str = Field(description="the worker that made it")
    started_at: datetime = Field(description="when it began")
    ended_at: datetime | None = Field(description="when it ended; null while it runs")
    duration_seconds: float | None = Field(description="from start to end; null while it runs")
    outcome: Literal["done", "failed", "retry", "needs_type", "cancelled", "lost", "superseded"] | None = Field(
        description="null while it runs; `retry` and `lost` are followed by another attempt, if any are left; "
        "`superseded`: another dataset type, or other parameters, were chosen meanwhile"
    )
    error: JobError | None = Field(description="why it failed; null if it did not")


class Cost(Model):
    """What a job is estimated to cost on AWS at list prices: all attempts so far, and a month of its files."""

    currency: Literal["USD"] = Field(description="always US dollars")
    total: float = Field(description="compute, requests and storage_month together")
    compute: float = Field(description="the worker's time and memory")
    requests: float = Field(description="calls of Lambda, the queue and the object store")
    storage_month: float = Field(description="the upload and the outputs, kept for one month")
    gb_seconds: float = Field(description="the worker's memory in GiB times its seconds")
    request_count: int = Field(description="calls that `requests` is the price of")
    stored_bytes: int = Field(description="upload and outputs together")
    prices_as_of: date = Field(description="the day of the price list; of its oldest price")


class Job(Model):
    """One analysis of one upload."""

    job_id: UUID = Field(description="the job's id")
    status: JobStatus = Field(description="where it stands; done, failed, cancelled and expired are ends")
    filename: str = Field(description="as the upload named it")
    sha256: str = Field(description="SHA-256 of the file, in hex")
    size_bytes: int = Field(description="size of the file in bytes")
    requested_dataset_type: str | None = Field(description="as the upload asked for it")
    type_choice: TypeChoice | None = Field(default=None, description="what was chosen later; it goes before all else")
    dataset_type: str | None = Field(description="what the file was run as; null before that")
    pipeline: str | None = Field(description="what ran; null before that")
    pipeline_version: str | None = Field(description="its version")
    parameters: dict[str, JsonValue] = Field(description="as the upload gave them")
    progress: float = Field(ge=0, le=1, description="how much of the work is done, from 0 to 1")
    stage: str | None = Field(description="what is being done, in a few words; null before it runs")
    detection: dict[str, JsonValue] | None = Field(
        description="what the file is taken for: `dataset_type` (what it is run as; null: a person must choose), "
        "`band` (sure, likely, review, unsure, or chosen), `likeliest` with its `confidence` and `evidence`, "
        "`decision` (in words) and `runners_up`"
    )
    error: JobError | None = Field(description="why it failed; null if it did not")
    summary: dict[str, JsonValue] | None = Field(
        description="figures of a finished run: `counts` by what is counted, such as "
        '`{"rows": {"read": 9, "used": 8, "refused": 1}}`, and others of its pipeline; null until it is done'
    )
    manifest_sha256: str | None = Field(
        description="SHA-256 of manifest.json, which names every other output; null until it is done"
    )
    cost: Cost | None = Field(description="null until an attempt has ended")
    cancel_requested: bool = Field(description="whether it was asked to stop")
    created_at: datetime = Field(description="when it was registered")
    started_at: datetime | None = Field(description="when its first attempt began")
    finished_at: datetime | None = Field(description="when it ended")
    expires_at: datetime | None = Field(
        description="when it goes with its outputs, and its upload if no other job has that; null until it has ended"
    )


class JobWithAttempts(Job):
    """A job with every try at it."""

    attempts: list[Attempt] = Field(description="the first attempt first")


class JobPage(Model):
    """Jobs, newest first, and the cursor of the next page."""

    jobs: list[Job] = Field(description="newest first")
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last")


class Upload(Model):
    """What is known of the bytes: one entry per owner and SHA-256."""

    sha256: str = Field(description="SHA-256 of the bytes, in hex")
    size_bytes: int = Field(description="how many bytes")
    filename: str = Field(description="as last sent")
    first_seen: datetime = Field(description="when it was first announced")
    last_used: datetime = Field(description="when it was last announced")
    times_used: int = Field(description="how often it was announced")
    jobs: list[Job] = Field(description="the latest ten")


class PutLink(Model):
    """Where to send the bytes: one PUT to `url` with exactly these headers."""

    url: str = Field(description="the signed link")
    method: Literal["PUT"] = Field(default="PUT", description="the method to send")
    headers: dict[str, str] = Field(description="send exactly these")
    expires_at: datetime = Field(description="when the link ends")


class UploadAnswer(Model):
    """The job that answers an upload.

    `cached` says that nothing needs to be sent. Otherwise `put` says where to, unless the bytes came with the request.
    """

    cached: bool = Field(description="whether nothing needs to be sent")
    job: Job = Field(description="the job that answers the upload")
    upload: Upload = Field(description="what is known of its bytes")
    put: PutLink | None = Field(default=None, description="where to send the bytes, if they are to be sent")


class HintTaken(Model):
    """The answer to a hint: there is nothing to tell."""


class Output(Model):
    """One file that a job produced."""

    output_id: UUID = Field(description="the output's id")
    name: str = Field(description="its file name, unique in its job")
    media_type: str = Field(description="such as text/csv")
    size_bytes: int = Field(description="its size in bytes")
    sha256: str = Field(description="SHA-256 of its bytes, in hex")
    created_at: datetime = Field(description="when the job was done")


class OutputList(Model):
    """A job's outputs, in the order in which the pipeline made them."""

    outputs: list[Output] = Field(description="manifest.json last")


class DownloadLink(Model):
    """A signed link to an output, or to an upload."""

    url: str = Field(description="the signed link; who has it may read the file")
    expires_at: datetime = Field(description="when it ends")


class PartHealth(Model):
    """State of one part that the service stands on."""

    state: Literal["ok", "down"] = Field(description="whether it answers")
    latency_ms: float = Field(description="how long the answer took, in milliseconds")


class Health(Model):
    """State of the service."""

    status: Literal["ok", "degraded"] = Field(description="ok where all parts answer")
    parts: dict[Literal["database", "object_store", "queue"], PartHealth] = Field(description="each part by its name")

    @model_validator(mode="after")
    def _status_follows_parts(self) -> Self:
        if (self.status == "ok") != all(part.state == "ok" for part in self.parts.values()):
            raise ValueError("status does not follow from the parts")
        return self


class ProblemDetails(Model):
    """Every error's shape (RFC 9457)."""

    type: str = Field(default="about:blank", description="always about:blank: `code` tells problems apart")
    title: str = Field(description="the phrase of the HTTP status")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what is wrong, for people")
    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="stable and machine-readable, such as invalid_filename")
    suggestion: str = Field(description="what to do about it")
