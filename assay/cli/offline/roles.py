"""`assay map`: which column of a file is what, and the command that says otherwise."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table as Grid

from assay.cli.terminal import screen
from assay.cli.terminal.arguments import columns_of
from assay.cli.terminal.reporting import reported
from assay.detection import Detection
from assay.errors import Unprocessable
from assay.files import recognise_file
from assay.formats.problems import shown

_ASK = "Another column, such as amount=Gross (nothing to end):"


def run(file: Path, dataset_type: str | None, columns: Mapping[str, str | None], *, as_json: bool) -> None:
    """Show the role of each column, ask for others in a terminal, and print the command that uses the choice.

    Raises typer.Exit(1) once it is printed why the file or the columns can't be taken.
    """
    with reported(as_json=as_json, title="The columns can't be mapped."):
        detection = recognise_file(file, dataset_type, {"columns": {**columns}})
        if as_json:
            screen.print_json(detection.model_dump(mode="json"))
            return
        show(detection)
        if not detection.columns.roles and dataset_type is None:
            screen.result(f"To see the columns of another type: assay map {shlex.quote(str(file))} --dataset-type TYPE")
            return
        chosen = dict(columns)
        while sys.stdin.isatty() and (answer := screen.ask(_ASK)):
            detection, chosen = _asked(file, dataset_type, chosen, detection, answer)
        screen.result(command(file, dataset_type, detection, chosen))


def _asked(
    file: Path, dataset_type: str | None, chosen: dict[str, str | None], detection: Detection, answer: str
) -> tuple[Detection, dict[str, str | None]]:
    """Take one answer; where it can't be taken, say why, and leave everything as it was."""
    try:
        more = chosen | columns_of([answer])
        found = recognise_file(file, dataset_type or detection.likeliest, {"columns": {**more}})
    except typer.BadParameter as error:
        screen.note(str(error))
    except Unprocessable as error:
        screen.problem("That can't be taken.", error.detail, error.code, error.suggestion)
    else:
        show(found)
        return found, more
    return detection, chosen


def show(detection: Detection) -> None:
    """Print the role of each column, how it was found, what no role took, and what a person should decide."""
    columns = detection.columns
    screen.result(detection.decision)
    if columns.missing:
        screen.result(f"Needed, and not found: {', '.join(columns.missing)}")
    if columns.layout is not None:
        screen.result(f"The header is that of {columns.layout}.")
    if columns.roles:
        grid = Grid("role", "column", "how", "values fit", "others", "because")
        for name, role in columns.roles.items():
            column = "(none)" if role.column is None else shown(role.column)
            fit = role.values_fit or ""
            grid.add_row(name, escape(column), role.how, fit, escape(", ".join(role.others)), escape(role.because))
        screen.grid(grid)
    if columns.unused_amounts:
        screen.result(f"Amounts and quantities that are not used: {', '.join(columns.unused_amounts)}")
    others = [name for name in columns.unused if name not in columns.unused_amounts]
    if others and columns.roles:
        screen.result(f"Other columns that are not used: {', '.join(others)}")
    for line in (*columns.notes, *columns.doubts):
        screen.result(line)


def command(file: Path, dataset_type: str | None, detection: Detection, chosen: Mapping[str, str | None]) -> str:
    """Return the command that analyses the file with these columns.

    Where a person should decide, it names what was taken, so that to run it is to confirm it.
    """
    roles = detection.columns.roles
    named = dict(chosen)
    if detection.columns.doubts:
        named = {name: role.column for name, role in roles.items() if role.others} | named
    kind = dataset_type or (detection.likeliest if named else None)
    words = ["assay", "run", str(file)]
    words += ["--dataset-type", kind] if kind is not None else []
    for role, column in named.items():
        words += ["--column", f"{role}={column or ''}"]
    return shlex.join(words)
