"""`assay infer` and `assay check`: no stack, no database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue, ValidationError

from assay.cli.commands.options import AsJson, File, ReadingParam
from assay.cli.terminal.arguments import parameters as parameters_of
from assay.cli.terminal.installed import require_engine
from assay.cli.terminal.reporting import CAN_NOT_CHECK, reported
from assay.errors import in_words
from assay.reading import Reading


def infer(file: File, param: ReadingParam = None) -> None:
    """Print a Table Schema of a file, as JSON: what its columns are, and which are filled everywhere."""
    reading = _reading(param)
    with reported(as_json=False, exit_code=CAN_NOT_CHECK):
        require_engine()
    from assay.cli.offline import check as checking

    checking.infer(file, reading)


def check(
    file: File,
    schema: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, readable=True, help="The Table Schema, a file of JSON.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for all violations, and the valid and refused rows: new, empty, or of an earlier check.",
        ),
    ] = None,
    param: ReadingParam = None,
    as_json: AsJson = False,
) -> None:
    """Check every row of a file by a Table Schema. Exit code 0: it passes; 1: it does not; 2: it can't be checked."""
    reading = _reading(param)
    with reported(as_json=as_json, exit_code=CAN_NOT_CHECK):
        require_engine()
    from assay.cli.offline import check as checking

    checking.check(file, schema, out, reading, as_json=as_json)


def _reading(param: list[str] | None) -> Reading:
    """Take `--param 'reading={...}'`, and nothing else. Raises typer.BadParameter."""
    given: dict[str, JsonValue] = parameters_of(param)
    if {*given} - {"reading"}:
        raise typer.BadParameter(
            'Only reading can be given here, such as reading={"delimiter": ";"}.', param_hint="--param"
        )
    try:
        return Reading.model_validate(given.get("reading", {}))
    except ValidationError as error:
        wrong = in_words(error, place=lambda field: f"reading.{field}")
        raise typer.BadParameter(f"{wrong}.", param_hint="--param") from None
