"""Field measurements by station: a table a station, the lineage of every row, what to doubt, and a page to look at."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import BeforeValidator, Field, JsonValue, model_validator

from assay import contract
from assay.contract import Count, Outputs, Progress, Source, Sources, Summary
from assay.datasets import registry
from assay.datasets.station_measurements import sentinels
from assay.datasets.station_measurements.aggregate import Aggregate
from assay.datasets.station_measurements.censored import OF_KM, Censored, by_day
from assay.datasets.station_measurements.derived import with_derived
from assay.datasets.station_measurements.exceedances import Limit, exceedances, held_against
from assay.datasets.station_measurements.formulas import MAX_LENGTH
from assay.datasets.station_measurements.limits import MAX_CODES, MAX_NAME, MAX_STATIONS, MAX_TABLE_CELLS
from assay.datasets.station_measurements.lineage import write_lineage, write_lineage_csv
from assay.datasets.station_measurements.names import checked_names, natural_key
from assay.datasets.station_measurements.outliers import judge
from assay.datasets.station_measurements.page import page
from assay.datasets.station_measurements.panels import panels
from assay.datasets.station_measurements.quality import Refusal, duplicates, missing, refusals, results, unknown_flags
from assay.datasets.station_measurements.report import Quality, quality_json
from assay.datasets.station_measurements.rows import Copies, Survey, look, short_years, sort_out
from assay.datasets.station_measurements.series import Arrangement
from assay.datasets.station_measurements.tables import Column, stems, table_paths, wide_tables, write_tables
from assay.datasets.station_measurements.times import join_times
from assay.datasets.station_measurements.units import units_below
from assay.datasets.station_measurements.wide import lengthen
from assay.detection.detect import detect
from assay.detection.given import label
from assay.detection.wide import is_wide, measured, passed_over
from assay.errors import Unprocessable
from assay.formats import Preview, Table, open_table
from assay.formats.header_rank import no_rows
from assay.page.html import write_page
from assay.write.canonical import described, write_json

_INFO = registry.info_of(__file__)
_ALWAYS = ("Station", "Dates")
_HEAD_ROWS, _HEAD_CELLS = 1_000, 1_000_000


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


_Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
_Unit = Annotated[str, Field(min_length=1, max_length=60)]
_Columns = Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_CODES)]
_Template = Annotated[_Columns, BeforeValidator(_columns, json_schema_input_type=str | float | _Columns)]


class Parameters(contract.TabularParameters):
    """What a user may choose."""

    aggregate: Aggregate = Field(
        default="mean",
        description="mean, median, sum, min, max, first, last or count: what the results of a day become",
    )
    censored: Censored = Field(
        default="half",
        description="what a day's value makes of results such as <0.5: half or all of the limit, zero, exclude, or km, "
        "the Kaplan-Meier estimate",
    )
    sentinels: Literal["auto"] | tuple[float, ...] = Field(
        default="auto",
        max_length=50,
        description="numbers that stand for a missing value, such as [-9999]; auto finds them, [] takes none",
    )
    units: dict[_Name, _Unit] = Field(
        default_factory=dict,
        max_length=MAX_CODES,
        description='the unit of a parameter, such as {"NO3": "mg/L"}: results are converted to it, and have it where '
        "they name none",
    )
    limits: dict[_Name, Limit] = Field(
        default_factory=dict,
        max_length=MAX_CODES,
        description='the most and the least that a parameter may have, such as {"NO3": {"max": 50, "unit": "mg/L"}}',
    )
    derived: dict[_Name, Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]] = Field(
        default_factory=dict,
        max_length=100,
        description='columns to add, such as {"Data 18": "Data 2 - Data 7"}: parameter codes, numbers, + - * / and '
        "parentheses",
    )
    template: _Template | None = Field(
        default=None, description="list of parameter codes, or one text with commas: the columns to give, in that order"
    )

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.censored == "km" and self.aggregate not in OF_KM:
            raise ValueError(f"km gives {', '.join(OF_KM)}: the {self.aggregate} of a day has no such estimate")
        if self.derived and self.aggregate == "count":
            raise ValueError("derived needs values, and count gives none")
        return self


def run(sources: Sources, parameters: Parameters, outputs: Outputs, progress: Progress) -> Summary:
    """Write a table a station as CSV and XLSX, the lineage, quality.json and dashboard.html.

    Raises Unprocessable where the file can't be read, lacks a column, has no usable row, or is beyond a bound.
    """
    with tempfile.TemporaryDirectory(dir=outputs.folder.parent, prefix="rows-") as folder:
        return _run(sources.input, parameters, outputs, progress, Path(folder))


def _run(source: Source, parameters: Parameters, outputs: Outputs, progress: Progress, folder: Path) -> Summary:
    rules, reading = registry.rules_of(_INFO), parameters.reading
    progress(0.02, "reading")
    score = parameters.header_score(rules.header_score)
    table = open_table(source, score, folder, lambda done: progress(0.02 + 0.18 * done, "repairing"), reading)
    head = _head(table)
    detection = detect(head, {_INFO.dataset_type: rules}, _INFO.dataset_type, parameters.columns)
    roles = detection.columns.at
    table, roles, times_unused = join_times(table, roles)
    units_row = units_below(table.columns, table.facts.get("units"))
    if is_wide(rules, roles):
        table.facts["numbers_not_used"] = [label(table.columns, at) for at in passed_over(head, rules, roles)]
        table, roles = lengthen(table, roles, measured(head, rules, detection.columns.at))
    progress(0.2, "reading")
    survey = look(table, roles, reading, folder / "texts.parquet")
    progress(0.35, "reading")
    copies = sort_out(folder / "texts.parquet", table, survey, roles, parameters.units, units_row, folder)
    arrangement = copies.arrangement
    usable, missing_values, all_refused = _without_sentinels(copies, parameters)
    refused = refusals(all_refused)
    used = survey.rows_read - sum(refusal.count for refusal in refused)
    if not used:
        raise _nothing_usable(survey, refused)
    stations = sorted(checked_names(usable, "station", "stations", "too_many_stations", MAX_STATIONS), key=natural_key)
    counts = results(usable)
    held, problems = held_against(parameters.limits, arrangement)
    progress(0.45, "analysing")
    has_bounds = bool(counts.select(pl.col("below").sum() + pl.col("above").sum()).item())
    values = by_day(usable, parameters.aggregate, parameters.censored, has_bounds=has_bounds)
    values, derived = with_derived(values, parameters.derived, arrangement)
    columns = _table_columns(parameters, arrangement, set(counts["pcode"]))
    _check_cells(values, columns if parameters.template else None)
    progress(0.5, "writing the lineage")
    paths = {station: table_paths(stem, outputs) for station, stem in stems(stations).items()}
    as_csv = outputs.new("audit_lineage.csv", "text/csv")
    as_parquet = outputs.new("audit_lineage.parquet", "application/vnd.apache.parquet")
    # The longest of what is left, and the engine's; the tables are Python's.
    with ThreadPoolExecutor() as pool:
        lineage = pool.submit(_write_lineage, copies.texts, as_parquet, as_csv, outputs, pool)
        quality = Quality(
            aggregate=parameters.aggregate,
            censored=parameters.censored,
            template=parameters.template,
            survey=survey,
            used=used,
            refused=refused,
            missing=missing(table.columns, survey.filled, survey.rows_read),
            results=counts,
            flags=unknown_flags(usable) if "qualifier" in roles else [],
            sentinels=missing_values,
            outliers=judge(usable),
            duplicates=duplicates(usable, used),
            held=held,
            exceedances=exceedances(usable, held),
            limit_problems=problems,
            derived=derived,
            read_as=table.facts,
            columns=table.columns,
            roles=roles,
            stations=stations,
            arrangement=arrangement,
            shown=columns,
            first_date=values["date"].sort()[0],
            last_date=values["date"].sort()[-1],
            confidence=detection.confidence,
            assignment=detection.columns,
            times_unused=times_unused,
            short_years=short_years(copies.texts, survey.dates),
        )
        progress(0.7, "writing the tables")
        # One at a time: tables of a few rows take more memory for their thousand columns than for what is in them.
        for number, wide in enumerate(wide_tables(values, columns, every=parameters.template is not None), start=1):
            write_tables(wide, *paths[wide.station])
            progress(0.7 + 0.2 * number / len(stations), "writing the tables")
        progress(0.9, "writing the lineage")
        lineage.result()
    write_json(described("quality", quality_json(quality)), outputs.new("quality.json", "application/json"))
    charts = panels(values, quality)
    shown = page(quality, charts, pl.scan_parquet(as_parquet, glob=False), source.sha256)
    write_page(shown, outputs.new("dashboard.html", "text/html"))
    progress(0.98, "finishing")
    return _summary(quality)


def _without_sentinels(
    copies: Copies, parameters: Parameters
) -> tuple[pl.LazyFrame, list[sentinels.Sentinel], pl.LazyFrame]:
    """Take the rows whose number stands for a missing value out of the usable ones, and put them to the refused."""
    named = parameters.sentinels
    missing_values = sentinels.find(copies.usable) if named == "auto" else sentinels.count(copies.usable, named)
    if not missing_values:
        return copies.usable, [], copies.refused
    is_one = sentinels.is_sentinel(missing_values)
    refused = copies.usable.filter(is_one).select("row", pl.lit("sentinel").alias("reason"))
    return copies.usable.filter(~is_one), missing_values, pl.concat([copies.refused, refused])


def _head(table: Table) -> Preview:
    """The rows that the file was recognised by; to sniff it anew would take as long as to read 100,000 rows."""
    width = len(table.columns)
    few = min(_HEAD_ROWS, _HEAD_CELLS // width)
    rows = table.frame.select(str(at) for at in range(width)).head(few).collect(engine="streaming")
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


def _table_columns(parameters: Parameters, arrangement: Arrangement, with_results: Collection[str]) -> list[Column]:
    """The columns that tables may have: those that the template names, or all parameters in natural order.

    A name of the template means all series of that parameter; one that the data do not have is a blank column. The two
    columns that every table has anyway are left out of it, unless the data have a parameter of that name.
    """
    series = arrangement.series
    there = [key for key in series if key in with_results or key in parameters.derived]
    if parameters.template is None:
        in_order = sorted(there, key=lambda key: natural_key(series[key].label))
        return [Column(key, series[key].label, series[key].unit) for key in in_order]
    columns: dict[str, Column] = {}
    for name in parameters.template:
        keys = [key for key in arrangement.found(name) if key in there]
        if not keys and name not in _ALWAYS:
            columns.setdefault(name, Column(None, name, ""))
        for key in keys:
            columns.setdefault(series[key].label, Column(key, series[key].label, series[key].unit))
    if not columns:
        raise Unprocessable(
            "invalid_parameters", "The template names no parameter code.", "Name the codes to give, or leave it out."
        )
    return list(columns.values())


def _nothing_usable(survey: Survey, refused: list[Refusal]) -> Unprocessable:
    if not survey.rows_read:
        return no_rows()
    reasons = ", ".join(f"{refusal.reason} {refusal.count:,}" for refusal in refused)
    return Unprocessable(
        "no_usable_rows",
        f"None of the {survey.rows_read:,} rows can be used: {reasons}.",
        "Each row needs a station, a date such as 2024-01-31 13:45, a parameter code and a result such as 4.1 or <0.5.",
    )


def _check_cells(values: pl.DataFrame, template: list[Column] | None) -> None:
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
        "pcodes": quality.parameter_count(),
        "first_date": quality.first_date.isoformat(),
        "last_date": quality.last_date.isoformat(),
        "outliers": quality.outliers.count,
        "duplicates": quality.duplicates.identical + quality.duplicates.conflicting,
        "censored": quality.bounds(),
        "exceedances": sum(one.above + one.below for one in quality.exceedances),
    }
    read = quality.survey.rows_read
    return Summary({"rows": Count(read, quality.used, read - quality.used)}, figures)
