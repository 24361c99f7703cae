"""What the worker and its child say to each other, as JSON.

The child is started with a Start as its one argument, while there is nothing to analyse yet. The Request comes later,
as one line on its standard input, which stays open for as long as the worker lives. The child answers on a pipe of
its own, a message a line: any number of Told, at most one Detected, then Finished, NeedsType, Refused or Failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from assay.contract import NAME, Output, Sources, Summary


class _Message(BaseModel):
    # An error that quoted what it was given could put cells of a file into the log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Limits(_Message):
    """What the child may use; it can't be raised again."""

    memory_bytes: int = Field(gt=0, description="private and writable, which is what Linux's RLIMIT_DATA counts")
    cpu_seconds: int = Field(gt=0, description="of all cores together")
    file_bytes: int = Field(gt=0, description="of any one file that it writes")
    open_files: int = Field(gt=0)

    @property
    def hard_memory_bytes(self) -> int:
        """Where an allocation fails.

        What native code makes of that is anything from an abort to a deadlock; so the worker ends the child at
        `memory_bytes`, and only a leap gets here.
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
    """What to analyse; the outputs go into the folder `outputs`."""

    sources: Sources
    requested_dataset_type: str | None
    parameters: dict[str, JsonValue]
    remembered_columns: list[RememberedColumns] = []
    outputs: Path


class Told(_Message):
    """How far it is, in [0, 1], and with what."""

    kind: Literal["told"] = "told"
    fraction: float
    stage: str


class Detected(_Message):
    """What the file is taken for."""

    kind: Literal["detected"] = "detected"
    detection: JsonValue


class NeedsType(_Message):
    """The end: a person must choose the dataset type."""

    kind: Literal["needs_type"] = "needs_type"
    detection: JsonValue


class OutputFile(_Message):
    """A file that lies in the request's folder under its name, complete and hashed."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    media_type: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, output: Output) -> Self:
        """Describe what a pipeline wrote."""
        return cls(name=output.name, media_type=output.media_type, size_bytes=output.size_bytes, sha256=output.sha256)


class Finished(_Message):
    """The end: outputs."""

    kind: Literal["finished"] = "finished"
    dataset_type: str
    pipeline: str
    pipeline_version: str
    summary: Summary
    outputs: list[OutputFile]
    manifest_sha256: str


class Refused(_Message):
    """The end: the file is at fault (assay.errors.Unprocessable)."""

    kind: Literal["refused"] = "refused"
    code: str
    detail: str
    suggestion: str


Reason = Literal["bug", "panic", "out_of_memory", "out_of_space", "too_many_files"]


class Failed(_Message):
    """The end: anything else that was raised.

    `traceback` is for the log: types of errors, places and lines of code. Not the errors' texts, which may quote cells.
    """

    kind: Literal["failed"] = "failed"
    reason: Reason
    traceback: str


Answer = Told | Detected | NeedsType | Finished | Refused | Failed

ANSWER: TypeAdapter[Answer] = TypeAdapter(
    Annotated[Answer, Field(discriminator="kind")], config=ConfigDict(hide_input_in_errors=True)
)
"""Reads a line of the child's."""
