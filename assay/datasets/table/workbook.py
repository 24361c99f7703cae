"""profile.xlsx: the tables of the profile, a sheet each. No cell is a formula."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from xlsxwriter.worksheet import Worksheet

from assay.datasets.table.relations import Relation
from assay.datasets.table.report import Findings
from assay.datasets.table.tables import tables
from assay.page.model import Table
from assay.page.tables import Cell
from assay.write.workbook import new_workbook, write_exact

# Excel's own bounds: rows of a sheet, characters of a cell, and the whole numbers that a double holds.
_ROWS = 1_048_576
_CHARACTERS = 32_767
_WHOLE = 2**53


def write_workbook(found: Findings, path: Path) -> None:
    """Write a sheet for each table and each measure of how columns hang together."""
    measures = {
        "Pearson": found.relations.pearson,
        "Spearman": found.relations.spearman,
        "Cramérs V": found.relations.cramers_v,
        "Correlation ratio": found.relations.correlation_ratio,
    }
    matrices = [_matrix(name, one) for name, one in measures.items() if one.down and one.across]
    with new_workbook(path) as book:
        bold, plain = book.add_format({"bold": True}), book.add_format({"italic": True})
        for table in [_summary(found), *tables(found), *matrices]:
            sheet = book.add_worksheet(table.title)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(table.columns) - 1, 0), 16)
            sheet.autofilter(0, 0, len(table.rows), max(len(table.columns) - 1, 0))
            for at, name in enumerate(table.columns):
                sheet.write_string(0, at, name[:_CHARACTERS], bold)
            for at, row in enumerate(table.rows[: _ROWS - 3], start=1):
                _write_row(sheet, at, row)
            if table.note:
                sheet.write_string(len(table.rows[: _ROWS - 3]) + 2, 0, table.note, plain)


def _summary(found: Findings) -> Table:
    rows: list[list[Cell]] = [
        ["Rows", found.rows],
        ["Columns", len(found.columns)],
        ["Blank cells", found.blank],
        ["Refused cells", found.refused_cells],
        ["Repeated rows", found.duplicates.rows],
        ["Quality (0 to 100)", found.score.score],
    ]
    return Table("Table", ["Figure", "Value"], rows)


def _matrix(title: str, relation: Relation) -> Table:
    rows: list[list[Cell]] = [[name, *row] for name, row in zip(relation.down, relation.values, strict=True)]
    exact = "Exact" if relation.exact else "An estimate"
    return Table(title, ["", *relation.across], rows, f"{exact}, from {relation.rows:,} rows.")


def _write_row(sheet: Worksheet, at: int, row: Sequence[Cell]) -> None:
    for column, value in enumerate(row):
        if value is None:
            continue
        if isinstance(value, float) and isfinite(value):
            write_exact(sheet, at, column, value)
        elif isinstance(value, int) and abs(value) <= _WHOLE:
            sheet.write_number(at, column, value)
        else:
            sheet.write_string(at, column, str(value)[:_CHARACTERS])
