"""`assay read`: show how Assay reads a file, and write its table."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import polars as pl
from pydantic import JsonValue
from rich.markup import escape
from rich.table import Table as Grid

from assay.cli.offline import roles
from assay.cli.terminal import screen
from assay.cli.terminal.reporting import reported
from assay.files import open_file, recognise_file
from assay.formats import Table
from assay.reading import Reading
from assay.types import ColumnType, infer_types, refused_cells

_SHOWN = 20


def run(file: Path, out: Path | None, reading: Reading, columns: Mapping[str, str | None], *, as_json: bool) -> None:
    """Print how the file is read, and write its table to `out`. On an error, print it and raise typer.Exit(1)."""
    title = "The file can't be read as a table."
    with reported(as_json=as_json, title=title), tempfile.TemporaryDirectory(prefix="assay-read-") as folder:
        _run(file, out, reading, columns, Path(folder), as_json=as_json)


def _run(
    file: Path, out: Path | None, reading: Reading, columns: Mapping[str, str | None], folder: Path, *, as_json: bool
) -> None:
    with screen.progress(file.name, 1) as update:
        table = open_file(file, reading, folder, lambda done: update(done, "repairing"))
    types = infer_types(table, reading)
    rows = table.frame.filter(table.holds_something)
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
        roles.show(detection)


def write_table(table: Table, rows: pl.LazyFrame, path: Path) -> None:
    """Write the table as CSV (RFC 4180, UTF-8): the header, if there is one, then every cell as text.

    No header is written if the file has none. The file is replaced only when it is complete.
    """
    positions = [str(position) for position in range(len(table.columns))]
    blank_as_null = [pl.when(pl.col(position) != "").then(pl.col(position)).alias(position) for position in positions]
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
        {"name": name, **_type_as_json(column_type)} for name, column_type in zip(table.columns, types, strict=True)
    ]
    cells: list[JsonValue] = [dict(row) for row in refused.iter_rows(named=True)]
    return {"file": file.name, "rows": count, "columns": columns, "read_as": table.facts, "refused_cells": cells}


def _type_as_json(column_type: ColumnType) -> dict[str, JsonValue]:
    return {
        "type": column_type.kind.value,
        "filled": column_type.filled,
        "blank": column_type.blank,
        "refused": column_type.refused,
        "decimal": column_type.decimal,
        "thousands": column_type.thousands,
        "unit": column_type.unit,
        "dates": None if column_type.dates is None else asdict(column_type.dates),
        "note": column_type.note,
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
    for name, column_type in zip(table.columns, types, strict=True):
        grid.add_row(
            escape(name),
            column_type.kind.value,
            column_type.unit,
            f"{column_type.filled:,}",
            f"{column_type.blank:,}",
            f"{column_type.refused:,}",
            column_type.note,
        )
    screen.grid(grid)
    unequal = facts.get("unequal_rows")
    if isinstance(unequal, list) and unequal:
        screen.result(
            f"Rows with more or fewer cells than the header ({len(unequal):,}{' or more' * (len(unequal) == 1000)}):"
        )
        for row in unequal[:_SHOWN]:
            screen.result(f"  {row}")
    if refused.height:
        screen.result("Cells that do not match the type of their column:")
        for row, column, text, reason in refused.head(_SHOWN).iter_rows():
            screen.result(f"  row {row:,}, {column}: {text!r} is {reason}")
    if out is not None:
        screen.result(f"Written to {out}")
