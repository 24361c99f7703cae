"""Field measurements by station: a table a station, the lineage of every row, what to doubt, and a page to look at."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import BeforeValidator, Field, JsonValue

from assay import contract
from assay.contract import Count, Outputs, Progress, Source, Sources, Summary
from assay.datasets import registry
from assay.datasets.station_measurements.aggregate import Aggregate, aggregate
from assay.datasets.station_measurements.limits import (
    MAX_CODES,
    MAX_NAME,
    MAX_STATIONS,
    MAX_TABLE_CELLS,
)
from assay.datasets.station_measurements.lineage import write_lineage, write_lineage_csv
from assay.datasets.station_measurements.quality import Refusal, duplicates, missing, outliers, refusals
from assay.datasets.station_measurements.report import Quality, page, panel, quality_json
from assay.datasets.station_measurements.rows import Survey, look, sort_out
from assay.datasets.station_measurements.tables import (
    natural_key,
    stems,
    table_paths,
    wide_tables,
    write_tables,
)
from assay.datasets.station_measurements.times import join_times
from assay.detection.detect import detect
from assay.errors import Unprocessable
from assay.formats import Preview, Table, open_table
from assay.formats.layout import no_rows
from assay.page.charts import MAX_PANELS
from assay.page.html import write_page
from assay.write.canonical import described, write_json

_INFO = registry.info_of(__file__)
_ALWAYS = ("Station", "Dates")
_HEAD_ROWS = 1000


def _columns(given: object) -> object:
    """Take a comma-separated text for a list, and a number, which is what JSON makes of a code such as 10, for text."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return (str(given),)
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return given
    names = [part.strip() for part in parts]
    if not all(names) or len({*names}) < len(names):
        raise ValueError("every column needs a name of its own")
    if any(len(name) > MAX_NAME for name in names):
        raise ValueError(f"a name has at most {MAX_NAME} characters")
    return tuple(names)


_Columns = Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_CODES)]
_Template = Annotated[_Columns, BeforeValidator(_columns, json_schema_input_type=str | float | _Columns)]


class Parameters(contract.TabularParameters):
    """What a user may choose."""

    aggregate: Aggregate = Field(
        default="mean",
        description="mean, median, sum, min, max, first, last or count: what the results of a day become",
    )
    template: _Template | None = Field(
        default=None, description="list of parameter codes, or one text with commas: the columns to give, in that order"
    )


def run(sources: Sources, parameters: Parameters, outputs: Outputs, progress: Progress) -> Summary:
    """Write a table a station as CSV and XLSX, the lineage, quality.json and dashboard.html.

    Raises Unprocessable where the file can't be read, lacks a column, has no usable row, or is beyond a bound.
    """
    with tempfile.TemporaryDirectory(dir=outputs.folder.parent, prefix="rows-") as folder:
        return _run(sources.input, parameters, outputs, progress, Path(folder))


def _run(source: Source, parameters: Parameters, outputs: Outputs, progress: Progress, folder: Path) -> Summary:
    rules, reading = registry.rules_of(_INFO), parameters.reading
    progress(0.02, "reading")
    table = open_table(
        source, rules.header_score, folder, lambda done: progress(0.02 + 0.18 * done, "repairing"), reading
    )
    detection = detect(_head(table), {_INFO.dataset_type: rules}, _INFO.dataset_type, parameters.columns)
    roles = detection.columns.at
    table, roles, times_unused = join_times(table, roles)
    progress(0.2, "reading")
    survey = look(table, roles, reading, folder / "texts.parquet")
    progress(0.35, "reading")
    copies = sort_out(folder / "texts.parquet", table, survey, folder)
    refused = refusals(copies.refused)
    used = survey.rows_read - sum(refusal.count for refusal in refused)
    if not used:
        raise _nothing_usable(survey, refused)
    stations = _names(copies.usable, "station", "stations", "too_many_stations", MAX_STATIONS)
    codes = _names(copies.usable, "pcode", "parameter codes", "too_many_parameters", MAX_CODES)
    template = _template(parameters.template, codes)
    progress(0.45, "analysing")
    values = aggregate(copies.usable, parameters.aggregate)
    _check_cells(values, template)
    progress(0.5, "writing the lineage")
    paths = {station: table_paths(stem, outputs) for station, stem in stems(stations).items()}
    as_csv = outputs.new("audit_lineage.csv", "text/csv")
    as_parquet = outputs.new("audit_lineage.parquet", "application/vnd.apache.parquet")
    # The longest of what is left, and the engine's; the tables are Python's.
    with ThreadPoolExecutor() as pool:
        lineage = pool.submit(_write_lineage, copies.texts, as_parquet, as_csv, outputs, pool)
        quality = Quality(
            survey=survey,
            used=used,
            refused=refused,
            missing=missing(table.columns, survey.filled, survey.rows_read),
            outliers=sorted(outliers(copies.usable).values(), key=lambda found: natural_key(found.pcode)),
            duplicates=duplicates(copies.usable, used),
            read_as=table.facts,
            columns=table.columns,
            roles=roles,
            stations=stations,
            codes=codes,
            first_date=values["date"].sort()[0],
            last_date=values["date"].sort()[-1],
            template=template,
            confidence=detection.confidence,
            found=detection.columns,
            times_unused=times_unused,
            order_rows=survey.order_rows,
        )
        progress(0.7, "writing the tables")
        panels = []
        # One at a time: tables of a few rows take more memory for their thousand columns than for what is in them.
        for number, wide in enumerate(wide_tables(values, template), start=1):
            write_tables(wide, *paths[wide.station])
            if number <= MAX_PANELS:
                panels.append(panel(wide))
            progress(0.7 + 0.2 * number / len(stations), "writing the tables")
        progress(0.9, "writing the lineage")
        lineage.result()
    write_json(described("quality", quality_json(quality)), outputs.new("quality.json", "application/json"))
    shown = page(quality, panels, pl.scan_parquet(as_parquet, glob=False), source.sha256, parameters.aggregate)
    write_page(shown, outputs.new("dashboard.html", "text/html"))
    progress(0.98, "finishing")
    return _summary(quality)


