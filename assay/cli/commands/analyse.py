"""`assay analyse`: no stack, no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from local.arguments import parameters as parameters_of
from local.commands.options import AsJson, DatasetType, File, Param


def analyse(
    file: File,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the outputs.")],
    dataset_type: DatasetType = None,
    param: Param = None,
    as_json: AsJson = False,
) -> None:
    """Analyse a file here and now: no stack, no database, the same outputs byte for byte."""
    from local import analyse as analysing  # noqa: PLC0415  # only this command needs the data engine

    analysing.run(file, out, dataset_type, parameters_of(param), as_json=as_json)
