"""Tables of the page: cut to what fits, numbers as numbers, and every digit of them kept for whoever copies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from math import isnan

from assay.page.markup import count, escape, note, number
from assay.page.model import Table

MAX_COLUMNS = 60
MAX_ROWS = 1000
# Characters from which a cell may wrap; a SHA-256 in hex does not.
_LONG = 64
_SHARE = re.compile(r"[<>]? ?[+-]?\d+(\.\d+)? ?%", re.ASCII)

Cell = str | int | float | Decimal | None


def tables(items: Sequence[Table], budget: int) -> str:
    """Make the tables, cut to `budget` bytes; where one is cut or left out, a sentence says so."""
    shown: list[str] = []
    left_out = 0
    for index, item in enumerate(items):
        markup = _table(item, f"table-{index}", budget)
        if markup is None:
            left_out += 1
        else:
            budget -= len(markup.encode())
            shown.append(markup)
    if left_out:
        shown.append(note(f"{count(left_out, 'table')} left out to keep this page small.", "note left-out"))
    if not shown:
        return ""
    return f'<section aria-labelledby="tables"><h2 id="tables">Tables</h2>{"".join(shown)}</section>'


def disclosure(title: str, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Fold a table away, the first cell of each row its heading; `caption` names it to a screen reader."""
    numeric = [_is_numeric([row[at] for row in rows]) for at in range(len(columns))]
    body = "".join(f"<tr>{_heading(row[0])}{''.join(map(_cell, row[1:], numeric[1:]))}</tr>" for row in rows)
    return (
        f'<details class="table"><summary>{escape(title)}</summary><div class="bar"></div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table>{_head(columns, numeric)}<tbody>{body}</tbody></table></div></details>"
    )


def _table(table: Table, name: str, budget: int) -> str | None:
    for row in table.rows:
        if len(row) != len(table.columns):
            raise ValueError(
                f"a row of the table {table.title!r} has {len(row)} cells for {len(table.columns)} columns"
            )
    columns = table.columns[:MAX_COLUMNS]
    numeric = [_is_numeric([row[at] for row in table.rows]) for at in range(len(columns))]
    start = (
        f'<article class="card table" aria-labelledby="{name}"><div class="bar"><h3 id="{name}">{escape(table.title)}'
        f"</h3></div>{note(table.note)}"
    )
    grid = f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{name}"><table>{_head(columns, numeric)}'
    # What the closing tags and the sentence on what was cut may take.
    size = len((start + grid).encode()) + 400
    if size > budget:
        return None
    rows: list[str] = []
    for row in table.rows[:MAX_ROWS]:
        line = f"<tr>{''.join(map(_cell, row[:MAX_COLUMNS], numeric))}</tr>"
        size += len(line.encode())
        if size > budget:
            break
        rows.append(line)
    cut = []
    if len(rows) < len(table.rows):
        cut.append(f"the first {len(rows):,} of {count(len(table.rows), 'row')}")
    if len(columns) < len(table.columns):
        cut.append(f"the first {len(columns):,} of {count(len(table.columns), 'column')}")
    said = note(f"Cut to keep this page small: {' and '.join(cut)} are shown.", "note cut") if cut else ""
    return f"{start}{said}{grid}<tbody>{''.join(rows)}</tbody></table></div></article>"


def _head(columns: Sequence[str], numeric: Sequence[bool]) -> str:
    heads = "".join(
        f'<th scope="col"{" class=num" if is_number else ""}>{escape(column)}</th>'
        for column, is_number in zip(columns, numeric, strict=True)
    )
    return f"<thead><tr>{heads}</tr></thead>"


def _is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether all that are filled are numbers or shares such as `12.5%` and `< 0.1%`."""
    filled = [cell for cell in cells if cell is not None and cell != ""]
    return bool(filled) and all(not isinstance(cell, str) or _SHARE.fullmatch(cell) for cell in filled)


def _cell(value: Cell, is_number: bool) -> str:
    """One cell; where a number is shown in fewer digits than it has, `data-value` holds all of them."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return "<td></td>"
    if isinstance(value, str):
        kind = " class=num" if is_number else " class=long" if len(value) > _LONG else ""
        return f"<td{kind}>{escape(value)}</td>"
    if isinstance(value, Decimal):
        return f'<td class=num data-value="{value:f}">{value:,f}</td>'
    return f"<td class=num{exactly(value)}>{number(value)}</td>"


def _heading(value: Cell) -> str:
    if isinstance(value, str) or value is None:
        return f'<th scope="row">{escape(value or "")}</th>'
    if isinstance(value, Decimal):
        return f'<th scope="row" class=num data-value="{value:f}">{value:,f}</th>'
    return f'<th scope="row" class=num{exactly(value)}>{number(value)}</th>'


def exactly(value: float, shown: str | None = None) -> str:
    """Give a cell all the digits of its number, where `shown` (or what is usually shown) has fewer."""
    plain = value if isinstance(value, int) else float(value)
    return "" if float(shown or number(plain)) == plain else f" data-value={plain!r}"
