"""The one pass over the file: what counts of every row into a small copy, and a look at every cell on the way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from assay.datasets.station_measurements.limits import MAX_CODES, MAX_NAME
from assay.datasets.station_measurements.marks import Marks, is_marked, marks_of
from assay.datasets.station_measurements.names import checked_names
from assay.datasets.station_measurements.results import OPTIONAL, with_meaning
from assay.datasets.station_measurements.series import Arrangement, arrange, placed
from assay.datasets.station_measurements.units import unit_in
from assay.formats import Table
from assay.reading import Reading
from assay.types.dates import DateOrder, decide, parse
from assay.types.dates import survey as date_survey

# Equal groups whatever the timing of the threads: equal bytes.
ROW_GROUP = 250_000
_EXCEL_DAY_0 = (datetime(1899, 12, 30), datetime(1900, 3, 1))  # noqa: DTZ001 - the times in a file have no zone
_WORKBOOKS = ("xlsx", "xls", "xlsb", "ods")
# The form in which the lineage has dates. Most files have no other, and what is more to ask is asked of the rest.
FORMAT = "%Y-%m-%d %H:%M:%S"
_IN_FORMAT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_TEXTS = ("station", "date_time", "pcode", "result")

REASONS = (
    "missing_station",
    "missing_date",
    "unparsable_date",
    "missing_pcode",
    "missing_result",
    "result_not_a_number",
    "sentinel",
    "broken_quotes",
    "too_many_fields",
    "too_few_fields",
)


@dataclass(frozen=True)
class Survey:
    """What the look at every cell found: rows that are not all blank, blank ones, filled cells by position.

    `order_rows` counts the rows that tell which of day and month comes first, because one of the two is above 12.
    `marks` are those of the results.
    """

    rows_read: int
    rows_blank: int
    filled: list[int]
    dates: DateOrder
    order_rows: dict[str, int]
    marks: Marks


@dataclass(frozen=True)
class Copies:
    """The copies that are made of the rows, and the frames over them, all in input order.

    `texts`: row (Int64) and every row's station, date_time, pcode, result and optional roles as trimmed text, null
    where blank; moment (Datetime) and number (finite double), null where the text is none; in_format, whether date_time
    is in FORMAT.
    `usable`: row, station (Enum), pcode (Enum, the key of the series), date_time, and result: the value or the bound in
    the series' unit, `raw` as it was read, and `sign` as in results.py; `estimated`, `by_limit`, and `flag`, a
    qualifier that is not known. Only a bound may be null. `refused`: row and reason, one of REASONS, of the rest.
    """

    texts: pl.LazyFrame
    usable: pl.LazyFrame
    refused: pl.LazyFrame
    arrangement: Arrangement


def look(table: Table, roles: dict[str, int], reading: Reading, path: Path) -> Survey:
    """Copy what counts of every row to a Parquet file at `path`; count rows and filled cells on the way.

    Decides how dates and numbers are written, where `reading` does not say it. A row whose cells are all blank is no
    row, unless it has a fault. What the decimal mark is goes into the table's facts too.
    """
    texts = {name: _text(roles[name]) for name in (*_TEXTS, *OPTIONAL) if name in roles}
    filled = [f"filled {position}" for position in range(len(table.columns))]
    known = {roles[name]: text.is_not_null() for name, text in texts.items()}
    rows = table.frame.select(
        "row", "fault", **texts, **{name: known.get(at, _filled(at)) for at, name in enumerate(filled)}
    ).with_columns(
        (~pl.any_horizontal(filled).fill_null(value=False) & pl.col("fault").is_null()).alias("blank"),
        pl.col("date_time").str.contains(_IN_FORMAT).alias("in_format"),
    )
    counts = rows.select(
        pl.len().alias("rows"),
        pl.col("blank").sum(),
        is_marked(pl.col("result")).any().alias("marked"),
        *(pl.col(name).sum() for name in filled),
    )
    copy = rows.select("row", "fault", "blank", "in_format", *texts).sink_parquet(
        path, compression="lz4", row_group_size=ROW_GROUP, lazy=True
    )
    counted = pl.collect_all([copy, counts], engine="streaming")[1].row(0, named=True)
    looks, dates = _dates(path, reading)
    marks = marks_of(path, table.facts.get("delimiter"), reading, marked=counted["marked"])
    table.facts["decimal_comma"] = marks.decimal == ","
    if marks.thousands:
        table.facts["thousands"] = marks.thousands
    order = {name: looks[f"date_{name}"] if dates.decided else 0 for name in ("day_first", "month_first")}
    return Survey(
        rows_read=counted["rows"] - counted["blank"],
        rows_blank=counted["blank"],
        filled=[counted[name] for name in filled],
        dates=dates,
        order_rows=order,
        marks=marks,
    )


def sort_out(
    copy: Path,
    table: Table,
    survey: Survey,
    roles: Mapping[str, int],
    units: Mapping[str, str],
    below: Mapping[str, str],
    folder: Path,
) -> Copies:
    """Part the rows of `look`'s copy into usable ones and those to refuse, each in a file of its own in `folder`.

    `units` has the unit that a user wants for a parameter, `below` those of a row below the header, by the column.
    """
    texts = pl.scan_parquet(copy, glob=False)
    # As numbers of a list the names take a tenth of the memory and of the time wherever rows are grouped.
    stations = pl.Enum(_different(texts, "station").sort())
    if survey.rows_blank:
        texts = texts.filter(~pl.col("blank"))
    rows = _moments(texts.drop("blank"), survey.dates)
    if table.facts["format"] in _WORKBOOKS:
        # A bare time or a duration comes from a workbook as a moment counted from its day 0.
        clock = pl.col("moment").is_between(*_EXCEL_DAY_0, closed="left")
        rows = rows.with_columns(pl.when(~clock).then(pl.col("moment")).alias("moment"))
    rows = with_meaning(rows, roles, survey.marks)
    meant = _with_parameter(rows, roles)
    fit = pl.all_horizontal(pl.col(name).is_not_null() for name in ("station", "moment", "pcode"))
    fit &= (pl.col("value").is_not_null() | (pl.col("sign") != 0)) & pl.col("fault").is_null()
    counts = _counts(meant.filter(fit), _different(meant, "pcode"), has_units="unit" in meant.collect_schema())
    results = table.columns[roles["result"]]
    of_columns = below if "parameter_columns" in table.facts else {}
    arrangement = arrange(counts, units, unit_in(results) or below.get(results, ""), of_columns)
    usable = placed(meant.filter(fit), arrangement).select(
        "row", pl.col("station").cast(stations), "pcode", pl.col("moment").alias("date_time"),
        pl.col("value").alias("result"), "raw", "sign", "estimated", "by_limit", "flag",
    )  # fmt: skip
    refused = rows.filter(~fit).select("row", _reason().alias("reason"))
    sinks = {folder / "usable.parquet": usable, folder / "refused.parquet": refused}
    pl.collect_all(
        [
            frame.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP, lazy=True)
            for path, frame in sinks.items()
        ],
        engine="streaming",
    )
    usable, refused = (pl.scan_parquet(path, glob=False) for path in sinks)
    return Copies(rows.drop("fault"), usable, refused, arrangement)


def _different(rows: pl.LazyFrame, column: str) -> pl.Series:
    return rows.select(pl.col(column).drop_nulls().unique()).collect(engine="streaming")[column]


def _with_parameter(rows: pl.LazyFrame, roles: Collection[str]) -> pl.LazyFrame:
    """Make `pcode` the parameter, of which a fraction such as Dissolved is a part, and `unit` that of the value."""
    if "fraction" in roles:
        name = pl.concat_str("pcode", "fraction", separator=", ", ignore_nulls=True)
        rows = rows.with_columns(pl.when(pl.col("pcode").is_not_null()).then(name).alias("pcode"))
    if "limit_unit" in roles:
        own = pl.col("unit") if "unit" in roles else pl.lit(None, pl.String)
        of_limit = pl.when("by_limit").then(pl.coalesce("limit_unit", own)).otherwise(own)
        rows = rows.with_columns(of_limit.alias("unit"))
    return rows


def _counts(rows: pl.LazyFrame, codes: pl.Series, *, has_units: bool) -> dict[tuple[str, str | None], tuple[int, int]]:
    """For each parameter and unit of usable rows how many there are, and how many of them have a value.

    Where there are no units, all `codes` count as one row each, without a look at the rows.
    """
    if not has_units and codes.len() <= MAX_CODES and max(codes.str.len_chars(), default=0) <= MAX_NAME:
        return dict.fromkeys(((code, None) for code in codes), (1, 1))
    names = checked_names(rows, "pcode", "parameter codes", "too_many_parameters", MAX_CODES)
    if not has_units:
        return dict.fromkeys(((code, None) for code in names), (1, 1))
    checked_names(rows, "unit", "units", "too_many_units", MAX_CODES)
    grouped = rows.group_by("pcode", "unit").agg(pl.len(), pl.col("value").is_not_null().sum().alias("values"))
    counts = grouped.collect(engine="streaming")
    return {(code, unit): (rows, values) for code, unit, rows, values in counts.iter_rows()}


def _filled(position: int) -> pl.Expr:
    """Whether each column's cell holds something: true, or false or null where it is blank."""
    return pl.col(str(position)).str.strip_chars() != ""


