"""Charts over dates: few enough points for the script to draw, and the series in figures for reading without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assay.page.chart_data import LineData
from assay.page.markup import clean, count
from assay.page.model import Panel
from assay.page.reduce import Points, drawable, points, trace
from assay.page.tables import Cell, disclosure

# Points a line: the most that a wide screen can tell apart, then less for a page of many lines.
LIMITS = (2000, 1000, 500, 250, 100)
SHOWN_AT_FIRST = 6
_COLOURS = 8
_POINT_BYTES = 10.7  # int32 and float32 in base64
_SERIES_BYTES = 500
_EPOCH = date(1970, 1, 1)

# Colour and dash of each name.
Styles = Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Line:
    """A series with all its values, and those of them that can be drawn; `marks` as in the model."""

    name: str
    all: Points
    drawn: Points
    marks: bool = False


def lines_of(panel: Panel) -> list[Line]:
    """Take the values that are there; raises ValueError where dates do not ascend or are not as many as values."""
    found = []
    for one in panel.series:
        everything = points(panel.dates, one.values)
        found.append(Line(one.name, everything, drawable(everything), one.marks))
    return found


def limit_within(panels: Sequence[Sequence[Line]], budget: float) -> int:
    """Choose how many points a line may have, so that all of the page's take about `budget` bytes at most."""
    sizes = [len(line.drawn) for lines in panels for line in lines]

    def estimate(limit: int) -> float:
        return sum(min(size, limit) * _POINT_BYTES + _SERIES_BYTES for size in sizes)

    return next((limit for limit in LIMITS if estimate(limit) <= budget), LIMITS[-1])


def styles_of(panels: Sequence[Sequence[Line]]) -> Styles:
    """Give each name a colour and a dash, the same in every panel; the names with the most values choose first."""
    sizes: dict[str, int] = {}
    for line in (line for lines in panels for line in lines):
        sizes[line.name] = sizes.get(line.name, 0) + len(line.all)
    ranked = sorted(sizes, key=lambda name: -sizes[name])
    return {name: (rank % _COLOURS, rank // _COLOURS) for rank, name in enumerate(ranked)}


def line_data(panel: Panel, lines: Sequence[Line], limit: int, styles: Styles) -> LineData:
    """What the script draws."""
    complete = sorted(range(len(lines)), key=lambda at: (lines[at].marks, -len(lines[at].drawn)))
    at_first = set(complete[:SHOWN_AT_FIRST])
    if sum(not line.marks for line in lines) <= SHOWN_AT_FIRST:
        at_first = set(complete)
    return {
        "kind": "lines",
        "title": clean(panel.title),
        "unit": clean(panel.unit),
        "series": [
            {
                "name": clean(line.name),
                "colour": styles[line.name][0],
                "dash": styles[line.name][1],
                "on": at in at_first,
                "marks": line.marks,
                **trace(line.drawn, limit).encoded(),
            }
            for at, line in enumerate(lines)
        ],
    }


def line_text(panel: Panel, lines: Sequence[Line]) -> str:
    """Say in one sentence what there is to see."""
    days = [line.all.days[at] for line in lines if line.all.days for at in (0, -1)]
    unit = f", in {panel.unit}" if panel.unit else ""
    span = f", {_iso(min(days))} to {_iso(max(days))}" if days else ", without values"
    series = "1 series" if len(lines) == 1 else f"{len(lines):,} series"
    return f"Line chart of {series}{unit}{span}. The series in figures stand below it."


def line_note(lines: Sequence[Line], limit: int) -> str:
    """Say what a reader should know of the drawing."""
    said = []
    if sum(not line.marks for line in lines) > SHOWN_AT_FIRST:
        said.append(f"{SHOWN_AT_FIRST} of {len(lines)} series are switched on at first: those with the most values.")
    longest = max((len(line.drawn) for line in lines), default=0)
    if longest > limit:
        said.append(
            f"Reduced for drawing: at most {limit:,} of up to {longest:,} values a line, "
            "with the lowest and highest of every stretch among them."
        )
    beyond = sum(len(line.all) - len(line.drawn) for line in lines)
    if beyond:
        said.append(f"{count(beyond, 'value')} too large or too near to zero to be drawn.")
    return " ".join(said)


def line_table(panel: Panel, lines: Sequence[Line]) -> str:
    """Put the series in figures, from all their values, for those who cannot see the chart or draw it."""
    unit = f" ({panel.unit})" if panel.unit else ""
    columns = ["Series", "Values", f"Lowest{unit}", f"Highest{unit}", "First date", "Last date"]
    title = "The series in figures"
    return disclosure(title, f"{title}: {panel.title}", columns, [_row(line) for line in lines])


def _row(line: Line) -> list[Cell]:
    found = line.all
    if not found.days:
        return [line.name, 0, None, None, None, None]
    ends = [_iso(found.days[at]) for at in (0, -1)]
    return [line.name, len(found), min(found.values), max(found.values), *ends]


def _iso(day: int) -> str:
    return str(_EPOCH + timedelta(days=day))
