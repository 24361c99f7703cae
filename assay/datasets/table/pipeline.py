"""A profile of any table: what is in each column, how columns hang together, and how good the data are."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
from pydantic import JsonValue

from assay import contract
from assay.contract import Count, Outputs, Progress, Sources, Summary
from assay.datasets.table import limits
from assay.datasets.table.cleaned import is_risky, write_csv, write_parquet
from assay.datasets.table.column import Profile, profile
from assay.datasets.table.counts import counted_columns
from assay.datasets.table.duplicates import Duplicates, duplicates
from assay.datasets.table.page import page
from assay.datasets.table.personal import shown
from assay.datasets.table.relations import relations
from assay.datasets.table.report import Findings, profile_json
from assay.datasets.table.score import score
from assay.datasets.table.workbook import write_workbook
from assay.formats import Table, open_table
from assay.page.html import write_page
from assay.types import ColumnType, infer_types, refused_cells, typed
from assay.write.canonical import described, write_json
from assay.write.unique_names import unique_names
from assay.write.workbook import MEDIA_TYPE


class Parameters(contract.TabularParameters):
    """What a user may choose: how the file is read, as for every pipeline."""


def run(sources: Sources, parameters: Parameters, outputs: Outputs, progress: Progress) -> Summary:
    """Write profile.json, profile.xlsx, cleaned.parquet, cleaned.csv and dashboard.html.

    Raises Unprocessable where the file can't be read as a table.
    """
    with tempfile.TemporaryDirectory(dir=outputs.folder.parent, prefix="rows-") as folder:
        progress(0.02, "reading")
        table = open_table(
            sources.input,
            parameters.header_score(_any_header),
            Path(folder),
            lambda done: progress(0.02 + 0.13 * done, "repairing"),
            parameters.reading,
        )
        progress(0.15, "telling the types")
        types = infer_types(table, parameters.reading)
        cleaned = unique_names(table.columns)
        parquet = outputs.new("cleaned.parquet", "application/vnd.apache.parquet")
        progress(0.3, "reading the cells as their types")
        columns = {name: pl.col(str(at)) for at, name in enumerate(cleaned)}
        write_parquet(typed(table, types).select(**columns), parquet)
        refused = refused_cells(table, types, limits.LISTED_REFUSED)
    as_csv = outputs.new("cleaned.csv", "text/csv")
    found, risky = _found(table, types, cleaned, parquet, refused, progress)
    progress(0.75, "writing the cleaned table")
    write_csv(parquet, cleaned, risky, as_csv)
    progress(0.95, "writing the profile")
    write_json(described("profile", profile_json(found)), outputs.new("profile.json", "application/json"))
    write_workbook(found, outputs.new("profile.xlsx", MEDIA_TYPE))
    write_page(page(found), outputs.new("dashboard.html", "text/html"))
    progress(0.98, "finishing")
    return _summary(found)


def _any_header(_names: object) -> float:
    return 0.0


def _found(
    table: Table,
    types: tuple[ColumnType, ...],
    cleaned: list[str],
    parquet: Path,
    refused: pl.DataFrame,
    progress: Progress,
) -> tuple[Findings, list[bool]]:
    """Profile the table as it lies in `parquet`; and say of each column whether it may hold a formula."""
    rows = int(pl.scan_parquet(parquet, glob=False).select(pl.len()).collect().item())
    columns: list[Profile] = []
    risky: list[bool] = []
    for at, counts in enumerate(counted_columns(parquet, rows)):
        # From here on the values themselves are no longer held.
        columns.append(profile(table.columns[at] or cleaned[at], at + 1, types[at], counts))
        risky.append(is_risky(counts))
        progress(0.45 + 0.2 * len(columns) / len(types), "profiling the columns")
    repeated = Duplicates(0, 0, ()) if any(map(_identifies, columns)) else duplicates(parquet)
    related = relations(parquet, columns, rows, lambda done: progress(0.65 + 0.1 * done, "comparing the columns"))
    found = Findings(
        rows=rows,
        columns=columns,
        cleaned=cleaned,
        duplicates=repeated,
        relations=related,
        score=score(columns, rows, repeated.rows),
        refused=_without_personal(refused, columns),
        read_as=table.facts,
    )
    return found, risky


def _identifies(column: Profile) -> bool:
    """Whether every row has a value of its own there, so that no row can repeat another."""
    return "unique" in column.flags and column.filled == column.rows


def _without_personal(refused: pl.DataFrame, columns: list[Profile]) -> pl.DataFrame:
    withheld = {column.name for column in columns if column.withheld}
    texts = [
        shown(text, withheld=name in withheld, most=limits.SHOWN_CHARACTERS)
        for name, text in refused.select("column", "text").iter_rows()
    ]
    return refused.with_columns(text=pl.Series(texts, dtype=pl.String))


def _summary(found: Findings) -> Summary:
    figures: dict[str, JsonValue] = {
        "columns": len(found.columns),
        "blank_cells": found.blank,
        "refused_cells": found.refused_cells,
        "repeated_rows": found.duplicates.rows,
        "quality": found.score.score,
        "columns_with_personal_data": sum(bool(column.personal) for column in found.columns),
    }
    return Summary({"rows": Count(found.rows, found.rows, 0)}, figures)
