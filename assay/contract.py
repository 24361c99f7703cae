"""What a pipeline is given and what it gives back.

Pipelines are pure: from a file on disk to files on disk, with no clock, no random and no network, so that the same
input, version and parameters always give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.reading import Reading

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
"""What an output may be called, as a regular expression: fit for an object key."""

INPUT = "input"
"""The role of the uploaded file."""

# Called with a fraction done in [0, 1] and the name of the stage in a few words. It raises JobCancelled or
# StaleAttempt when the work should stop; a pipeline lets these pass.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Source:
    """A file on local disk, whose SHA-256 was verified.

    `filename` is what the user called it: fit for messages and for a look at the extension, never for a path, and
    never written into an output (the same bytes under another name give the same outputs).
    """

    path: Path
    filename: str
    sha256: str
    size_bytes: int
    role: str = INPUT


@dataclass(frozen=True)
class Sources:
    """The files that a pipeline works on: one with the role `input`, and attachments with roles of the pipeline's."""

    files: tuple[Source, ...]

    @property
    def input(self) -> Source:
        """The uploaded file. Raises ValueError where there is not exactly one."""
        (source,) = (file for file in self.files if file.role == INPUT)
        return source


@dataclass(frozen=True)
class Output:
    """One file that a pipeline wrote."""

    name: str
    media_type: str
    path: Path

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, in hex; computed once, so not before the file is complete."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def size_bytes(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size


@dataclass
class Outputs:
    """The folder that a pipeline writes its outputs into; keeps them in the order of their making."""

    folder: Path
    files: list[Output] = field(default_factory=list)

    def new(self, name: str, media_type: str) -> Path:
        """Register an output and return the path to write it to.

        Raises ValueError for a name that is taken or unfit for an object key (ASCII letters, digits, `.`, `_`, `-`).
        """
        if not re.fullmatch(NAME, name):
            raise ValueError(f"unfit output name: {name!r}")
        if any(file.name == name for file in self.files):
            raise ValueError(f"output name taken: {name!r}")
        path = self.folder / name
        self.files.append(Output(name, media_type, path))
        return path


class Parameters(BaseModel):
    """Base of every pipeline's parameters: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TabularParameters(Parameters):
    """Base of the parameters of a pipeline that reads tables."""

    reading: Reading = Field(
        default=Reading(), description='how the file is to be read, such as {"delimiter": ";"}: see assay read'
    )
    columns: dict[str, str | None] = Field(
        default={},
        max_length=100,
        description='which column plays which part, such as {"revenue": "Gross"}; "#7" is the seventh column, null '
        "says that there is none",
    )


@dataclass(frozen=True)
class Count:
    """How many things of one kind were read, and what became of them."""

    read: int
    used: int
    refused: int


@dataclass(frozen=True)
class Summary:
    """A few figures of a finished run for the job row and the command line; all of them are in the outputs too.

    `counts` are by what is counted, in the plural: rows, and of other dataset types pages or reads.
    """

    counts: dict[str, Count]
    figures: dict[str, JsonValue] = field(default_factory=dict)


P_contra = TypeVar("P_contra", bound=Parameters, contravariant=True)


class Pipeline(Protocol[P_contra]):
    """Named, versioned code that turns an upload of one dataset type into outputs.

    Name, version and dataset type stand in the folder's `dataset.json`, where the functions that do not run pipelines
    read them too.
    """

    Parameters: type[Any]

    def run(self, sources: Sources, parameters: P_contra, outputs: Outputs, progress: Progress) -> Summary:
        """Write the outputs. Raises Unprocessable where the file is at fault; anything else raised is tried again."""
        ...
