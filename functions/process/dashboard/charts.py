"""The charts of the page: for each panel its data for the script, and its series in figures for reading without."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from functions.process.dashboard.markup import clean, count, escape, note, number
from functions.process.dashboard.page import Page, Panel
from functions.process.dashboard.reduce import Points, drawable, points, trace

# Points a line: the most that a wide screen can tell apart, then less for a page of many lines.
LIMITS = (2000, 1000, 500, 250, 100)
# Of more than these nobody scrolls to the last, whatever is in them.
MAX_PANELS = 200
SHOWN_AT_FIRST = 6
_COLOURS = 8
_POINT_BYTES = 10.7  # int32 and float32 in base64
_SERIES_BYTES = 500
# What a line takes without a point or a name: a panel that can't fit need not be made.
_LEAST_BYTES = 100
_EPOCH = date(1970, 1, 1)
# Stands where the chart will be, for the viewer that runs no script, or not this one.
_NOT_DRAWN = "Not drawn, because no script runs here. The series in figures below say what it would show."


@dataclass(frozen=True)
class _Line:
    name: str
    all: Points
    drawn: Points


def charts(page: Page, budget: int) -> str:
    """Make every panel that fits into `budget` bytes; a sentence says what was reduced and what was left out."""
    panels, left_out = page.panels[:MAX_PANELS], [*(one.title for one in page.panels[MAX_PANELS:]), *page.without_panel]
    if not panels:
        return ""
    lines = [[_line(one.name, panel, one.values) for one in panel.series] for panel in panels]
    sizes = [len(line.drawn) for panel_lines in lines for line in panel_lines]
    limit = next((limit for limit in LIMITS if _estimate(sizes, limit) <= budget), LIMITS[-1])
    styles = _styles(lines)
    shown: list[tuple[int, str]] = []
    too_large: list[str] = []
    for index, panel in enumerate(panels):
        if len(panel.series) * _LEAST_BYTES > budget:
            too_large.append(panel.title)
            continue
        markup = _panel(panel, index, lines[index], limit, styles)
        # 300 for the link to it and, once for all, the sentence on what was left out.
        size = len(markup.encode()) + len(escape(panel.title).encode()) + 300
        if size > budget:
            too_large.append(panel.title)
        else:
            budget -= size
            shown.append((index, markup))
    links = "".join(f'<li><a href="#panel-{index}">{escape(panels[index].title)}</a></li>' for index, _ in shown)
    jump = f'<nav aria-label="Charts"><ul>{links}</ul></nav>' if len(shown) > 1 else ""
    left_out = [*too_large, *left_out]
    missing = ""
    if left_out:
        named = ", ".join(left_out[:5]) + (", …" if len(left_out) > 5 else "")
        of = f"{len(left_out):,} of {count(len(shown) + len(left_out), 'chart')}"
        missing = note(f"{of} left out to keep this page small: {named}", "note left-out")
    body = "".join(markup for _, markup in shown)
    return f'<section aria-labelledby="charts"><h2 id="charts">Charts</h2>{jump}{missing}{body}</section>'


def embedded(data: object) -> str:
    """Write JSON that is safe inside a script element: no `<`, `>` or `&` stands in it as such."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _line(name: str, panel: Panel, values: Sequence[float | None]) -> _Line:
    everything = points(panel.dates, values)
    return _Line(name, everything, drawable(everything))


def _estimate(sizes: Sequence[int], limit: int) -> float:
    return sum(min(size, limit) * _POINT_BYTES + _SERIES_BYTES for size in sizes)


def _styles(lines: Sequence[Sequence[_Line]]) -> dict[str, tuple[int, int]]:
    """Give each name a colour and a dash, the same in every panel; the names with the most values choose first."""
    sizes: dict[str, int] = {}
    for line in (line for panel_lines in lines for line in panel_lines):
        sizes[line.name] = sizes.get(line.name, 0) + len(line.all)
    ranked = sorted(sizes, key=lambda name: -sizes[name])
    return {name: (rank % _COLOURS, rank // _COLOURS) for rank, name in enumerate(ranked)}


def _panel(panel: Panel, index: int, lines: Sequence[_Line], limit: int, styles: dict[str, tuple[int, int]]) -> str:
    complete = sorted(range(len(lines)), key=lambda at: -len(lines[at].drawn))
    at_first = set(complete[:SHOWN_AT_FIRST])
    data = {
        "title": clean(panel.title),
        "series": [
            {
                "name": clean(line.name),
                "colour": styles[line.name][0],
                "dash": styles[line.name][1],
                "on": at in at_first,
                **trace(line.drawn, limit).encoded(),
            }
            for at, line in enumerate(lines)
        ],
    }
    name = f"panel-{index}"
    return (
        f'<article class="card panel" aria-labelledby="{name}"><div class="bar"><h3 id="{name}">{escape(panel.title)}'
        f"</h3></div>{note(panel.note)}{_said(lines, limit)}"
        f'<div class="chart"><p class="empty">{_NOT_DRAWN}</p></div>'
        f'<script type="application/json">{embedded(data)}</script>{_summary(lines)}</article>'
    )


def _said(lines: Sequence[_Line], limit: int) -> str:
    """Say what a reader should know of the drawing."""
    said = []
    if len(lines) > SHOWN_AT_FIRST:
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
    return note(" ".join(said))


def _summary(lines: Sequence[_Line]) -> str:
    """Put the series in figures, from all their values, for those who cannot see the chart or draw it."""
    rows = "".join(_summary_row(line) for line in lines)
    heads = "".join(f'<th scope="col" class=num>{head}</th>' for head in ("Values", "Lowest", "Highest"))
    return (
        '<details><summary>The series in figures</summary><div class="scroll" tabindex="0" role="region" '
        f'aria-label="The series in figures"><table><thead><tr><th scope="col">Series</th>{heads}'
        '<th scope="col">First date</th><th scope="col">Last date</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _summary_row(line: _Line) -> str:
    head = f'<tr><th scope="row">{escape(line.name)}</th><td class=num>{len(line.all)}</td>'
    if not line.all.days:
        return f"{head}<td></td><td></td><td></td><td></td></tr>"
    low, high = number(min(line.all.values)), number(max(line.all.values))
    first, last = (str(_EPOCH + timedelta(days=line.all.days[at])) for at in (0, -1))
    return f"{head}<td class=num>{low}</td><td class=num>{high}</td><td>{first}</td><td>{last}</td></tr>"
