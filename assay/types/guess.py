"""What a column looks like at its beginning: what is tried first."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from assay.formats.date_forms import is_date
from assay.formats.number_forms import is_number
from assay.types.kinds import MARKERS, SENTINELS, TRUE_FALSE, Kind, written_sentinels

_SENTINELS = frozenset(written_sentinels(SENTINELS))
_WHOLE = re.compile(r"[+-]?[0-9]+")
_TIME = re.compile(r"(?i)[0-9]{1,2}:[0-9]{2}(?::.*)?\s*(?:[AP]\.?M\.?)?")


def _kind_of(cell: str) -> Kind:
    if _WHOLE.fullmatch(cell):
        return Kind.INTEGER
    if is_number(cell):
        return Kind.NUMBER
    if is_date(cell):
        return Kind.DATETIME if ":" in cell else Kind.DATE
    return Kind.TIME if _TIME.fullmatch(cell) else Kind.TEXT


def guess(cells: pl.Series) -> tuple[Kind, tuple[str, str] | None]:
    """What most of the first cells look like: it decides what is tried first, and never the outcome."""
    filled = [cell for cell in cells.drop_nulls().str.strip_chars().to_list() if cell and cell.lower() not in MARKERS]
    filled = [cell for cell in filled if cell not in _SENTINELS] or filled
    if not filled:
        return Kind.EMPTY, None
    words = {cell.lower() for cell in filled}
    for pair in TRUE_FALSE:
        if words <= {*pair}:
            return Kind.BOOLEAN, pair
    counts = Counter(map(_kind_of, filled))
    if counts[Kind.NUMBER]:
        counts[Kind.NUMBER] += counts.pop(Kind.INTEGER, 0)
    best, most = counts.most_common(1)[0]
    return (best if 2 * most > len(filled) else Kind.TEXT), None
