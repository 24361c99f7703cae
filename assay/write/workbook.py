"""XLSX: the same bytes for the same cells, and no cell is a formula."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Exact(float):
    """A double that xlsxwriter writes whole: it formats numbers to 16 digits, and some doubles need 17."""

    def __format__(self, _spec: str) -> str:
        return float.__repr__(self)


def new_workbook(path: Path) -> xlsxwriter.Workbook:
    """Begin a workbook, which is written when it is closed. Each row must be complete before the next one begins."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
    return book


def write_exact(sheet: Worksheet, row: int, column: int, value: float) -> None:
    """Write a number with all its digits."""
    sheet.write_number(row, column, _Exact(value))


def write_date(sheet: Worksheet, row: int, column: int, day: date, shown: Format) -> None:
    """Write a date as such, or as text before 1900, when Excel's calendar begins."""
    if day.year < 1900:
        sheet.write_string(row, column, day.isoformat())
    else:
        sheet.write_datetime(row, column, day, shown)
