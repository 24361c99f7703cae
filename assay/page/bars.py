"""Bars and histograms: what the script draws, a sentence that says it, and all of it as a table."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

from assay.page.chart_data import BarData, HistogramData
from assay.page.markup import clean, count, number
from assay.page.model import Bars, Histogram
from assay.page.tables import MAX_ROWS, Cell, disclosure

# Upright bars have only some of their labels below them and may be narrow; those that lie have one each.
MAX_UPRIGHT = 400
MAX_LYING = 40
_SMALL = 12
_SHORT = 10
_TITLE = "The bars as a table"


def bar_data(bars: Bars) -> BarData:
    """What the script draws; raises ValueError where labels and values differ in number."""
    if len(bars.labels) != len(bars.values):
        raise ValueError(f"the bars {bars.title!r} have {len(bars.values)} values for {len(bars.labels)} labels")
    shown = _most(bars)
    return {
        "kind": "bars",
        "title": clean(bars.title),
        "unit": clean(bars.unit),
        "upright": _upright(bars),
        "labels": [clean(label) for label in bars.labels[:shown]],
        "values": [_finite(value) for value in bars.values[:shown]],
    }


def bar_text(bars: Bars) -> str:
    """Say in one sentence what there is to see."""
    there = [
        (value, label) for label, value in zip(bars.labels, bars.values, strict=True) if _finite(value) is not None
    ]
    if not there:
        return "Bar chart without values."
    (low, lowest), (high, highest) = (
        choose(there, key=lambda one: one[0] or 0)
        for choose in (min, max)
    )  # fmt: skip
    unit = f" {bars.unit}" if bars.unit else ""
    return (
        f"Bar chart of {count(len(there), 'value')}. Highest: {clean(highest)}, {number(high or 0)}{unit}. "
        f"Lowest: {clean(lowest)}, {number(low or 0)}{unit}. All stand in the table below it."
    )


def bar_note(bars: Bars) -> str:
    """Say what was left out."""
    shown = _most(bars)
    return f"The first {shown} of {len(bars.labels):,} bars." if len(bars.labels) > shown else ""


def bar_table(bars: Bars) -> str:
    """All that is drawn, in figures."""
    rows = list(zip(bars.labels, bars.values, strict=True))[: _most(bars)]
    return disclosure(_TITLE, f"{_TITLE}: {bars.title}", ["Label", bars.unit or "Value"], rows)


def histogram_data(histogram: Histogram) -> HistogramData:
    """What the script draws; raises ValueError for edges that do not ascend or are not one more than the counts."""
    edges, counts = histogram.edges, histogram.counts
    if len(edges) != (len(counts) + 1 if counts else 0):
        raise ValueError(f"the histogram {histogram.title!r} has {len(edges)} edges for {len(counts)} counts")
    if not all(map(isfinite, edges)) or any(later <= earlier for earlier, later in pairwise(edges)):
        raise ValueError(f"the edges of the histogram {histogram.title!r} do not ascend")
    return {
        "kind": "histogram",
        "title": clean(histogram.title),
        "unit": clean(histogram.unit),
        "edges": [float(edge) for edge in edges[: MAX_ROWS + 1]],
        "counts": list(counts[:MAX_ROWS]),
    }


def histogram_text(histogram: Histogram) -> str:
    """Say in one sentence what there is to see."""
    edges, counts = histogram.edges, histogram.counts
    if not counts:
        return "Histogram without values."
    unit = f" {histogram.unit}" if histogram.unit else ""
    at = counts.index(max(counts))
    return (
        f"Histogram of {count(sum(counts), 'value')} from {number(edges[0])} to {number(edges[-1])}{unit}. "
        f"Most of them, {counts[at]:,}, lie from {number(edges[at])} to {number(edges[at + 1])}. "
        "All stand in the table below it."
    )


def histogram_note(histogram: Histogram) -> str:
    """Say what was left out."""
    size = len(histogram.counts)
    return f"The first {MAX_ROWS:,} of {size:,} classes." if size > MAX_ROWS else ""


def histogram_table(histogram: Histogram) -> str:
    """All that is drawn, in figures."""
    unit = f" ({histogram.unit})" if histogram.unit else ""
    shown = list(zip(pairwise(histogram.edges), histogram.counts, strict=True))[:MAX_ROWS]
    rows: list[list[Cell]] = [[start, end, size] for (start, end), size in shown]
    return disclosure(_TITLE, f"{_TITLE}: {histogram.title}", [f"From{unit}", f"To{unit}", "Count"], rows)


def is_small(chart: Bars | Histogram) -> bool:
    """Whether the bars can be told apart in half the width of the page."""
    return isinstance(chart, Histogram) or _upright(chart) or len(chart.labels) <= _SMALL


def _upright(bars: Bars) -> bool:
    return all(label[:1].isdigit() and len(label) <= _SHORT for label in bars.labels)


def _most(bars: Bars) -> int:
    return MAX_UPRIGHT if _upright(bars) else MAX_LYING


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
