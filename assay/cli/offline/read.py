"""`assay read`: what Assay understands of a file, and the table as it reads it."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl
import typer
from pydantic import JsonValue
from rich.markup import escape
from rich.table import Table as Grid

from assay.cli.offline import columns as columns_view
from assay.cli.terminal import screen
from assay.cli.terminal.reporting import reported
from assay.errors import Unprocessable
from assay.files import holds_something, open_file, recognise_file
from assay.formats import Table
from assay.reading import Reading
from assay.types import ColumnType, infer_types, refused_cells

_SHOWN = 20


def run(file: Path, out: Path | None, reading: Reading, columns: Mapping[str, str | None], *, as_json: bool) -> None:
    """Print what the file is, and write its table to `out`. Raises typer.Exit(1) once it is printed why not."""
    with reported(as_json=as_json), tempfile.TemporaryDirectory(prefix="assay-read-") as folder:
        try:
            _run(file, out, reading, columns, Path(folder), as_json=as_json)
        except Unprocessable as error:
            if as_json:
                problem = {"code": error.code, "detail": error.detail, "suggestion": error.suggestion}
                screen.print_json({"problem": {**problem}})
            screen.problem("The file can't be read as a table.", error.detail, error.code, error.suggestion)
            raise typer.Exit(1) from error


def _run(
    file: Path, out: Path | None, reading: Reading, columns: Mapping[str, str | None], folder: Path, *, as_json: bool
) -> None:
    with screen.progress(file.name, 1) as update:
        table = open_file(file, reading, folder, lambda done: update(done, "repairing"))
    types = infer_types(table, reading)
    rows = table.frame.filter(holds_something(table))
    count = int(rows.select(pl.len()).collect(engine="streaming").item())
    if out is not None:
        write_table(table, rows, out)
    refused = refused_cells(table, types)
    said: dict[str, JsonValue] = {"reading": reading.model_dump(mode="json"), "columns": {**columns}}
    detection = recognise_file(file, None, said)
    if as_json:
        found = _as_json(file, table, types, refused, count)
        screen.print_json(found | {"detection": detection.model_dump(mode="json")})
    else:
        _show(file, table, types, refused, count, out)
        columns_view.show(detection)


def write_table(table: Table, rows: pl.LazyFrame, path: Path) -> None:
    """Write the table as it was read: RFC 4180 in UTF-8, its header first where it has one, every value as its text.

    A header that is not in the file is not written: nothing is in the table that was not there. All of it or nothing:
    a file that was there stays until the whole is written.
    """
    positions = [str(at) for at in range(len(table.columns))]
    blank_as_null = [pl.when(pl.col(at) != "").then(pl.col(at)).alias(at) for at in positions]
    with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=f".{path.name[:50]}.", delete=False) as file:
        written = Path(file.name)
        try:
            if table.facts.get("header_line", 0) is not None:
                text = io.StringIO()
                csv.writer(text, lineterminator="\r\n").writerow(table.columns)
                file.write(text.getvalue().encode())
            rows.select(blank_as_null).sink_csv(
                file, include_header=False, line_terminator="\r\n", quote_style="necessary", engine="streaming"
            )
            file.close()
            written.chmod(0o644)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise


def _as_json(
    file: Path, table: Table, types: tuple[ColumnType, ...], refused: pl.DataFrame, count: int
) -> dict[str, JsonValue]:
    columns: list[JsonValue] = [
        {"name": name, **_type_as_json(one)} for name, one in zip(table.columns, types, strict=True)
    ]
    cells: list[JsonValue] = [dict(row) for row in refused.iter_rows(named=True)]
    return {"file": file.name, "rows": count, "columns": columns, "read_as": table.facts, "refused_cells": cells}


def _type_as_json(one: ColumnType) -> dict[str, JsonValue]:
    return {
        "type": one.kind.value,
        "filled": one.filled,
        "blank": one.blank,
        "refused": one.refused,
        "decimal": one.decimal,
        "thousands": one.thousands,
        "unit": one.unit,
        "dates": None if one.dates is None else asdict(one.dates),
        "note": one.note,
    }


def _show(
    file: Path, table: Table, types: tuple[ColumnType, ...], refused: pl.DataFrame, count: int, out: Path | None
) -> None:
    facts = table.facts
    screen.result(f"{file.name}: {count:,} rows, {len(table.columns):,} columns")
    for name, value in facts.items():
        if value not in (None, False, 0, [], "") and name != "unequal_rows":
            screen.result(f"  {name.replace('_', ' ')}: {value}")
    if facts.get("header_line", 0) is None:
        screen.result("  header: none; the columns are numbered")
    grid = Grid("column", "type", "unit", "filled", "blank", "refused", "how it was decided")
    for name, one in zip(table.columns, types, strict=True):
        grid.add_row(
            escape(name), one.kind.value, one.unit, f"{one.filled:,}", f"{one.blank:,}", f"{one.refused:,}", one.note
        )
    screen.grid(grid)
    unequal = facts.get("unequal_rows")
    if isinstance(unequal, list) and unequal:
        screen.result(f"Rows with other cells than the header ({len(unequal):,}{' or more' * (len(unequal) == 1000)}):")
        for row in unequal[:_SHOWN]:
            screen.result(f"  {row}")
    if refused.height:
        screen.result("Cells that are not of their column's type:")
        for row, column, text, reason in refused.head(_SHOWN).iter_rows():
            screen.result(f"  row {row:,}, {column}: {text!r} is {reason}")
    if out is not None:
        screen.result(f"Written to {out}")
