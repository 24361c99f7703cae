"""The charts: one for each parameter and unit, with a line for each station."""

from __future__ import annotations

import polars as pl

from assay.datasets.station_measurements.names import natural_key
from assay.datasets.station_measurements.report import Quality
from assay.datasets.station_measurements.tables import Column
from assay.page.charts import MAX_PANELS
from assay.page.model import Panel, Series


def panels(values: pl.DataFrame, quality: Quality) -> list[Panel]:
    """Shape the charts of the first parameters from the values of each day (see censored.py).

    A bound is drawn at its limit, and marked; so are the results that are outliers. A limit is a line from end to end.
    """
    with_data = set(values["pcode"].unique())
    columns = [column for column in quality.shown if column.key in with_data]
    return [_panel(values.filter(pl.col("pcode") == column.key), column, quality) for column in columns[:MAX_PANELS]]


def without_panel(quality: Quality) -> list[str]:
    """Name the parameters beyond the number of charts that a page has."""
    return [column.label for column in quality.shown if column.key is not None][MAX_PANELS:]


def _panel(values: pl.DataFrame, column: Column, quality: Quality) -> Panel:
    drawn = values.filter(pl.col("value").is_not_null())
    outliers = {one.station: one.listed for one in quality.outliers.series if one.pcode == column.key}
    marks = {
        station: {outlier.date: outlier.result for outlier in reversed(listed)} for station, listed in outliers.items()
    }
    dates = drawn.select(pl.col("date").unique().sort())["date"]
    by_station = drawn.partition_by("station", as_dict=True)
    stations = sorted((str(key[0]) for key in by_station), key=natural_key)
    lines, points = [], []
    days = dates.to_list()
    for station in stations:
        part = by_station[(station,)]
        lines.append(Series(station, _along(part, dates)))
        bounds = part.filter(pl.col("sign") != 0)
        if bounds.height:
            points.append(Series(f"{station}: bound such as <", _along(bounds, dates), marks=True))
        if marks.get(station):
            at = marks[station]
            points.append(Series(f"{station}: outlier", [at.get(day.isoformat()) for day in days], marks=True))
    limits = [
        Series(f"Limit: {word} {bound:g}", [bound] * len(days))
        for one in quality.held
        if one.pcode == column.key
        for word, bound in (("at most", one.max), ("at least", one.min))
        if bound is not None
    ]
    return Panel(title=column.label, dates=days, series=[*lines, *points, *limits], unit=column.unit)


def _along(part: pl.DataFrame, dates: pl.Series) -> list[float | None]:
    """The values of one station along all dates of the chart."""
    joined = pl.DataFrame({"date": dates}).join(part, on="date", how="left", maintain_order="left")
    return joined["value"].cast(pl.Float64).to_list()