def _text(position: int) -> pl.Expr:
    text = pl.col(str(position)).str.strip_chars()
    return pl.when(text != "").then(text)


def _dates(copy: Path, reading: Reading) -> tuple[dict[str, int], DateOrder]:
    """What the dates of `look`'s copy look like, and how they are to be read for that."""
    dates = pl.scan_parquet(copy, glob=False).select("in_format", "date_time")
    in_format = dates.select(pl.col("in_format").any()).collect(engine="streaming").item()
    others = dates.filter(~pl.col("in_format")).select(**date_survey(pl.col("date_time")))
    found = others.collect(engine="streaming").row(0, named=True) | {"date_plain": in_format}
    return found, decide(found, reading.date_order)


def _moments(texts: pl.LazyFrame, order: DateOrder) -> pl.LazyFrame:
    """Add the column `moment`: what the date of each row is, null where it is none."""
    first = pl.when("in_format").then(pl.col("date_time")).str.to_datetime(FORMAT, strict=False, time_unit="us")
    rows = texts.with_columns(pl.when(first.dt.year() > 0).then(first).alias("moment"))
    others = tuple(family for family in order.families if family != "plain")
    if not others:
        return rows
    odd = pl.when(~pl.col("in_format")).then(pl.col("date_time"))
    rows = parse(rows.with_columns(odd.alias("odd")), "odd", replace(order, families=others))
    return rows.with_columns(pl.coalesce("moment", "odd").alias("moment")).drop("odd")


