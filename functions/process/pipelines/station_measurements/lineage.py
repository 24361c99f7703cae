"""One pass over the rows: every row into the lineage, the usable ones on to the analysis, the others with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import polars_hash as plh

from functions.process.pipelines.spreadsheet_text import guarded
from functions.process.readers import Table
from functions.process.readers.dates import DateOrder, decide, parse
from functions.process.readers.dates import survey as date_survey

# Equal groups whatever the timing of the threads: equal bytes.
_ROW_GROUP = 250_000
_EXCEL_DAY_0 = (datetime(1899, 12, 30), datetime(1900, 3, 1))  # noqa: DTZ001 - the times in a file have no zone
_NEARLY_ALL = 0.95

REASONS = (
    "missing_station",
    "missing_date",
    "unparsable_date",
    "missing_pcode",
    "missing_result",
    "result_not_a_number",
    "broken_quotes",
    "too_many_fields",
)


@dataclass(frozen=True)
class Survey:
    """What a first look at every cell found: rows that are not all blank, blank ones, filled cells by position.

    `decimal_comma` says that 1,5 in the result column is one and a half.
    """

    rows_read: int
    rows_blank: int
    filled: list[int]
    dates: DateOrder
    decimal_comma: bool


def look(table: Table, roles: dict[str, int]) -> Survey:
    """Count rows and filled cells, and decide how dates and numbers are written.

    A row whose cells are all blank is no row. What the decimal mark is goes into the table's facts too.
    """
    filled = _filled(table)
    found = (
        table.frame.select(
            pl.len().alias("rows"),
            pl.any_horizontal(filled).sum().alias("read"),
            *(cell.sum().alias(f"filled {i}") for i, cell in enumerate(filled)),
            **date_survey(_text(roles["date_time"])),
            **_comma_survey(_text(roles["result"])),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    decimal_comma = table.facts.get("delimiter") in ("semicolon", "tab") and _is_decimal_comma(found)
    table.facts["decimal_comma"] = decimal_comma
    return Survey(
        rows_read=found["read"],
        rows_blank=found["rows"] - found["read"],
        filled=[found[f"filled {i}"] for i in range(len(filled))],
        dates=decide(found),
        decimal_comma=decimal_comma,
    )


def read_rows(table: Table, roles: dict[str, int], survey: Survey, path: Path) -> pl.LazyFrame:
    """Read every row once into a Parquet file at `path`, in input order, and return what it holds.

    Columns: row, station, date_time, pcode and result as trimmed text, null where blank; moment (Datetime) and number
    (finite double), null where the text is none; and reason, one of REASONS for a row to refuse, null for a usable one.
    """
    names = ("station", "date_time", "pcode", "result")
    # To look for blank rows means to read every column; without one the four that count are enough.
    rows = table.frame.filter(pl.any_horizontal(_filled(table))) if survey.rows_blank else table.frame
    rows = rows.select("row", "fault", *(_text(roles[name]).alias(name) for name in names))
    rows = parse(rows.with_columns(pl.col("date_time").alias("moment")), "moment", survey.dates)
    if table.facts["format"] == "xlsx":
        # A bare time or a duration comes from a workbook as a moment counted from its day 0.
        clock = pl.col("moment").is_between(*_EXCEL_DAY_0, closed="left")
        rows = rows.with_columns(pl.when(~clock).then(pl.col("moment")).alias("moment"))
    rows = rows.with_columns(_number(pl.col("result"), survey.decimal_comma).alias("number"))
    rows = rows.with_columns(_reason().alias("reason")).drop("fault")
    rows.sink_parquet(path, compression="lz4", row_group_size=_ROW_GROUP, engine="streaming")
    return pl.scan_parquet(path)


def usable(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Choose the usable rows: row, station, date_time, pcode and result (finite double), none of them null."""
    columns = ("row", "station", pl.col("moment").alias("date_time"), "pcode", pl.col("number").alias("result"))
    return rows.filter(pl.col("reason").is_null()).select(columns)


