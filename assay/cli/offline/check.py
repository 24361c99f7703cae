"""`assay infer` and `assay check`: a file of this machine and its Table Schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table as Grid

from assay.checks.infer import infer_schema
from assay.checks.run import OUTPUTS, Checked, check_table
from assay.cli.terminal import screen
from assay.cli.terminal.reporting import CAN_NOT_CHECK, reported
from assay.contract import Outputs
from assay.errors import InvalidInput, in_words
from assay.files import open_file
from assay.reading import Reading
from assay.schema import TableSchema
from assay.types import infer_types
from assay.write import result_folder

_SHOWN = 60


def _reported(*, as_json: bool) -> AbstractContextManager[None]:
    return reported(as_json=as_json, title="The file can't be checked.", exit_code=CAN_NOT_CHECK)


def infer(file: Path, reading: Reading) -> None:
    """Print the schema of a file. Raises typer.Exit(2) once it is printed why not."""
    with _reported(as_json=False), tempfile.TemporaryDirectory(prefix="assay-infer-") as folder:
        with screen.progress(file.name, 1) as update:
            table = open_file(file, reading, Path(folder), lambda done: update(done, "repairing"))
            update(1, "looking at every cell")
            schema, odd = infer_schema(table, infer_types(table, reading))
        for name, count in odd.items():
            cells = "1 cell does" if count == 1 else f"{count:,} cells do"
            screen.note(f"{name}: {cells} not match the column's type; `assay check` lists them.")
        screen.print_json(schema)


def check(file: Path, schema: Path, out: Path | None, reading: Reading, *, as_json: bool) -> None:
    """Print what breaks the schema, and write it into `out`, all or nothing.

    Raises typer.Exit: 1 where something does, 2 once it is printed why the file can't be checked.
    """
    with _reported(as_json=as_json):
        rules = _schema_of(schema)
        with _beside(out) as folder, screen.progress(file.name, 1) as update:
            table = open_file(file, reading, folder, lambda done: update(done, "repairing"), rules)
            outputs = Outputs(folder / "outputs")
            outputs.folder.mkdir()
            checked = check_table(table, rules, outputs, folder, lambda done: update(done, "checking"))
            if out is not None:
                result_folder.replace(out, [output.path for output in outputs.files], OUTPUTS)
    if as_json:
        screen.print_json(checked.report)
    else:
        _show(file, checked, out)
    if checked.errors:
        raise typer.Exit(1)


@contextmanager
def _beside(out: Path | None) -> Iterator[Path]:
    if out is not None:
        with result_folder.beside(out, OUTPUTS) as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="assay-check-") as temporary:
            yield Path(temporary)


def _schema_of(path: Path) -> TableSchema:
    """Read a schema. Raises InvalidInput, which says where and why it is none, and OSError."""
    try:
        return TableSchema.model_validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = in_words(error, "property")
        raise InvalidInput(f"{path.name} is not a Table Schema: {wrong}.", "Correct the file.") from None


def _show(file: Path, checked: Checked, out: Path | None) -> None:
    grid = Grid("check", "column", "severity", "violations", "first rows")
    report = checked.report
    match = report["fields_match"]
    if isinstance(match, dict) and isinstance(match["found"], list):
        for one in match["found"]:
            if isinstance(one, dict):
                grid.add_row(
                    "fieldsMatch", escape(str(one["column"])), str(match["severity"]), "", escape(str(one["why"]))
                )
    for one in report["results"] if isinstance(report["results"], list) else []:
        if isinstance(one, dict) and one["violations"] and isinstance(one["first"], list):
            first = "; ".join(
                f"{row['row']:,}: {str(row['value'])[:_SHOWN]!r}" for row in one["first"] if isinstance(row, dict)
            )
            columns = " | ".join(map(str, one["columns"] if isinstance(one["columns"], list) else []))
            grid.add_row(
                str(one["check"]), escape(columns), str(one["severity"]), f"{one['violations']:,}", escape(first)
            )
    if grid.row_count:
        screen.grid(grid)
    screen.result(
        f"{file.name}: {checked.rows:,} rows, {checked.valid:,} valid, {checked.refused:,} refused; "
        f"{checked.errors:,} errors, {checked.warnings:,} warnings"
    )
    if out is not None:
        screen.result(f"Written to {out}")
