"""`assay analyse`, which needs no stack and no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.commands.options import AsJson, Column, DatasetType, File, Param
from assay.cli.terminal.arguments import parameters as parameters_of
from assay.cli.terminal.installed import require_engine
from assay.cli.terminal.reporting import reported


def analyse(
    file: File,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the outputs: new, empty, or of an earlier run.")
    ],
    dataset_type: DatasetType = None,
    param: Param = None,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Analyse a file without a stack or a database. The outputs are byte for byte those of `assay run`."""
    with reported(as_json=as_json):
        require_engine()
    from assay.cli.offline import analyse as analysing

    analysing.run(file, out, dataset_type, parameters_of(param, column), as_json=as_json)
