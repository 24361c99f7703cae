"""The messages between the worker and its child, as JSON.

The child starts with a Start as its only argument, before the file is available. The Request follows as one line on
standard input, which stays open as long as the worker lives. The child answers on a separate pipe, one message per
line: any number of Told, at most one Detected, then Finished, NeedsType, Refused or Failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from assay.contract import NAME, Output, Sources, Summary


class _Message(BaseModel):
    # An error that quotes its input could write cells of a file to the log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Limits(_Message):
    """The child's resource limits. They can't be raised again."""

    memory_bytes: int = Field(gt=0, description="private writable memory, as Linux's RLIMIT_DATA counts it")
    cpu_seconds: int = Field(gt=0, description="CPU time of all cores together")
    file_bytes: int = Field(gt=0, description="size of any file that it writes")
    open_files: int = Field(gt=0)

    @property
    def hard_memory_bytes(self) -> int:
        """The size at which an allocation fails.

        Native code may then do anything from an abort to a deadlock. The worker therefore ends the child at
        `memory_bytes`, and only a sudden large allocation reaches this limit.
        """
        return self.memory_bytes * 9 // 8


class Start(_Message):
    """What the child needs before it imports the engine."""

    answers_fd: int
    parent_pid: int
    limits: Limits


class RememberedColumns(_Message):
    """Columns that the owner confirmed for files of one type with one header; see assay.run."""

    dataset_type: str
    header_sha256: str
    columns: dict[str, str | None]


class Request(_Message):
    """The file to analyse. Outputs are written to the folder `outputs`."""

    sources: Sources
    requested_dataset_type: str | None
    parameters: dict[str, JsonValue]
    remembered_columns: list[RememberedColumns] = []
    outputs: Path


class Told(_Message):
    """Progress in [0, 1], and the current stage."""

    kind: Literal["told"] = "told"
    fraction: float
    stage: str


class Detected(_Message):
    """The detected dataset type."""

    kind: Literal["detected"] = "detected"
    detection: JsonValue


class NeedsType(_Message):
    """Final message: the user must choose the dataset type."""

    kind: Literal["needs_type"] = "needs_type"
    detection: JsonValue


class OutputFile(_Message):
    """A complete output in the request's folder, with its hash."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    media_type: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, output: Output) -> Self:
        """Describe an output of a pipeline."""
        return cls(name=output.name, media_type=output.media_type, size_bytes=output.size_bytes, sha256=output.sha256)


class Finished(_Message):
    """Final message: the outputs."""

    kind: Literal["finished"] = "finished"
    dataset_type: str
    pipeline: str
    pipeline_version: str
    summary: Summary
    outputs: list[OutputFile]
    manifest_sha256: str


class Refused(_Message):
    """Final message: the file is at fault (assay.errors.Unprocessable)."""

    kind: Literal["refused"] = "refused"
    code: str
    detail: str
    suggestion: str


Reason = Literal["bug", "panic", "out_of_memory", "out_of_space", "too_many_files"]


class Failed(_Message):
    """Final message: any other exception.

    `traceback` is for the log: error types, places and lines of code, without messages, which may quote cells.
    """

    kind: Literal["failed"] = "failed"
    reason: Reason
    traceback: str


Answer = Told | Detected | NeedsType | Finished | Refused | Failed

ANSWER: TypeAdapter[Answer] = TypeAdapter(
    Annotated[Answer, Field(discriminator="kind")], config=ConfigDict(hide_input_in_errors=True)
)
"""Parses a line from the child."""
