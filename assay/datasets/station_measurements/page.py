"""The dashboard: what to look at first is at the top."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.datasets.station_measurements.findings import REASONS, findings
from assay.datasets.station_measurements.outliers import LEAST_VALUES, OUTLIER_Z
from assay.datasets.station_measurements.panels import without_panel
from assay.datasets.station_measurements.quality import MISSING_ALERT
from assay.datasets.station_measurements.report import Quality
from assay.page.markup import few
from assay.page.model import Figure, Page, Panel, Table

_LINEAGE_ROWS = 10


def page(quality: Quality, panels: Sequence[Panel], lineage: pl.LazyFrame, sha256: str) -> Page:
    """Shape the dashboard. `panels` are the charts of the first parameters."""
    refused = quality.survey.rows_read - quality.used
    first, last = quality.first_date, quality.last_date
    beyond = sum(one.above + one.below for one in quality.exceedances)
    figures = [
        Figure("Stations", f"{len(quality.stations):,}"),
        Figure("Parameters", f"{quality.parameter_count():,}"),
        Figure("Rows used", f"{quality.used:,} of {quality.survey.rows_read:,}"),
        Figure("Rows refused", f"{refused:,}", "warn" if refused else "good"),
        Figure("Dates", f"{first} to {last}" if first < last else str(first)),
    ]
    if bounds := quality.bounds():
        figures.append(Figure("Results such as <0.5", f"{bounds:,}"))
    if quality.held:
        figures.append(Figure("Results beyond a limit", f"{beyond:,}"))
    return Page(
        title="Station measurements",
        subtitle=f"{quality.aggregate.capitalize()} of each parameter a day, by station",
        figures=figures,
        findings=findings(quality),
        panels=panels,
        without_panel=without_panel(quality),
        tables=[*_quality_tables(quality), _lineage_table(lineage, sha256, quality.survey.rows_read)],
    )


def _quality_tables(quality: Quality) -> list[Table]:
    tables = [
        _results_table(quality),
        Table(
            "Limits",
            ["Station", "Parameter", "Results", "Above", "Below", "Not decided"],
            [
                [one.station, quality.label(one.pcode), one.results, one.above, one.below, one.undecided]
                for one in quality.exceedances
            ],
            note="Not decided: bounds that may lie on either side, such as <100 for a limit of 50.",
        ),
        Table(
            "Outliers",
            ["Station", "Parameter", "Values", "Median", "Median distance", "Outliers", "Date: result"],
            [
                [
                    one.station, quality.label(one.pcode), one.values, one.median, one.mad, one.count,
                    few([f"{far.date}: {far.result!r}" for far in one.listed]),
                ]
                for one in quality.outliers.series
            ],
            note=f"Values whose modified z-score (Iglewicz and Hoaglin) is above {OUTLIER_Z}: 0.6745 times the "
            f"distance from the median, over the median of all distances. Not judged below {LEAST_VALUES} values.",
        ),
        Table(
            "Missing cells",
            ["Column", "Blank", "Share"],
            [[column.column, column.count, f"{column.rate:.1%}"] for column in quality.missing if column.count],
            note=f"Of {quality.survey.rows_read:,} rows; columns without a blank cell are left out. A share of "
            f"{MISSING_ALERT:.0%} or more in a column that is needed is a finding.",
        ),
        Table(
            "Rows refused",
            ["Reason", "Rows", "Row numbers"],
            [
                [REASONS[refusal.reason], refusal.count, few([str(row) for row in refusal.rows])]
                for refusal in quality.refused
            ],
            note="Row 1 is the first below the header. All are in the lineage; quality.json lists up to 1,000.",
        ),
    ]  # fmt: skip
    return [table for table in tables if table.rows]


def _results_table(quality: Quality) -> Table:
    """What the results of each station and series are; without the columns that are 0 throughout."""
    heads = {
        "rows": "Results", "values": "Values", "below": "Below a limit (<)", "above": "Above a limit (>)",
        "unknown": "Limit not known", "estimated": "Estimated",
    }  # fmt: skip
    counts = quality.results
    shown = [name for name in heads if name in ("rows", "values") or counts[name].sum()]
    rows = [
        [row["station"], quality.label(row["pcode"]), *(row[name] for name in shown)]
        for row in counts.iter_rows(named=True)
    ]
    return Table("Results", ["Station", "Parameter", *(heads[name] for name in shown)], rows)


def _lineage_table(lineage: pl.LazyFrame, sha256: str, rows: int) -> Table:
    head = lineage.head(_LINEAGE_ROWS).collect(engine="streaming")
    tail = lineage.tail(_LINEAGE_ROWS).collect(engine="streaming")
    shown = pl.concat([head, tail.tail(max(0, min(_LINEAGE_ROWS, rows - head.height)))])
    # A column that is blank in all of these rows says nothing here.
    shown = shown.select(name for name in shown.columns if shown[name].null_count() < shown.height)
    return Table(
        "Lineage",
        shown.columns,
        [list(row) for row in shown.iter_rows()],
        note=f"The first and last of {rows:,} rows; all are in audit_lineage.csv. SHA-256 of the input: {sha256}",
    )
