"""XLSX workbooks to tables, every cell as text."""

from __future__ import annotations

import fastexcel
import polars as pl
from pydantic import JsonValue

from functions.process.pipelines.contract import Source
from functions.process.readers.content import unreadable
from functions.process.readers.layout import HEADER_LINES, Cells, Scorer, header_cells, header_rank, no_header, no_rows


def preview(source: Source, score: Scorer, limit: int) -> tuple[Cells, list[list[str | None]]]:
    """The header and up to `limit` rows of the sheet that has the best header. Raises Unprocessable."""
    book = _open(source)
    sheet, line, columns = _find(book, score)
    frame = _load(book, sheet, line + 1, limit)
    if not frame.height:
        raise no_rows()
    return columns, [list(row) for row in frame.iter_rows()]


def open_table(source: Source, score: Scorer) -> tuple[Cells, pl.LazyFrame, dict[str, JsonValue]]:
    """The whole sheet that has the best header. Raises Unprocessable.

    Dates come as `YYYY-MM-DD HH:MM:SS`, numbers in the shortest form that reads back as the same double, and cells
    that hold an error (#N/A, #DIV/0!) as blank. Cells to the right of the header's last name make a row too long.
    """
    book = _open(source)
    sheet, line, columns = _find(book, score)
    frame = _load(book, sheet, line + 1, None)
    if not frame.height:
        raise no_rows()
    width = len(columns)
    surplus = [pl.col(name).str.strip_chars().fill_null("") != "" for name in frame.columns[width:]]
    fault = pl.when(pl.any_horizontal(surplus)).then(pl.lit("too_many_fields")) if surplus else pl.lit(None)
    cells = [
        pl.col(frame.columns[i]).alias(str(i)) if i < frame.width else pl.lit(None, pl.String).alias(str(i))
        for i in range(width)
    ]
    lazy = frame.lazy().select(fault.cast(pl.String).alias("fault"), *cells).with_row_index("row", offset=1)
    facts: dict[str, JsonValue] = {"format": "xlsx", "sheet": sheet, "header_line": line + 1}
    return columns, lazy.with_columns(pl.col("row").cast(pl.Int64)), facts


def _open(source: Source) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(source.path)
    except fastexcel.FastExcelError as error:
        raise unreadable(str(error).splitlines()[0]) from error


def _find(book: fastexcel.ExcelReader, score: Scorer) -> tuple[str, int, Cells]:
    """Sheet, line (0 is the first) and cells of the best header; the first sheet and line win among equals."""
    best: tuple[tuple[float, int], str, int, Cells] | None = None
    for sheet in book.sheet_names:
        for line, cells in enumerate(_load(book, sheet, 0, HEADER_LINES).iter_rows()):
            rank = header_rank(cells, score)
            if rank > (best[0] if best else (0, 0)):
                best = (rank, sheet, line, header_cells(cells))
    if best is None:
        raise no_header(f"the workbook's sheets ({', '.join(book.sheet_names)})")
    return best[1:]


def _load(book: fastexcel.ExcelReader, sheet: str, skip: int, limit: int | None) -> pl.DataFrame:
    try:
        loaded = book.load_sheet(
            sheet, header_row=None, skip_rows=skip, n_rows=limit, dtypes="string", skip_whitespace_tail_rows=True
        )
        return loaded.to_polars()
    except fastexcel.InvalidParametersError:  # what an empty sheet, or one with nothing under `skip`, raises
        return pl.DataFrame()
    except fastexcel.FastExcelError as error:
        raise unreadable(f"sheet {sheet}: {str(error).splitlines()[0]}") from error