def write_lineage(rows: pl.LazyFrame, as_parquet: Path, as_csv: Path) -> None:
    """Write every row with its hash, in input order.

    The hash of a row is the SHA-256, in hex, of `station|YYYY-MM-DD HH:MM:SS|pcode|result`, empty where something is
    missing; a date or result that can't be read stands there, and in the lineage, as it was read. The CSV is fit for
    spreadsheets, where a text that is like a formula has an apostrophe in front; the Parquet has every text as it is.
    """
    columns = [
        pl.col("station").alias("station_id"),
        pl.coalesce(pl.col("moment").dt.to_string("%Y-%m-%d %H:%M:%S"), "date_time").alias("date_time"),
        pl.col("pcode"),
        pl.coalesce(pl.col("number").cast(pl.String), "result").alias("result"),
    ]
    lineage = rows.select("row", *columns)
    hashed = pl.concat_str([pl.col(column.meta.output_name()).fill_null("") for column in columns], separator="|")
    lineage = lineage.with_columns(hashed.alias("row_hash")).with_columns(plh.col("row_hash").chash.sha2_256())
    # One after the other: two sinks of one query wait for each other with their hands full.
    lineage.sink_parquet(as_parquet, row_group_size=_ROW_GROUP, engine="streaming")
    texts = [guarded(pl.col(column.meta.output_name())) for column in columns]
    pl.scan_parquet(as_parquet).with_columns(texts).sink_csv(as_csv, engine="streaming")


def _filled(table: Table) -> list[pl.Expr]:
    """Whether each column's cell holds something: true, or false or null where it is blank."""
    return [pl.col(str(position)).str.strip_chars() != "" for position in range(len(table.columns))]


def _text(position: int) -> pl.Expr:
    text = pl.col(str(position)).str.strip_chars()
    return pl.when(text != "").then(text)


def _comma_survey(text: pl.Expr) -> dict[str, pl.Expr]:
    comma = pl.when(text.str.contains(r"^[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?$")).then(text)
    return {
        "results": text.is_not_null().sum(),
        "result_commas": comma.is_not_null().sum(),
        "result_thousands": comma.str.contains(r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$").sum(),
        "result_whole": text.str.contains(r"^[+-]?[0-9]+$").sum(),
    }


def _is_decimal_comma(found: dict[str, int]) -> bool:
    """Whether nearly all results are whole or have a comma, and at least one has it where no thousands end."""
    commas = found["result_commas"]
    return commas > found["result_thousands"] and commas + found["result_whole"] >= _NEARLY_ALL * found["results"]


def _number(text: pl.Expr, decimal_comma: bool) -> pl.Expr:
    """The finite double that a text stands for, else null; null too where it is too small for a double but not 0."""
    if decimal_comma:
        # In such a column a point is no decimal mark, and may part thousands.
        text = pl.when(~text.str.contains(".", literal=True)).then(text.str.replace(",", ".", literal=True))
    number = text.cast(pl.Float64, strict=False)
    lost = pl.when(number == 0).then(text).str.contains("^[^eE]*[1-9]").fill_null(value=False)
    return pl.when(number.is_finite() & ~lost).then(number)


def _reason() -> pl.Expr:
    """Why a row is refused, the first of REASONS that holds; null for a usable row."""
    missing = {name: pl.col(name).is_null() for name in ("station", "date_time", "pcode", "result")}
    tests = {
        "missing_station": missing["station"],
        "missing_date": missing["date_time"],
        "unparsable_date": pl.col("moment").is_null(),
        "missing_pcode": missing["pcode"],
        "missing_result": missing["result"],
        "result_not_a_number": pl.col("number").is_null(),
    }
    return pl.coalesce(*(pl.when(test).then(pl.lit(reason)) for reason, test in tests.items()), "fault")
