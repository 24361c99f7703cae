"""The implementation of `assay.read` and `assay.analyse` for local files."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
from pydantic import JsonValue, ValidationError

from assay import run
from assay.contract import Progress, Source, Sources
from assay.datasets import registry
from assay.detection import Detection
from assay.errors import InvalidInput, Unprocessable, in_words
from assay.formats import Table, open_table
from assay.reading import Reading
from assay.schema import TableSchema
from assay.types import ColumnType, infer_types, typed
from assay.write import result_folder
from assay.write.unique_names import unique_names


@dataclasses.dataclass(frozen=True)
class ReadTable:
    """A file's table, in memory.

    `frame` has one column of each of `types`, with null for blank and refused cells, and without blank rows. A column
    with no name is called by its position, a repeated name gets a number. `read_as` is how the file was read.
    """

    frame: pl.DataFrame
    types: tuple[ColumnType, ...]
    read_as: dict[str, JsonValue]


def source_of(path: Path) -> Source:
    """Hash a local file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Source(path.resolve(), path.name, digest, path.stat().st_size)


def open_file(
    path: Path, reading: Reading, folder: Path, tick: Callable[[float], None], schema: TableSchema | None = None
) -> Table:
    """Open the table of a file: the one that its type is told by, for it may hold several.

    With a `schema`, the one whose header has the names of its fields. Keep `folder` as long as the table is used.
    Raises Unprocessable, and OSError.
    """
    score = run.any_header_score(registry.rules())
    if schema is not None:
        score = schema.header_score(score)
    return open_table(source_of(path), score, folder, tick, reading)


def recognise_file(path: Path, dataset_type: str | None, parameters: Mapping[str, JsonValue]) -> Detection:
    """Tell what a file is, and which of its columns is what, as far as it has those that a `dataset_type` needs.

    Raises Unprocessable, and OSError.
    """
    return run.recognise(source_of(path), dataset_type, parameters, may_lack=True)[1]


def read_file(path: Path, options: Mapping[str, object]) -> ReadTable:
    """Read a whole file. Raises Unprocessable, OSError, and InvalidInput for invalid options."""
    try:
        reading = Reading.model_validate(options)
    except ValidationError as error:
        wrong = in_words(error, "option")
        raise InvalidInput(f"The reading options are not valid: {wrong}.", "Correct the options.") from None
    with tempfile.TemporaryDirectory(prefix="assay-read-") as folder:
        table = open_file(path, reading, Path(folder), lambda _done: None)
        types = infer_types(table, reading)
        rows = table.frame.filter(table.holds_something).select("row").collect(engine="streaming")
        frame = typed(table, types).collect(engine="streaming").join(rows, on="row", how="semi", maintain_order="left")
    names = unique_names(table.columns)
    cells = [pl.col(str(position)).alias(name) for position, name in enumerate(names)]
    return ReadTable(frame.select(cells), types, table.facts)


def analyse_file(
    path: Path,
    out: Path,
    dataset_type: str | None,
    parameters: Mapping[str, JsonValue],
    progress: Progress,
) -> run.Analysis | Detection:
    """Write all results of a file into `out`, or none on an error. Return the detection if no type is sure enough.

    `out` is new, empty, or holds an earlier analysis, which is replaced. Raises Unprocessable, FolderNotEmpty, and
    OSError.
    """
    with result_folder.beside(out) as beside:
        analysis = run.analyse(
            Sources((source_of(path),)), dataset_type, parameters, beside, progress, lambda _detection: None
        )
        if isinstance(analysis, run.NeedsType):
            return analysis.detection
        paths = result_folder.replace(out, [output.path for output in analysis.outputs])
    outputs = [dataclasses.replace(output, path=path) for output, path in zip(analysis.outputs, paths, strict=True)]
    return dataclasses.replace(analysis, outputs=outputs)


def analyse_or_raise(
    path: Path, out: Path, dataset_type: str | None, parameters: Mapping[str, JsonValue]
) -> run.Analysis:
    """Like `analyse_file`, but raise Unprocessable (`needs_type`) if no type is sure enough."""
    analysis = analyse_file(path, out, dataset_type, parameters, lambda _done, _stage: None)
    if isinstance(analysis, Detection):
        raise Unprocessable("needs_type", analysis.decision, "Choose the type: dataset_type=...")
    return analysis
