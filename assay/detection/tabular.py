"""Is this a table at all? What the strategies see where any columns will do."""

from __future__ import annotations

import re

from assay.detection.evidence import TYPE_SHARE, Evidence, count_of, evidence, filled
from assay.detection.names import fold_all
from assay.formats import Preview

# Names are short; a line of a poem that a comma parts is not.
_LONG_NAME = 60
_MOST_WORDS = 8
_FEW_ROWS = 3
# A table of one row, or of two, is one, but says less.
_OF_FEW = {1: 0.8, 2: 0.9}
# So many rows need to be as wide as the header; others have blanks at their end.
_ENOUGH_FIT = 0.8
_FEW_CELLS = 2
_COLUMNS_LOOKED_AT = 200
# What readers call the columns of a file that has no header.
_NO_NAME = re.compile(r"column_[0-9]+")
# What ends sentences and their parts; a few abbreviations end so too.
_ENDS = (".", ",", ";", ":", "!", "?")
_FEW_ENDS = 0.03


def tabular(head: Preview) -> tuple[Evidence, Evidence]:
    """What speaks for a table: columns that each hold one kind of value, and rows of one shape under names.

    Neither can be told of a file with a single column, where both scores are 0.
    """
    return _kinds(head), _shape(head)


def _kinds(head: Preview) -> Evidence:
    """How many columns hold numbers or dates alone, values that recur, or keys of one length."""
    looked_at = [cells for at in range(min(len(head.columns), _COLUMNS_LOOKED_AT)) if (cells := filled(head, at))]
    if len(head.columns) < 2 or not looked_at:
        return evidence("data_types", 0.0, "no two columns to look at")
    sorted_out = sum(_is_of_a_kind(cells) for cells in looked_at)
    worded = sum(_is_of_words(cells) for cells in looked_at)
    if not sorted_out and _is_prose(head.columns, looked_at):
        return evidence("data_types", 0.0, f"{len(looked_at)} columns of nothing but words, such as a text has")
    words = (
        f"{sorted_out} of {len(looked_at)} columns hold numbers, dates or values that recur, {worded} words or codes"
    )
    # One such column is as much as many tables of words have.
    return evidence("data_types", min(1.0, 2 * max(sorted_out, worded / 2) / len(looked_at)), words)


def _is_of_a_kind(cells: list[str]) -> bool:
    enough = TYPE_SHARE * len(cells)
    if count_of("number", cells) >= enough or count_of("date", cells) >= enough:
        return True
    return len(cells) >= _FEW_ROWS and len(set(cells)) <= len(cells) / 2


def _is_of_words(cells: list[str]) -> bool:
    return sum(len(cell.split()) <= 2 and len(cell) <= 40 for cell in cells) >= TYPE_SHARE * len(cells)


def _is_prose(names: tuple[str, ...], columns: list[list[str]]) -> bool:
    """Any text can be parted at its blanks: without names, or where sentences end in cells, words make no table."""
    if all(_NO_NAME.fullmatch(name) for name in names):
        return True
    cells = [*names, *(cell for cells in columns for cell in cells)]
    return sum(cell.endswith(_ENDS) for cell in cells) > _FEW_ENDS * len(cells)


def _shape(head: Preview) -> Evidence:
    names = [name for name in head.columns if name]
    rows = [row for row in head.rows if any(row)]
    if len(head.columns) < 2 or not rows:
        return evidence("heuristics", 0.0, f"{len(head.columns)} columns and {len(rows)} rows")
    width = len(head.columns)
    # A row that is cut short has few cells; one that is too long has more. Where its blanks stand does not matter.
    fit = sum(len(row) <= width and _filled(row) > min(width / 2, _FEW_CELLS) for row in rows) / len(rows)
    good = sum(len(name) <= _LONG_NAME and len(name.split()) <= _MOST_WORDS for name in names) / width
    distinct = len({fold_all(name) or name for name in names}) / max(1, len(names))
    words = (
        f"{width} columns, {len(names)} of them with a name; {len(rows)} rows, {fit:.0%} of them as wide as the header"
    )
    shape = min(1.0, fit / _ENOUGH_FIT) * good * distinct * _OF_FEW.get(len(rows), 1.0)
    return evidence("heuristics", shape, words)


def _filled(row: list[str | None]) -> int:
    return sum(cell is not None and cell != "" for cell in row)
