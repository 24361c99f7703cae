"""Everything that was found, and quality.json, which says it to programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import cast

import polars as pl
from pydantic import JsonValue

from assay.datasets.station_measurements.derived import Derived
from assay.datasets.station_measurements.exceedances import Exceedances, Held
from assay.datasets.station_measurements.names import alike
from assay.datasets.station_measurements.outliers import LEAST_VALUES, OUTLIER_Z, Judged
from assay.datasets.station_measurements.quality import MISSING_ALERT, Duplicates, Missing, Refusal
from assay.datasets.station_measurements.rows import Survey
from assay.datasets.station_measurements.sentinels import Sentinel
from assay.datasets.station_measurements.series import Arrangement
from assay.datasets.station_measurements.tables import Column
from assay.detection.roles import Columns

SERIES_LISTED = 10_000


@dataclass(frozen=True)
class Quality:
    """Everything that was found; `roles` gives the position of the column that plays each part.

    `results` is what quality.results counts, `shown` the columns that the tables may have. `confidence` is how sure it
    is that the file holds station measurements at all, `assignment` why each column is what it is, `times_unused` a
    column of times that could not be joined to the dates, `short_years` the first and last year written in two digits.
    """

    aggregate: str
    censored: str
    template: tuple[str, ...] | None
    survey: Survey
    used: int
    refused: list[Refusal]
    missing: list[Missing]
    results: pl.DataFrame
    flags: list[tuple[str, int]]
    sentinels: list[Sentinel]
    outliers: Judged
    duplicates: Duplicates
    held: list[Held]
    exceedances: list[Exceedances]
    limit_problems: list[str]
    derived: list[Derived]
    read_as: dict[str, JsonValue]
    columns: tuple[str, ...]
    roles: dict[str, int]
    stations: list[str]
    arrangement: Arrangement
    shown: list[Column]
    first_date: date
    last_date: date
    confidence: float
    assignment: Columns
    times_unused: str | None
    short_years: tuple[int, int] | None

    def total(self, column: str) -> int:
        """Add up one column of `results`."""
        return int(self.results[column].sum())

    def bounds(self) -> int:
        """Count the results that are bounds, such as <0.5."""
        return self.total("below") + self.total("above")

    def label(self, key: str) -> str:
        """Name a series as the tables do."""
        return self.arrangement.series[key].label

    def codes(self) -> list[str]:
        """Name the parameters that have usable rows."""
        return list(dict.fromkeys(self.arrangement.series[key].code for key in self.results["pcode"].unique().sort()))

    def parameter_count(self) -> int:
        """Count the parameters that have usable rows."""
        return len(self.codes())

    def left_out(self) -> list[str]:
        """Name the parameters of the data that the template does not."""
        if self.template is None:
            return []
        shown = {column.key for column in self.shown}
        return [self.label(key) for key in self.results["pcode"].unique().sort() if key not in shown]

    def without_data(self) -> list[str]:
        """Name the columns of the template that no row has a result for."""
        return [column.label for column in self.shown if column.key is None]


def quality_json(quality: Quality) -> JsonValue:
    """Shape quality.json."""
    used = set(quality.roles.values())
    series, outliers = quality.arrangement.series, quality.outliers
    content = {
        "rows": {
            "read": quality.survey.rows_read,
            "used": quality.used,
            "refused": quality.survey.rows_read - quality.used,
            "blank": quality.survey.rows_blank,
        },
        "refused": [asdict(refusal) for refusal in quality.refused],
        "missing": {"alert_at": MISSING_ALERT, "columns": [asdict(column) for column in quality.missing]},
        "results": {
            "values": quality.total("values"),
            "below_a_limit": quality.total("below"),
            "above_a_limit": quality.total("above"),
            "without_a_known_limit": quality.total("unknown"),
            "limit_from_a_column": quality.total("by_limit"),
            "estimated": quality.total("estimated"),
            "taken_as": quality.censored,
            "unknown_qualifiers": [{"qualifier": flag, "rows": rows} for flag, rows in quality.flags],
            "series": _series(quality),
        },
        "units": {
            "parameters": {one.label: one.unit for one in series.values() if one.unit},
            "converted": [
                {"parameter": code, "from": given, "to": unit, "rows": rows}
                for code, changes in quality.arrangement.converted.items()
                for given, unit, rows in changes
            ],
            "kept_apart": quality.arrangement.apart,
        },
        "sentinels": [
            {"parameter": quality.label(one.pcode), "value": one.value, "rows": one.count} for one in quality.sentinels
        ],
        "outliers": {
            "z_above": OUTLIER_Z,
            "least_values": LEAST_VALUES,
            "count": outliers.count,
            "series_judged": outliers.judged,
            "series_not_judged": {"too_few_values": outliers.too_few, "no_spread": outliers.no_spread},
            "series": [asdict(one) | {"pcode": quality.label(one.pcode)} for one in outliers.series],
        },
        "limits": {
            "held": [asdict(one) | {"pcode": quality.label(one.pcode)} for one in quality.held],
            "exceedances": [asdict(one) | {"pcode": quality.label(one.pcode)} for one in quality.exceedances],
            "problems": quality.limit_problems,
        },
        "derived": [asdict(one) for one in quality.derived],
        "duplicates": asdict(quality.duplicates),
        "confidence": quality.confidence,
        "date_order": {"read_as": quality.survey.dates.decided, "rows": quality.survey.order_rows},
        "dates_with_zone": quality.survey.dates.zoned,
        "times_not_used": quality.times_unused,
        "columns": {
            "used": {role: quality.columns[at] for role, at in quality.roles.items()},
            "ignored": [name for at, name in enumerate(quality.columns) if at not in used],
        },
        "names_alike": {"stations": alike(quality.stations), "pcodes": alike(quality.codes())},
        "template": {"left_out": quality.left_out(), "without_data": quality.without_data()},
        "read_as": quality.read_as,
    }
    return cast("JsonValue", content)


def _series(quality: Quality) -> list[dict[str, JsonValue]]:
    """The stations and series that have more than plain values, at most 10,000."""
    more = quality.results.filter(pl.col("below") + pl.col("above") + pl.col("estimated") > 0).head(SERIES_LISTED)
    return [
        {
            "station": row["station"], "pcode": quality.label(row["pcode"]), "values": row["values"],
            "below_a_limit": row["below"], "above_a_limit": row["above"], "without_a_known_limit": row["unknown"],
            "estimated": row["estimated"],
        }
        for row in more.iter_rows(named=True)
    ]  # fmt: skip
