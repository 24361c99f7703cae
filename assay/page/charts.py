"""The charts of the page, as many as fit: data for the script, and the same in words and figures without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from assay.page.bars import (
    bar_data,
    bar_note,
    bar_table,
    bar_text,
    histogram_data,
    histogram_note,
    histogram_table,
    histogram_text,
    is_small,
)
from assay.page.chart_data import ChartData
from assay.page.heat import heat_map
from assay.page.lines import (
    Line,
    limit_within,
    line_data,
    line_note,
    line_table,
    line_text,
    lines_of,
    styles_of,
)
from assay.page.markup import count, escape, note
from assay.page.model import Bars, Heat, Histogram, Page, Panel

# Of more than these nobody scrolls to the last, whatever is in them.
MAX_PANELS = 200
# So many columns of a shaded table fit in half the width of the page.
_FEW_COLUMNS = 5
# What a line takes without a point or a name: a panel that can't fit need not be made.
_LEAST_BYTES = 100
# Stands where the chart will be, for the viewer that runs no script, or not this one.
_NOT_DRAWN = "Not drawn, because no script runs here. The table below says what it would show."


def charts(page: Page, budget: int) -> str:
    """Make every panel that fits into `budget` bytes; a sentence says what was reduced and what was left out."""
    panels = page.panels[:MAX_PANELS]
    left_out = [*(one.title for one in page.panels[MAX_PANELS:]), *page.without_panel]
    if not panels:
        return ""
    lines = {at: lines_of(panel) for at, panel in enumerate(panels) if isinstance(panel, Panel)}
    made = {at: _other(panel, f"panel-{at}") for at, panel in enumerate(panels) if not isinstance(panel, Panel)}
    limit = limit_within(list(lines.values()), budget - sum(len(markup.encode()) for markup in made.values()))
    styles = styles_of(list(lines.values()))
    shown: list[tuple[int, str]] = []
    too_large: list[str] = []
    for at, panel in enumerate(panels):
        if isinstance(panel, Panel):
            if len(panel.series) * _LEAST_BYTES > budget:
                too_large.append(panel.title)
                continue
            data = line_data(panel, lines[at], limit, styles)
            markup = _chart(panel, f"panel-{at}", data, *_line_words(panel, lines[at], limit))
        else:
            markup = made[at]
        # 300 for the link to it and, once for all, the sentence on what was left out.
        size = len(markup.encode()) + len(escape(panel.title).encode()) + 300
        if size > budget:
            too_large.append(panel.title)
        else:
            budget -= size
            shown.append((at, markup))
    links = "".join(f'<li><a href="#panel-{at}">{escape(panels[at].title)}</a></li>' for at, _ in shown)
    jump = f'<nav aria-label="Charts"><ul>{links}</ul></nav>' if len(shown) > 1 else ""
    missing = _missing([*too_large, *left_out], len(shown))
    return (
        f'<section aria-labelledby="charts"><h2 id="charts">Charts</h2>{jump}{missing}{_laid_out(panels, shown)}'
        "</section>"
    )


def embedded(data: ChartData) -> str:
    """Write JSON that is safe inside a script element: no `<`, `>` or `&` stands in it as such."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _other(panel: Bars | Histogram | Heat, name: str) -> str:
    if isinstance(panel, Heat):
        return heat_map(panel, name)
    if isinstance(panel, Bars):
        return _chart(panel, name, bar_data(panel), bar_text(panel), bar_note(panel), bar_table(panel))
    return _chart(
        panel, name, histogram_data(panel), histogram_text(panel), histogram_note(panel), histogram_table(panel)
    )


def _line_words(panel: Panel, lines: Sequence[Line], limit: int) -> tuple[str, str, str]:
    return line_text(panel, lines), line_note(lines, limit), line_table(panel, lines)


def _chart(panel: Panel | Bars | Histogram, name: str, data: ChartData, text: str, said: str, table: str) -> str:
    return (
        f'<article class="card panel" aria-labelledby="{name}"><div class="bar"><h3 id="{name}">{escape(panel.title)}'
        f'</h3></div>{note(panel.note)}{note(said)}<p class="vh" id="{name}-text">{escape(text)}</p>'
        f'<div class="chart"><p class="empty">{_NOT_DRAWN}</p></div>'
        f'<script type="application/json">{embedded(data)}</script>{table}</article>'
    )


def _laid_out(panels: Sequence[Panel | Bars | Histogram | Heat], shown: Sequence[tuple[int, str]]) -> str:
    """Put small charts that follow one another side by side."""
    parts = []
    for small, group in groupby(shown, key=lambda one: _is_small(panels[one[0]])):
        markup = "".join(markup for _, markup in group)
        parts.append(f'<div class="pair">{markup}</div>' if small else markup)
    return "".join(parts)


def _is_small(panel: Panel | Bars | Histogram | Heat) -> bool:
    """Whether half the width of the page is enough."""
    if isinstance(panel, Heat):
        return len(panel.columns) <= _FEW_COLUMNS
    return isinstance(panel, Bars | Histogram) and is_small(panel)


def _missing(titles: Sequence[str], shown: int) -> str:
    if not titles:
        return ""
    named = ", ".join(titles[:5]) + (", …" if len(titles) > 5 else "")
    of = f"{len(titles):,} of {count(shown + len(titles), 'chart')}"
    return note(f"{of} left out to keep this page small: {named}", "note left-out")
