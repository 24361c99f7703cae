"""quality.json and the dashboard: the same findings, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import cast

import polars as pl
from pydantic import JsonValue

from assay.datasets.station_measurements.names import alike
from assay.datasets.station_measurements.quality import (
    MISSING_ALERT,
    OUTLIER_ALERT,
    OUTLIER_Z,
    Duplicates,
    Missing,
    Outliers,
    Refusal,
)
from assay.datasets.station_measurements.rows import Survey
from assay.datasets.station_measurements.tables import Wide
from assay.detection.columns import Columns
from assay.detection.detect import SURE
from assay.page.model import Figure, Finding, Page, Panel, Series, Table

_LINEAGE_ROWS = 10
# So few rows may well be slips of the pen, and decide how all the others are read.
_FEW_ROWS = 2
_FEW_GROUPS = 5
_REASONS = {
    "missing_station": "no station",
    "missing_date": "no date",
    "unparsable_date": "a date that can't be read",
    "missing_pcode": "no parameter code",
    "missing_result": "no result",
    "result_not_a_number": "a result that is no number",
    "broken_quotes": "quotes that don't close",
    "too_many_fields": "more fields than the header",
    "too_few_fields": "fewer fields than the header, and in other places",
}


@dataclass(frozen=True)
class Quality:
    """Everything that was found; `roles` gives the position of the column that plays each part.

    `confidence` is how sure it is that the file holds station measurements at all, `found` why each column is what it
    is, `times_unused` a column of times
    that could not be joined to the dates, and `order_rows` how many rows tell that the day or the month comes first.
    """

    survey: Survey
    used: int
    refused: list[Refusal]
    missing: list[Missing]
    outliers: list[Outliers]
    duplicates: Duplicates
    read_as: dict[str, JsonValue]
    columns: tuple[str, ...]
    roles: dict[str, int]
    stations: list[str]
    codes: list[str]
    first_date: date
    last_date: date
    template: tuple[str, ...] | None
    confidence: float
    found: Columns
    times_unused: str | None
    order_rows: dict[str, int]

    def left_out(self) -> list[str]:
        """Name the codes of the data that the template does not."""
        return [code for code in self.codes if self.template is not None and code not in self.template]

    def without_data(self) -> list[str]:
        """Name the columns of the template that no row has a result for."""
        return [code for code in self.template or () if code not in self.codes]


def quality_json(quality: Quality) -> JsonValue:
    """Shape quality.json."""
    used = set(quality.roles.values())
    content = {
        "rows": {
            "read": quality.survey.rows_read,
            "used": quality.used,
            "refused": quality.survey.rows_read - quality.used,
            "blank": quality.survey.rows_blank,
        },
        "refused": [asdict(one) for one in quality.refused],
        "missing": {"alert_at": MISSING_ALERT, "columns": [asdict(one) for one in quality.missing]},
        "outliers": {
            "z_above": OUTLIER_Z,
            "alert_at": OUTLIER_ALERT,
            "pcodes": [asdict(one) for one in quality.outliers],
        },
        "duplicates": asdict(quality.duplicates),
        "confidence": quality.confidence,
        "date_order": {"read_as": quality.survey.dates.decided, "rows": quality.order_rows},
        "dates_with_zone": quality.survey.dates.zoned,
        "times_not_used": quality.times_unused,
        "columns": {
            "used": {role: quality.columns[at] for role, at in quality.roles.items()},
            "ignored": [name for at, name in enumerate(quality.columns) if at not in used],
        },
        "names_alike": {"stations": alike(quality.stations), "pcodes": alike(quality.codes)},
        "template": {"left_out": quality.left_out(), "without_data": quality.without_data()},
        "read_as": quality.read_as,
    }
    return cast("JsonValue", content)


def panel(wide: Wide) -> Panel:
    """Shape the chart of one station: a line for each code that it has a result for."""
    return Panel(
        title=wide.station,
        dates=wide.dates.to_list(),
        series=[
            Series(code, values.cast(pl.Float64).to_list())
            for code, values in zip(wide.codes, wide.values, strict=True)
            if values.null_count() < values.len()
        ],
    )


def page(quality: Quality, panels: Sequence[Panel], lineage: pl.LazyFrame, sha256: str, aggregate: str) -> Page:
    """Shape the dashboard: what to look at first is at the top. `panels` are those of the first stations."""
    refused = quality.survey.rows_read - quality.used
    first, last = quality.first_date, quality.last_date
    return Page(
        title="Station measurements",
        subtitle=f"{aggregate.capitalize()} of each parameter a day, by station",
        figures=[
            Figure("Stations", f"{len(quality.stations):,}"),
            Figure("Parameter codes", f"{len(quality.codes):,}"),
            Figure("Rows used", f"{quality.used:,} of {quality.survey.rows_read:,}"),
            Figure("Rows refused", f"{refused:,}", "warn" if refused else "good"),
            Figure("Dates", f"{first} to {last}" if first < last else str(first)),
        ],
        findings=_findings(quality),
        panels=panels,
        without_panel=quality.stations[len(panels) :],
        tables=[*_quality_tables(quality), _lineage_table(lineage, sha256, quality.survey.rows_read)],
    )


def _rows(count: int, one: str, many: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count:,} rows {many}"


def _findings(quality: Quality) -> list[Finding]:
    """Say what was found, what needs a look first."""
    alerts = [
        Finding(
            f"{found.pcode}: {found.count:,} of {found.rows:,} results lie more than 3 standard deviations off.", "bad"
        )
        for found in quality.outliers
        if found.alert
    ]
    needed = set(quality.roles.values())
    for at, column in enumerate(quality.missing):
        if column.alert and at in needed:
            alerts.append(Finding(f"{column.column} is blank in {column.rate:.0%} of the rows.", "bad"))
    warnings = _reading(quality)
    if quality.refused:
        by_count = sorted(quality.refused, key=lambda one: (-one.count, one.reason))
        reasons = ", ".join(f"{one.count:,} with {_REASONS[one.reason]}" for one in by_count)
        count = sum(one.count for one in quality.refused)
        warnings.append(Finding(f"{_rows(count, 'was', 'were')} refused: {reasons}.", "warn"))
    twice = quality.duplicates
    if twice.conflicting:
        gives = _rows(twice.conflicting, "gives", "give")
        warnings.append(Finding(f"{gives} another result for a station, time and parameter that came before.", "warn"))
    if twice.identical:
        repeats = _rows(twice.identical, "repeats", "repeat")
        warnings.append(Finding(f"{repeats} an earlier row and count{'s' * (twice.identical == 1)} again.", "warn"))
    for what, names in (("Stations", quality.stations), ("Parameter codes", quality.codes)):
        if groups := alike(names):
            said = "; ".join(" and ".join(group) for group in groups[:_FEW_GROUPS])
            more = f"; and {len(groups) - _FEW_GROUPS:,} more such groups" if len(groups) > _FEW_GROUPS else ""
            warnings.append(Finding(f"{what} whose names look alike, kept apart: {said}{more}.", "warn"))
    if left_out := quality.left_out():
        warnings.append(Finding(f"Not in the template, so left out: {_few(left_out)}.", "warn"))
    if without := quality.without_data():
        warnings.append(Finding(f"In the template, but without data: {_few(without)}.", "warn"))
    empty = [one.column for at, one in enumerate(quality.missing) if one.alert and at not in needed]
    few = sum(found.count for found in quality.outliers if not found.alert)
    plain = []
    if few:
        plain.append(Finding(f"{few:,} other results lie more than 3 standard deviations from their parameter's mean."))
    if empty:
        plain.append(Finding(f"Columns of no use to the analysis that are mostly or often blank: {_few(empty)}."))
    good = [] if quality.refused else [Finding("Every row could be used.", "good")]
    if not twice.identical and not twice.conflicting:
        good.append(Finding("No measurement stands there twice.", "good"))
    return [*alerts, *warnings, *plain, *good]


def _reading(quality: Quality) -> list[Finding]:
    """Say where the file could be read in another way than it was."""
    said = [*quality.found.doubts, *quality.found.notes]
    if quality.confidence < SURE:
        said.append(
            f"Taken for station measurements with a confidence of {quality.confidence:.2f}: check that the columns "
            f"are the right ones ({_few([quality.columns[at] for at in quality.roles.values()])})."
        )
    if quality.times_unused is not None:
        said.append(
            f"The dates have no times, and the column {quality.times_unused} was not used: "
            "too few of its cells are times such as 13:45. Every row was read as of midnight."
        )
    order, deciding = quality.survey.dates.decided, max(quality.order_rows.values())
    if order == "assumed month first":
        said.append("Nothing in the file tells 1/2/2024 from 2/1/2024: month first was assumed.")
    elif order and min(quality.order_rows.values()):
        said.append(f"Dates such as 1/2/2024 were read as {order}.")
    elif order and deciding <= _FEW_ROWS and deciding < quality.used:
        said.append(f"Dates such as 1/2/2024 were read as {order} because of {_rows(deciding, 'alone', 'alone')}.")
    if zoned := quality.survey.dates.zoned:
        said.append(f"{_rows(zoned, 'names', 'name')} a time zone, which was left aside: times are those of the clock.")
    if sheets := cast("list[str]", quality.read_as.get("sheets_not_read") or []):
        said.append(f"Sheets that were not read: {_few(sheets)}.")
    said += cast("list[str]", quality.read_as.get("warnings") or [])
    if quality.read_as.get("decimal_comma"):
        said.append("Results such as 1,5 were read with a decimal comma.")
    if lines := cast("int", quality.read_as.get("multi_line_records") or 0):
        said.append(f"{_rows(lines, 'has', 'have')} a cell with line breaks: check that quotes are closed.")
    return [Finding(text, "warn") for text in said]


def _quality_tables(quality: Quality) -> list[Table]:
    made = [
        Table(
            "Missing cells",
            ["Column", "Blank", "Share", "Alert"],
            [[one.column, one.count, f"{one.rate:.1%}", "yes" if one.alert else ""] for one in quality.missing],
            note=f"Alert at {MISSING_ALERT:.0%} of {quality.survey.rows_read:,} rows.",
        ),
        Table(
            "Rows refused",
            ["Reason", "Rows", "Row numbers"],
            [[_REASONS[one.reason], one.count, _few([str(row) for row in one.rows])] for one in quality.refused],
            note="Row 1 is the first below the header. All stand in the lineage; quality.json lists up to 1,000.",
        ),
        Table(
            "Outliers",
            ["Parameter code", "Rows", "Mean", "Standard deviation", "Outliers", "Alert", "Row: result"],
            [
                [
                    one.pcode, one.rows, one.mean, one.std, one.count, "yes" if one.alert else "",
                    _few([f"{far.row}: {far.result!r}" for far in one.listed]),
                ]
                for one in quality.outliers
            ],
            note=f"Results more than 3 standard deviations from the mean of their parameter; alert at {OUTLIER_ALERT}.",
        ),
    ]  # fmt: skip
    return [table for table in made if table.rows]


def _lineage_table(lineage: pl.LazyFrame, sha256: str, rows: int) -> Table:
    head = lineage.head(_LINEAGE_ROWS).collect(engine="streaming")
    tail = lineage.tail(_LINEAGE_ROWS).collect(engine="streaming").filter(~pl.col("row").is_in(head["row"].implode()))
    shown = pl.concat([head, tail])
    return Table(
        "Lineage",
        shown.columns,
        [list(row) for row in shown.iter_rows()],
        note=f"The first and last of {rows:,} rows; all are in audit_lineage.csv. SHA-256 of the input: {sha256}",
    )


def _few(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
