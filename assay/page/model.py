"""What a dashboard shows: figures, findings, charts and tables, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Tone = Literal["plain", "good", "warn", "bad"]


@dataclass(frozen=True)
class Figure:
    """One number at the head of the page; `value` is already formatted.

    `more` are further lines, such as the same measure in other currencies.
    """

    label: str
    value: str
    tone: Tone = "plain"
    more: Sequence[str] = ()


@dataclass(frozen=True)
class Finding:
    """One sentence on what was found in the data."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Series:
    """One line of a chart: a value for each date of its panel; None where there is none.

    `marks` are rings around single values, without a line between them.
    """

    name: str
    values: Sequence[float | None]
    marks: bool = False


@dataclass(frozen=True)
class Panel:
    """One chart over dates, ascending, with lines that can be switched on and off; `unit` is that of all its values.

    Where the lines have units of their own, name each with its unit and leave `unit` blank.
    """

    title: str
    dates: Sequence[date]
    series: Sequence[Series]
    note: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Bars:
    """A bar for each category, in the order given; None where there is no value. `unit` is that of the values.

    Labels that all begin with a digit and are short (months, ages) stand below upright bars, up to 400; names stand
    beside bars that lie, up to 40. What is beyond is left out, and the page says so: give the largest first.
    `unfinished` are the places of bars that hold a part of their value; only their outline is drawn.
    """

    title: str
    unit: str
    labels: Sequence[str]
    values: Sequence[float | None]
    note: str = ""
    unfinished: Sequence[int] = ()


@dataclass(frozen=True)
class Histogram:
    """How many values lie between two edges: `counts[i]` of them from `edges[i]` to `edges[i + 1]`.

    Edges ascend and are one more than the counts, or there are none of either. `unit` is that of the edges.
    """

    title: str
    unit: str
    edges: Sequence[float]
    counts: Sequence[int]
    note: str = ""


@dataclass(frozen=True)
class Heat:
    """A table of numbers whose cells are shaded: `values` has a row for each of `rows`, as long as `columns`.

    The shade goes from 0 to the largest magnitude; numbers below 0 have a colour of their own. None is blank. The first
    `unshaded` columns have no shade, and do not count for the largest.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    note: str = ""
    unit: str = ""
    unshaded: int = 0


@dataclass(frozen=True)
class Table:
    """One table; rows are as long as `columns`, None is shown blank.

    A Decimal is shown with all its digits and its thousands grouped: an amount of money.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float | Decimal | None]]
    note: str = ""


@dataclass(frozen=True)
class Page:
    """One dashboard; `without_panel` names what has no chart, because there would be too many."""

    title: str
    subtitle: str
    figures: Sequence[Figure]
    findings: Sequence[Finding]
    panels: Sequence[Panel | Bars | Histogram | Heat]
    tables: Sequence[Table]
    without_panel: Sequence[str] = ()
