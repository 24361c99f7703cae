"""What a column looks like at its beginning: what is tried first."""

from __future__ import annotations

import re

import polars as pl

from assay.types.dates import MONTH
from assay.types.kinds import MARKERS, SENTINELS, TRUE_FALSE, Kind, written_sentinels
from assay.types.numbers import CURRENCY

# Python's expressions know no class of currency signs.
_UNIT = "(?:%|" + CURRENCY.replace(r"\p{Sc}", "[$\u00a2-\u00a5\u20a0-\u20c0]").removeprefix("(?:")
_SENTINELS = frozenset(written_sentinels(SENTINELS))
_GUESSES = {
    Kind.INTEGER: re.compile(r"[+-]?[0-9]+"),
    Kind.NUMBER: re.compile(
        rf"[(+-]?\s*{_UNIT}?\s*[+-]?(?:[0-9][0-9.,' ]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?\s*{_UNIT}?\s*-?\)?"
    ),
    Kind.DATETIME: re.compile(r"(?i)[0-9]{1,4}[-/. ][0-9a-z]{1,9}[-/. ,]+[0-9]{1,4}[T ].*[0-9]+:.*"),
    Kind.DATE: re.compile(rf"(?i)[0-9]{{1,4}}[-/. ][0-9a-z]{{1,9}}[-/. ,]+[0-9]{{1,4}}|{MONTH}.*[0-9]"),
    Kind.TIME: re.compile(r"(?i)[0-9]{1,2}:[0-9]{2}(?::.*)?\s*(?:[AP]\.?M\.?)?"),
}


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
    likely = {kind: sum(form.fullmatch(cell) is not None for cell in filled) for kind, form in _GUESSES.items()}
    best = max(likely, key=lambda kind: likely[kind])
    return (best if 2 * likely[best] > len(filled) else Kind.TEXT), None
