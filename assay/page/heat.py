"""A table of shaded cells. The shade repeats what the number says; it never says anything alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from assay.page.markup import count, escape, note
from assay.page.model import Heat
from assay.page.tables import exactly

MAX_ROWS = 100
MAX_COLUMNS = 60
_SHADES = 8
_THREE_DIGITS, _PLAIN = 100, 1e15


def heat_map(heat: Heat, name: str) -> str:
    """Make the table as an article called `name`; raises ValueError where values do not fit rows and columns."""
    if len(heat.values) != len(heat.rows) or any(len(row) != len(heat.columns) for row in heat.values):
        raise ValueError(f"the values of {heat.title!r} are not {len(heat.rows)} rows of {len(heat.columns)}")
    rows, columns = heat.rows[:MAX_ROWS], heat.columns[:MAX_COLUMNS]
    values = [row[:MAX_COLUMNS] for row in heat.values[:MAX_ROWS]]
    shaded = [row[heat.unshaded :] for row in values]
    numbers = [value for row in shaded for value in row if value is not None and isfinite(value)]
    most = max(map(abs, numbers), default=0)
    heads = "".join(f'<th scope="col" class=num>{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row)}</th>'
        f"{''.join(_cell(value, most if at >= heat.unshaded else 0) for at, value in enumerate(line))}</tr>"
        for row, line in zip(rows, values, strict=True)
    )
    return (
        f'<article class="card table heat" aria-labelledby="{name}"><div class="bar"><h3 id="{name}">'
        f"{escape(heat.title)}</h3></div>{note(heat.note)}{note(_cut(heat), 'note cut')}{_key(heat, numbers, most)}"
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{name}"><table><thead><tr>'
        f"<td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div></article>"
    )


def _cell(value: float | None, most: float) -> str:
    if value is None or not isfinite(value):
        return "<td></td>"
    shade = round(_SHADES * (abs(value) / most)) if most else 0
    side = f" {'below' if value < 0 else 'above'}-{shade}" if shade else ""
    shown = _short(value)
    return f'<td class="num{side}"{exactly(value, shown)}>{shown}</td>'


def _short(value: float) -> str:
    """Show three digits, and all that stands before the point in full."""
    if isinstance(value, int) or _THREE_DIGITS <= abs(value) < _PLAIN:
        return f"{value:.0f}"
    return f"{value + 0.0:.3g}"


def _key(heat: Heat, numbers: Sequence[float], most: float) -> str:
    """Say what the shades mean."""
    if not most:
        return ""
    below = [f"below-{shade}" for shade in range(_SHADES, 0, -1)] if min(numbers) < 0 else []
    above = [f"above-{shade}" for shade in range(1, _SHADES + 1)] if max(numbers) > 0 else []
    start = f"{_short(-most)}" if below else "0"
    end = f"{_short(most)}" if above else "0"
    cells = "".join(f'<i class="{shade}"></i>' for shade in [*below, *above])
    unit = f" {escape(heat.unit)}" if heat.unit else ""
    return f'<p class="key"><span>{start}</span><span aria-hidden="true">{cells}</span><span>{end}{unit}</span></p>'


def _cut(heat: Heat) -> str:
    cut = []
    if len(heat.rows) > MAX_ROWS:
        cut.append(f"the first {MAX_ROWS} of {count(len(heat.rows), 'row')}")
    if len(heat.columns) > MAX_COLUMNS:
        cut.append(f"the first {MAX_COLUMNS} of {count(len(heat.columns), 'column')}")
    return f"Cut to keep this page small: {' and '.join(cut)} are shown." if cut else ""
