"""A table against its schema: every violation, the rows that pass, and those that do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from assay.checks.columns import Columns, match
from assay.checks.outputs import write_refused, write_valid, write_violations
from assay.checks.rules import Check, check_formats, checks, keys, read_cells
from assay.checks.violations import flagged, refused_rows, repeated, sink_violations
from assay.contract import Outputs
from assay.formats.table import Table
from assay.schema import TableSchema
from assay.write.canonical import described, write_json
from assay.write.unique_names import unique_names

OUTPUTS = ("violations.parquet", "violations.csv", "valid.parquet", "valid.csv", "refused.csv", "checks.json")
"""The names of all outputs, in their order."""

_PARQUET = "application/vnd.apache.parquet"
# Of each check so many violations stand in checks.json; violations.csv has all.
_FIRST = 5


@dataclass(frozen=True)
class Checked:
    """What was found: rows read, of which each is valid or refused; and violations that are errors or warnings.

    `report` is what checks.json holds.
    """

    rows: int
    valid: int
    refused: int
    errors: int
    warnings: int
    report: dict[str, JsonValue]


def check_table(
    table: Table, schema: TableSchema, outputs: Outputs, folder: Path, tick: Callable[[float], None]
) -> Checked:
    """Write checks.json, violations and valid rows (as Parquet and CSV), and refused.csv.

    `folder` takes what is needed on the way; `tick` is called with the fraction done, and may raise. Blank rows are
    left out. Raises Unprocessable for a schema that can't be used.
    """
    check_formats(schema)
    names = unique_names([name.strip() for name in table.columns])
    columns = match(names, schema, has_header=table.facts.get("header_line", 0) is not None)
    frame = table.frame.filter(table.holds_something).with_columns(read_cells(columns, schema))
    # The last of all, blank ones too: the engine may ask for a row's flag before it has left the blank ones out.
    both = table.frame.select(rows=table.holds_something.sum(), last=pl.col("row").max().fill_null(0))
    rows, last = both.collect(engine="streaming").row(0)
    of_rows, of_keys = list(checks(columns, schema)), list(keys(columns, schema))
    made = [check for check, _ in (*of_rows, *of_keys)]
    broken = [expression for _, expression in of_rows]
    for at, (_, key) in enumerate(of_keys):
        tick(0.1 + 0.4 * at / len(of_keys))
        broken.append(flagged(repeated(frame, key, last, folder / "keys.parquet")))
    tick(0.5)
    found = folder / "violations.parquet"
    sink_violations(frame, len(names), made, broken, found)
    refused = refused_rows(found, made, last)
    severity = schema.severity.get("fieldsMatch", "error")
    paths = outputs.new("violations.parquet", _PARQUET), outputs.new("violations.csv", "text/csv")
    write_violations(found, made, names, columns, severity, *paths)
    tick(0.7)
    paths = outputs.new("valid.parquet", _PARQUET), outputs.new("valid.csv", "text/csv")
    write_valid(frame.filter(~flagged(refused)), columns, names, *paths)
    tick(0.85)
    verbatim = write_refused(table, frame, refused, outputs.new("refused.csv", "text/csv"))
    valid, away = int(pl.scan_parquet(paths[0], glob=False).select(pl.len()).collect().item()), int(refused.sum())
    if valid + away != rows:
        raise AssertionError(f"{rows:,} rows were read, {valid:,} are valid and {away:,} refused")
    listed = _listed(found, made, names)
    header: list[JsonValue] = [{"column": one.column, "why": one.why} for one in columns.mismatches]
    counts = {
        weight: sum(count for check, count in listed.counts if check.severity == weight)
        + (severity == weight) * len(header)
        for weight in ("error", "warning")
    }
    content: dict[str, JsonValue] = {
        "passes": not counts["error"],
        "rows": {"read": rows, "valid": valid, "refused": away},
        "violations": {**counts},
        "fields_match": {"rule": schema.fields_match, "severity": severity, "found": header},
        "results": listed.as_json,
        **_columns_json(columns, names),
        "refused_csv": "verbatim" if verbatim else "cells",
        "schema": schema.as_given(),
    }
    report = described("checks", content)
    write_json(report, outputs.new("checks.json", "application/json"))
    return Checked(rows, valid, away, counts["error"], counts["warning"], report)


@dataclass(frozen=True)
class _Listed:
    counts: list[tuple[Check, int]]
    as_json: list[JsonValue]


def _listed(found: Path, made: Sequence[Check], names: Sequence[str]) -> _Listed:
    """Count the violations of each check, and give the first of them."""
    violations = pl.scan_parquet(found, glob=False)
    counts = dict(violations.group_by("code").len().collect(engine="streaming").iter_rows())
    as_json: list[JsonValue] = []
    for code, check in enumerate(made):
        first = violations.filter(pl.col("code") == code).select("row", "value").head(_FIRST)
        as_json.append(
            {
                "check": check.name,
                "columns": [*(names[at] for at in check.positions)],
                "severity": check.severity,
                "violations": counts.get(code, 0),
                "first": [*first.collect(engine="streaming").iter_rows(named=True)] if code in counts else [],
            }
        )
    return _Listed([(check, counts.get(code, 0)) for code, check in enumerate(made)], as_json)


def _columns_json(columns: Columns, names: Sequence[str]) -> dict[str, JsonValue]:
    taken = {at for _, at in columns.places}
    return {
        "columns": [{"field": field.name, "column": names[at], "position": at + 1} for field, at in columns.places],
        "columns_not_checked": [name for at, name in enumerate(names) if at not in taken],
    }
