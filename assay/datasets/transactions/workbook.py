"""Tables as sheets of a workbook that is the same bytes for the same tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from assay.datasets.transactions.limits import MAX_CELL
from assay.write.workbook import new_workbook, write_date

# A double holds so many digits of any decimal number; an amount with more is written as text, whole.
_DOUBLE_DIGITS = 15

Cell = str | int | float | Decimal | date | None


@dataclass(frozen=True)
class Sheet:
    """One sheet: `shares` names the columns that are shown in percent. Rows are as long as `columns`."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shares: frozenset[str] = frozenset()


def write_workbook(sheets: Sequence[Sheet], places: int, path: Path) -> None:
    """Write the sheets; amounts (Decimal) are shown with `places` digits behind the mark.

    Every text is written as a text, so that none is a formula; beyond 1,000 characters it is cut, with an ellipsis.
    """
    with new_workbook(path) as book:
        formats = _Formats(
            bold=book.add_format({"bold": True}),
            money=book.add_format({"num_format": f"#,##0{'.' if places else ''}{'0' * places}"}),
            share=book.add_format({"num_format": "0.0%"}),
            day=book.add_format({"num_format": "yyyy-mm-dd"}),
        )
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name), sheet, formats)


@dataclass(frozen=True)
class _Formats:
    bold: xlsxwriter.format.Format
    money: xlsxwriter.format.Format
    share: xlsxwriter.format.Format
    day: xlsxwriter.format.Format


def _write_sheet(to: xlsxwriter.worksheet.Worksheet, sheet: Sheet, formats: _Formats) -> None:
    to.freeze_panes(1, 0)
    to.set_column(0, len(sheet.columns) - 1, 16)
    to.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
    for column, name in enumerate(sheet.columns):
        to.write_string(0, column, name, formats.bold)
    for row, cells in enumerate(sheet.rows, start=1):
        for column, cell in enumerate(cells):
            _write_cell(to, row, column, cell, formats, is_share=sheet.columns[column] in sheet.shares)


def _write_cell(
    to: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: Cell, formats: _Formats, *, is_share: bool
) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        to.write_string(row, column, cell if len(cell) <= MAX_CELL else cell[: MAX_CELL - 1] + "…")
    elif isinstance(cell, Decimal):
        digits = len(cell.normalize().as_tuple().digits)
        if digits > _DOUBLE_DIGITS:
            to.write_string(row, column, f"{cell:f}")
        else:
            to.write_number(row, column, float(cell), formats.money)
    elif isinstance(cell, date):
        write_date(to, row, column, cell, formats.day)
    else:
        to.write_number(row, column, cell, formats.share if is_share else None)
