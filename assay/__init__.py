"""Assay turns a data file into audited results: `read` a table, or `analyse` a file into a folder.

Both need the extra `analyse`. They use no network, no clock and no randomness. `assay.client` is the client of a
running Assay.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import JsonValue

    from assay.files import ReadTable
    from assay.run import Analysis

__all__ = ["__version__", "analyse", "read"]

__version__ = "0.1.0"


def read(path: str | PathLike[str], **options: object) -> ReadTable:
    """Read the table of a data file into memory, with typed columns.

    `options` are the fields of `assay.reading.Reading`, such as `delimiter`, `encoding` or `sheet`; omitted options are
    detected. Raises `assay.errors.Unprocessable` if the file has no table, `assay.errors.InvalidInput` (a ValueError)
    for an invalid option, OSError if the file can't be read, and ImportError without the extra `analyse`.
    """
    from assay.files import read_file  # noqa: PLC0415  # `import assay` loads no data engine

    return read_file(Path(path), options)


def analyse(
    path: str | PathLike[str],
    out: str | PathLike[str],
    *,
    dataset_type: str | None = None,
    parameters: Mapping[str, JsonValue] | None = None,
) -> Analysis:
    """Analyse a data file, and write the results into the folder `out`: all of them or none.

    The folder is new, empty, or holds an earlier analysis, which is replaced. The same file, version and parameters
    give the same bytes. Raises `assay.errors.Unprocessable` if the file, the type or the parameters are at fault (code
    `needs_type` if a `dataset_type` must be given), `assay.errors.FolderNotEmpty` if the folder holds other files,
    OSError if a file or folder can't be used, and ImportError without the extra `analyse`.
    """
    from assay.files import analyse_or_raise  # noqa: PLC0415  # as above

    return analyse_or_raise(Path(path), Path(out), dataset_type, parameters or {})
