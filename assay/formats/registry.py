"""The formats that are read: a folder each, which says itself what it reads.

A folder's `__init__.py` has `FORMAT`, a Format or a Container. Adding one is adding a folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.formats.header_rank import Cells, Scorer
from assay.reading import Reading

Flags = npt.NDArray[np.bool_]
"""One for each row number, from 0."""

Tick = Callable[[float], None]
Head = tuple[Cells, list[list[str | None]]]
"""The header's cells, and the first rows."""
Whole = tuple[Cells, pl.LazyFrame, dict[str, JsonValue]]
"""The header's cells, the rows as `Table.frame` has them, and how the file was read."""


class Verbatim(Protocol):
    """Writes what stands above the rows of a file, and then those of its rows whose flag is set, byte by byte."""

    def __call__(self, opening: Opening, repaired: bool, wanted: Flags, out: BinaryIO, /) -> None:
        """`repaired` is what the reader said of the file. Raise Unprocessable as the reader does."""
        ...


class Claims(Protocol):
    """Says which kind of its formats a file is, by its first MiB; None for none.

    It may look through the whole file for what would harm its reader, and raise Unprocessable.
    """

    def __call__(self, source: Source, head: bytes, /) -> str | None:
        """Return the kind, such as xlsx."""
        ...


@dataclass(frozen=True)
class Opening:
    """What a reader is given.

    `kind` is what the format's `claims` returned, `folder` takes copies and must outlive the table; `tick` is called
    with the fraction read, and may raise.
    """

    source: Source
    kind: str
    score: Scorer
    reading: Reading
    folder: Path
    tick: Tick


@dataclass(frozen=True)
class Format:
    """A family of files that hold tables.

    Formats are asked in the order of `rank`, those that are no text before those that are. `extensions` are the usual
    ends of their names, with the dot. `preview` gives the header and at most so many rows; both raise Unprocessable.
    `verbatim` is there where a row is a piece of the file.
    """

    rank: int
    is_text: bool
    extensions: frozenset[str]
    claims: Claims
    preview: Callable[[Opening, int], Head]
    open_table: Callable[[Opening], Whole]
    verbatim: Verbatim | None = None


@dataclass(frozen=True)
class Container:
    """A family of files that hold another file.

    `unpack` takes the file, its kind, a folder for what it unpacks, a tick, and whether the head is enough. It returns
    the file in it and what to say of the container, and raises Unprocessable.
    """

    rank: int
    claims: Claims
    unpack: Callable[[Source, str, Path, Tick, bool], tuple[Source, dict[str, JsonValue]]]
    is_text: bool = False


@lru_cache(maxsize=1)
def formats() -> tuple[Format | Container, ...]:
    """Every format and container, in the order in which they are asked."""
    package = importlib.import_module("assay.formats")
    folders = (found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg)
    registered = [importlib.import_module(f"assay.formats.{name}").FORMAT for name in folders]
    return tuple(sorted(registered, key=lambda each: (each.is_text, each.rank)))


def table_extensions() -> frozenset[str]:
    """Return how the name of a table may end, with the dot."""
    return frozenset().union(*(each.extensions for each in formats() if isinstance(each, Format)))
