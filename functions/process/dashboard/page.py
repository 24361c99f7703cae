"""What a dashboard shows: figures, findings, charts and tables, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Tone = Literal["plain", "good", "warn", "bad"]


@dataclass(frozen=True)
class Figure:
    """One number at the head of the page; `value` is already formatted."""

    label: str
    value: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Finding:
    """One sentence on what was found in the data."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Series:
    """One line of a chart: a value for each date of its panel; None where there is none."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """One chart over dates, ascending, with lines that can be switched on and off."""

    title: str
    dates: Sequence[date]
    series: Sequence[Series]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """One table; rows are as long as `columns`, None is shown blank."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float | None]]
    note: str = ""


@dataclass(frozen=True)
class Page:
    """One dashboard; `without_panel` names what has no chart, because there would be too many."""

    title: str
    subtitle: str
    figures: Sequence[Figure]
    findings: Sequence[Finding]
    panels: Sequence[Panel]
    tables: Sequence[Table]
    without_panel: Sequence[str] = ()
