"""Numbers, years, dates and times that label columns: values that are no cells of a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from assay.formats.cells import Column, Looks, looks, shape

_FEW_VALUES = 3
# So many numbers that go up are labels, also by unequal steps.
_MANY_LABELS = 5
YEAR = re.compile("(?:1[5-9]|2[01])[0-9]{2}")
"""A number that may be a year, 1500 to 2199."""

_LABEL = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,3})?")


def labels_in(cells: Sequence[str]) -> frozenset[int]:
    """Where a row of trimmed cells has numbers, years, dates or times that label columns, behind a corner of text.

    They are all of the row's values, and differ: years, dates or times, or numbers that go up by equal steps.
    """
    looked = [looks(cell) for cell in cells]
    places = [at for at, kind in enumerate(looked) if kind in (Looks.NUMBER, Looks.DATE, Looks.TIME)]
    if not places or places[0] == 0 or len({looked[at] for at in places}) > 1 or Looks.LINK in looked:
        return frozenset()
    values = [cells[at] for at in places]
    if looked[places[0]] is not Looks.NUMBER:
        return frozenset(places) if len({*values}) == len(values) else frozenset()
    return frozenset(places) if _are_years(values) or _goes_up(values) else frozenset()


def are_labels(
    cells: Sequence[str], labels: frozenset[int], body: Sequence[Sequence[str]], columns: Sequence[Column]
) -> bool:
    """Whether values above a body are labels: the rows below have others, and do not go up by equal steps as well."""
    places = sorted(at for at in labels if at < len(columns))
    values = [cells[at] for at in places]
    if not places or looks(values[0]) is not Looks.NUMBER:
        return bool(places) and not any(columns[at].kind is looks(cells[at]) for at in places)
    rows = [[row[at].strip() for at in places if at < len(row) and row[at].strip()] for row in body]
    rows = [row for row in rows if row]
    if _are_years(values):
        alike = sum(2 * sum(YEAR.fullmatch(cell) is not None for cell in row) > len(row) for row in rows)
        return 5 * alike <= len(rows) and (len(values) > 1 or len(rows) > 1)
    corner = [column for cell, column in zip(cells, columns, strict=False) if cell and looks(cell) is Looks.TEXT]
    if len(values) < _MANY_LABELS and not any(
        column.kind is not Looks.TEXT or column.shapes != {shape(cell)}
        for cell, column in zip([cell for cell in cells if cell and looks(cell) is Looks.TEXT], corner, strict=False)
    ):
        return not corner and not cells[0]
    return 5 * sum(_goes_up(row) for row in rows) <= len(rows)


def _are_years(values: Sequence[str]) -> bool:
    """Whether numbers are years that follow one another, once or under each of several groups."""
    if not all(YEAR.fullmatch(value) for value in values):
        return False
    once = list(dict.fromkeys(values))
    times, rest = divmod(len(values), len(once))
    grouped = values == once * times or values == [year for year in once for _ in range(times)]
    return not rest and grouped and once in (sorted(once), sorted(once, reverse=True))


def _goes_up(values: Sequence[str]) -> bool:
    """Whether numbers go up by equal steps, or are many and go up."""
    if len(values) < _FEW_VALUES or not all(_LABEL.fullmatch(value) for value in values):
        return False
    steps = {Decimal(after) - Decimal(before) for before, after in pairwise(values)}
    return min(steps) > 0 and (len(steps) == 1 or len(values) >= _MANY_LABELS)