def short_years(texts: pl.LazyFrame, order: DateOrder) -> tuple[int, int] | None:
    """Return the first and last year of the dates that have two digits for it; None where there are none.

    `texts` has date_time and moment, as in Copies.
    """
    if not any(family.startswith("short") for family in order.families):
        return None
    date = pl.col("date_time").str.replace(r"[T\s]+[0-9]{1,2}:.*$", "")
    year = pl.when(~date.str.contains("[0-9]{4}")).then(pl.col("moment").dt.year())
    first, last = texts.select(year.min().alias("first"), year.max().alias("last")).collect(engine="streaming").row(0)
    return None if first is None else (first, last)


def _reason() -> pl.Expr:
    """Why a row is refused, the first of REASONS that holds; null for a usable row."""
    missing = {name: pl.col(name).is_null() for name in _TEXTS}
    tests = {
        "missing_station": missing["station"],
        "missing_date": missing["date_time"],
        "unparsable_date": pl.col("moment").is_null(),
        "missing_pcode": missing["pcode"],
        "missing_result": missing["result"] & (pl.col("sign") == 0),
        "result_not_a_number": pl.col("value").is_null() & (pl.col("sign") == 0),
    }
    return pl.coalesce(*(pl.when(test).then(pl.lit(reason)) for reason, test in tests.items()), "fault")
