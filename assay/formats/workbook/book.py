"""Opens a workbook that has been looked through, and gives its sheets as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
    load_workbook,
)

from assay.contract import Source
from assay.formats.problems import shown, unreadable
from assay.formats.workbook.compound import streams, with_one_stream

Value: TypeAlias = int | float | str | bool | time | date | datetime | timedelta

# So many cells are Python objects at a time.
_CELLS_AT_A_TIME = 500_000
# Excel itself writes these without an exponent.
_PLAIN = (1e-9, 1e21)
_HOUR, _MINUTE = 3600, 60
# ISO 8601, as OpenDocument 1.3 (19.386, office:time-value) writes durations.
_DURATION = re.compile(r"(-?)PT(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:[.,]\d+)?)S)?")


class Book:
    """The worksheets of a workbook: `sheets` has whether each is visible, by name, in the workbook's order."""

    def __init__(self, source: Source, kind: str, folder: Path) -> None:
        """Open it; `kind` is what it is, `folder` may take a copy. Raises Unprocessable: unreadable_spreadsheet."""
        path = source.path
        if kind == "xls":
            name = "workbook" if "workbook" in streams(path) else "book"
            path = with_one_stream(path, name, folder / "workbook.xls")
        self._text = _ods_text if kind == "ods" else _text
        with _reading("the workbook"):
            self._book: CalamineWorkbook = load_workbook(path)
        self.sheets = {
            sheet.name: sheet.visible == SheetVisibleEnum.Visible
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        }

    def cells(self, name: str, limit: int | None) -> pl.DataFrame:
        """The cells of a sheet as text, null where blank or an error: all rows, or the first `limit`.

        They begin in the first row, and in the first column that holds something; rows at the sheet's end that hold
        nothing are left out. Dates come as `YYYY-MM-DD HH:MM:SS`, times and durations as `HH:MM:SS`, with as many hours
        as there are; numbers as the shortest text that reads back as the same double. Raises Unprocessable:
        unreadable_spreadsheet.
        """
        with _reading(f"sheet {shown(name)}"):
            sheet = self._book.get_sheet_by_name(name)
            return _without_blank_end(_frame(sheet, self._text, limit))


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (CalamineError, PasswordError, XmlError, ZipError, OSError) as error:
        raise unreadable(f"{what}: {shown(str(error).partition(chr(10))[0], 200)}") from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise unreadable(f"{what} has something in it that the reader does not expect") from error


def is_panic(error: BaseException) -> bool:
    """Whether a library in Rust gave up: such an error is no Exception, so that nobody catches it by chance."""
    return type(error).__name__ == "PanicException"


def _frame(sheet: CalamineSheet, text: Callable[[Value], str | None], limit: int | None) -> pl.DataFrame:
    if sheet.start is None:
        return pl.DataFrame()
    width = sheet.width
    names = [str(at) for at in range(width)]
    frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    rows = islice(sheet.iter_rows(), limit)
    while batch := list(islice(rows, max(1, _CELLS_AT_A_TIME // width))):
        columns = zip(*batch, strict=True)
        frames.append(
            pl.DataFrame(
                [
                    pl.Series(name, list(map(text, column)), pl.String)
                    for name, column in zip(names, columns, strict=True)
                ]
            )
        )
    return pl.concat(frames)


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.width:
        return frame
    filled = frame.select(pl.any_horizontal(pl.all().str.contains(r"\S"))).to_series().arg_true()
    return frame.head(filled[-1] + 1 if len(filled) else 0)


def _text(value: Value) -> str | None:  # noqa: PLR0911 - one for each kind of value
    """Write a cell's value."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    if isinstance(value, timedelta):
        return _clock("-" if value < timedelta() else "", abs(value))
    return str(value)


def _ods_text(value: Value) -> str | None:
    """Write a cell's value; the reader leaves durations of a day and longer as OpenDocument writes them."""
    if isinstance(value, str) and (written := _DURATION.fullmatch(value)) and written[0][-1] != "T":
        sign, hours, minutes, seconds = written.groups()
        seconds = (seconds or "0").replace(",", ".")
        return _clock(sign, timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds)))
    return _text(value)


def number_text(value: float) -> str:
    """Write a double: the shortest digits that read back as it, a whole number without a fraction."""
    text = repr(value)
    if "e" in text and _PLAIN[0] <= abs(value) < _PLAIN[1]:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def _clock(sign: str, duration: timedelta) -> str:
    seconds = duration.days * 24 * _HOUR + duration.seconds
    fraction = f".{duration.microseconds:06}" if duration.microseconds else ""
    return f"{sign}{seconds // _HOUR:02}:{seconds // _MINUTE % _MINUTE:02}:{seconds % _MINUTE:02}{fraction}"
