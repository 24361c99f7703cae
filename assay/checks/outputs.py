"""What the checks leave behind: the violations, the rows that pass, and those that are refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from assay.checks.cells import ZONE, ZONE_FORM
from assay.checks.columns import Columns
from assay.checks.rules import Check
from assay.checks.violations import flagged
from assay.formats.registry import Flags
from assay.formats.table import Table
from assay.schema import SchemaField, Severity
from assay.write.spreadsheet_text import guarded
from assay.write.unique_names import unique_names

_TYPED = {"integer": pl.Int64(), "number": pl.Float64()}
_AS_READ = ("boolean", "date", "time", "datetime")
_VIOLATION = ("row", "column", "check", "severity", "value")


def write_violations(
    path: Path,
    made: Sequence[Check],
    names: Sequence[str],
    columns: Columns,
    severity: Severity,
    parquet: Path,
    as_csv: Path,
) -> None:
    """Write row, column, check, severity and value; what is wrong with the header comes first, and has no row."""
    said: dict[str, list[str]] = {
        "column": [" | ".join(names[at] for at in check.positions) for check in made],
        "check": [str(check.name) for check in made],
        "severity": [str(check.severity) for check in made],
    }
    named = [
        pl.col("code").map_batches(_taken(texts), return_dtype=pl.String, is_elementwise=True).alias(name)
        for name, texts in said.items()
    ]
    header = pl.LazyFrame(
        [(None, one.column, "fieldsMatch", severity, one.why) for one in columns.mismatches],
        schema={name: pl.Int64 if name == "row" else pl.String for name in _VIOLATION},
        orient="row",
    )
    rows = pl.scan_parquet(path, glob=False).with_columns(named).select(_VIOLATION)
    pl.concat([header, rows]).sink_parquet(parquet, statistics=False, maintain_order=True)
    _write_csv(parquet, as_csv)


def _taken(texts: Sequence[str]) -> Callable[[pl.Series], pl.Series]:
    known = pl.Series(texts, dtype=pl.String)
    return known.gather


def write_valid(frame: pl.LazyFrame, columns: Columns, names: Sequence[str], parquet: Path, as_csv: Path) -> None:
    """Write the rows of the frame under their fields' names, and of their fields' types."""
    fields = {at: field for field, at in columns.places}
    # A whole number of more than 64 bits is valid, and no number to Parquet: its column stays text.
    lost = {
        str(at): (
            pl.col(f"value {at}").cast(_TYPED[field.type], strict=False).is_null() & pl.col(f"value {at}").is_not_null()
        ).any()
        for at, field in fields.items()
        if field.type in _TYPED
    }
    # A moment with a zone would come out as that of another clock: its column stays text too, zone and all.
    lost |= {
        str(at): zoned.any() | pl.lit(ZONE_FORM.search(field.format) is not None)
        for at, field in fields.items()
        if field.type == "datetime"
        for zoned in [pl.col(str(at)).str.strip_chars().str.contains(ZONE)]
    }
    is_lost = frame.select(**lost).collect(engine="streaming").row(0, named=True) if lost else {}
    own = unique_names([fields[at].name if at in fields else name for at, name in enumerate(names)])
    cells = {name: _typed(at, fields.get(at), as_text=is_lost.get(str(at), False)) for at, name in enumerate(own)}
    frame.select(**cells).sink_parquet(parquet, statistics=False, maintain_order=True)
    _write_csv(parquet, as_csv)


def _typed(at: int, field: SchemaField | None, *, as_text: bool) -> pl.Expr:
    cell = pl.col(str(at))
    if field is None:
        return pl.when(cell.str.strip_chars() != "").then(cell)
    if field.type in _AS_READ and not as_text:
        return pl.col(f"value {at}")
    if field.type in _TYPED and not as_text:
        return pl.col(f"value {at}").cast(_TYPED[field.type], strict=False)
    return pl.when(~pl.col(f"missing {at}")).then(cell)


def _write_csv(parquet: Path, path: Path) -> None:
    """Write a Parquet file as CSV; no text in it is a formula to a spreadsheet."""
    schema = pl.read_parquet_schema(parquet)
    header = pl.DataFrame({"name": pl.Series([*schema], dtype=pl.String)}).select(guarded(pl.col("name")))
    # A name such as `^a.*$` means more to Polars.
    rows = pl.scan_parquet(parquet, glob=False).rename({name: str(at) for at, name in enumerate(schema)})
    texts = [str(at) for at, dtype in enumerate(schema.values()) if dtype == pl.String]
    with path.open("wb") as file:
        header.transpose().write_csv(file, include_header=False)
        rows.with_columns(guarded(pl.col(name)) for name in texts).sink_csv(
            file, include_header=False, maintain_order=True
        )


def write_refused(table: Table, frame: pl.LazyFrame, refused: Flags, path: Path) -> bool:
    """Write the refused rows as they stand in the file, below what stands above its rows; whether that could be done.

    What is no text comes as CSV of its cells.
    """
    if table.verbatim is not None:
        with path.open("wb") as file:
            table.verbatim(refused, file)
        return True
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(table.columns)
    cells = [pl.col(str(at)) for at in range(len(table.columns))]
    with path.open("wb") as file:
        file.write(text.getvalue().encode())
        frame.filter(flagged(refused)).select(cells).sink_csv(
            file, include_header=False, line_terminator="\r\n", maintain_order=True
        )
    return False
