"""What the dashboards' script is given for a chart: the JSON in the chart's own script element.

The script's types are generated from these: `make chart-types` writes web/dashboard/chart-data.ts.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class Encoded(TypedDict):
    """The points of a line, each list in base64.

    `days` are little-endian int32 since 1970-01-01; `values` little-endian float64 if `wide`, else float32. NaN marks a
    break, on a day without a value.
    """

    days: str
    values: str
    wide: bool


class LineSeries(Encoded):
    """One line: the numbers of its colour and dash, and whether it is switched on at first.

    `marks` are rings around single values, without a line between them.
    """

    name: str
    colour: int
    dash: int
    on: bool
    marks: bool


class LineData(TypedDict):
    """A chart over dates; `unit` is that of the values."""

    kind: Literal["lines"]
    title: str
    unit: str
    series: list[LineSeries]


class BarData(TypedDict):
    """A value for each label. Upright bars stand in an order, such as that of months; names stand beside bars that lie.

    `unit` is that of the values; null is no value. `unfinished` are the places of bars that hold a part of their value.
    """

    kind: Literal["bars"]
    title: str
    unit: str
    upright: bool
    labels: list[str]
    values: list[float | None]
    unfinished: list[int]


class HistogramData(TypedDict):
    """`counts[i]` values from `edges[i]` to `edges[i + 1]`; `unit` is that of the edges."""

    kind: Literal["histogram"]
    title: str
    unit: str
    edges: list[float]
    counts: list[int]


ChartData = LineData | BarData | HistogramData