def _head(table: Table) -> Preview:
    """The rows that the file was recognised by; to sniff it anew would take as long as to read 100,000 rows."""
    rows = table.frame.select(str(at) for at in range(len(table.columns))).head(_HEAD_ROWS).collect(engine="streaming")
    return Preview(table.columns, [[(cell or "").strip() or None for cell in row] for row in rows.iter_rows()])


def _write_lineage(
    texts: pl.LazyFrame, as_parquet: Path, as_csv: Path, outputs: Outputs, pool: ThreadPoolExecutor
) -> None:
    """Write both forms of the lineage, and hash them as soon as they are there: they are the largest outputs by far."""
    files = {output.path: output for output in outputs.files}
    write_lineage(texts, as_parquet)
    hashed = pool.submit(lambda: files[as_parquet].sha256)
    write_lineage_csv(as_parquet, as_csv)
    _ = files[as_csv].sha256
    hashed.result()


def _template(given: tuple[str, ...] | None, codes: list[str]) -> tuple[str, ...] | None:
    """Leave out the two columns that every table has anyway, unless the data have a code of that name."""
    if given is None:
        return None
    names = tuple(name for name in given if name not in _ALWAYS or name in codes)
    if not names:
        raise Unprocessable(
            "invalid_parameters", "The template names no parameter code.", "Name the codes to give, or leave it out."
        )
    return names


def _nothing_usable(survey: Survey, refused: list[Refusal]) -> Unprocessable:
    if not survey.rows_read:
        return no_rows()
    reasons = ", ".join(f"{refusal.reason} {refusal.count:,}" for refusal in refused)
    return Unprocessable(
        "no_usable_rows",
        f"None of the {survey.rows_read:,} rows can be used: {reasons}.",
        "Each row needs a station, a date such as 2024-01-31 13:45, a parameter code and a number as result.",
    )


def _names(rows: pl.LazyFrame, column: str, what: str, code: str, most: int) -> list[str]:
    """Return a column's different texts in natural order. Raises Unprocessable where they are too many or too long."""
    names = rows.select(pl.col(column).unique()).collect(engine="streaming")[column].cast(pl.String)
    count, longest = names.len(), max(names.str.len_chars())
    if count > most:
        raise Unprocessable(
            code,
            f"The file has {count:,} {what}; at most {most:,} are taken.",
            "Check that the columns are what their names say, or split the file.",
        )
    if longest > MAX_NAME:
        raise Unprocessable(
            "name_too_long",
            f"One of the {what} has {longest:,} characters; at most {MAX_NAME} are taken.",
            "Check that quotes are closed and that the columns are what their names say.",
        )
    return sorted(names, key=natural_key)


def _check_cells(values: pl.DataFrame, template: tuple[str, ...] | None) -> None:
    """Raise Unprocessable where the tables together would have more cells than can be written in a job's time."""
    sizes = values.group_by("station").agg(pl.col("date", "pcode").n_unique().cast(pl.Int64))
    columns = sizes["pcode"] if template is None else len(template)
    cells = int((sizes["date"] * columns).sum())
    if cells > MAX_TABLE_CELLS:
        raise Unprocessable(
            "tables_too_large",
            f"The tables would have {cells:,} cells, blank ones counted; at most {MAX_TABLE_CELLS:,} are written.",
            "Split the file by stations or years, or name fewer codes in the template.",
        )


def _summary(quality: Quality) -> Summary:
    figures: dict[str, JsonValue] = {
        "stations": len(quality.stations),
        "pcodes": len(quality.codes),
        "first_date": quality.first_date.isoformat(),
        "last_date": quality.last_date.isoformat(),
        "outliers": sum(found.count for found in quality.outliers),
        "duplicates": quality.duplicates.identical + quality.duplicates.conflicting,
    }
    read = quality.survey.rows_read
    return Summary({"rows": Count(read, quality.used, read - quality.used)}, figures)
