"""The interface of pipelines.

Pipelines are pure: they read a file and write files, without clock, randomness or network. The same input, version and
parameters always give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from assay.reading import Reading
from assay.schema import TableSchema, never_null

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
"""A regular expression for valid output names, which are safe in object keys."""

INPUT = "input"
"""The role of the uploaded file."""

# Called with the fraction done in [0, 1] and the current stage in a few words. Raises JobCancelled or StaleAttempt when
# the work must stop; a pipeline must not catch them.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Source:
    """A file on local disk with a verified SHA-256.

    `filename` is the user's name for the file. Use it only for messages and for its extension, never as a path, and
    never in an output (the same bytes with another name must give the same outputs).
    """

    path: Path
    filename: str
    sha256: str
    size_bytes: int
    role: str = INPUT


@dataclass(frozen=True)
class Sources:
    """The files of a run: one with the role `input`, and attachments with roles that the pipeline defines."""

    files: tuple[Source, ...]

    @property
    def input(self) -> Source:
        """The uploaded file. Raises ValueError unless there is exactly one."""
        (source,) = (file for file in self.files if file.role == INPUT)
        return source


@dataclass(frozen=True)
class Output:
    """A file that a pipeline wrote."""

    name: str
    media_type: str
    path: Path

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file, in hex. Cached, so use it only when the file is complete."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def size_bytes(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size


@dataclass
class Outputs:
    """The output folder of a pipeline. Keeps outputs in the order in which they were registered."""

    folder: Path
    files: list[Output] = field(default_factory=list)

    def new(self, name: str, media_type: str) -> Path:
        """Register an output and return the path to write it to.

        Raises ValueError for a name that is taken or not valid in an object key (ASCII letters, digits, `.`, `_`, `-`).
        """
        if not re.fullmatch(NAME, name):
            raise ValueError(f"invalid output name: {name!r}")
        if any(file.name == name for file in self.files):
            raise ValueError(f"duplicate output name: {name!r}")
        path = self.folder / name
        self.files.append(Output(name, media_type, path))
        return path


class Parameters(BaseModel):
    """Base of every pipeline's parameters. Unknown names are refused."""

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
    table_schema: TableSchema | None = Field(
        default=None,
        alias="schema",
        description="a Table Schema that every row is checked by: see assay infer and assay check",
        json_schema_extra=never_null,
    )

    def header_score(self, otherwise: Callable[[Sequence[str]], float]) -> Callable[[Sequence[str]], float]:
        """How much a line looks like the header: by the names of the schema where one is given, and as `otherwise`."""
        return otherwise if self.table_schema is None else self.table_schema.header_score(otherwise)


@dataclass(frozen=True)
class Count:
    """How many items of one kind were read, used and refused."""

    read: int
    used: int
    refused: int


@dataclass(frozen=True)
class Summary:
    """The main figures of a finished run, for the job and the command line. The outputs have them too.

    The keys of `counts` are plural nouns, such as rows, pages or reads.
    """

    counts: dict[str, Count]
    figures: dict[str, JsonValue] = field(default_factory=dict)


P_contra = TypeVar("P_contra", bound=Parameters, contravariant=True)


class Pipeline(Protocol[P_contra]):
    """Named, versioned code that turns an upload of one dataset type into outputs.

    Name, version and dataset type are in the folder's `dataset.json`, so that functions can read them without importing
    the pipeline.
    """

    Parameters: type[Any]

    def run(self, sources: Sources, parameters: P_contra, outputs: Outputs, progress: Progress) -> Summary:
        """Write the outputs. Raises Unprocessable if the file is at fault; any other exception is retried."""
        ...
