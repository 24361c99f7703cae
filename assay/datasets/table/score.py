"""One figure for the quality of a table, and the four parts that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.datasets.table.column import Profile

WEIGHTS = {"completeness": 0.3, "uniqueness": 0.2, "validity": 0.3, "consistency": 0.2}


@dataclass(frozen=True)
class Score:
    """Each part from 0 to 1, None where there is nothing to judge; `score` is their weighted mean, from 0 to 100.

    completeness: cells that are not blank / cells
    uniqueness: rows that repeat no earlier one / rows
    validity: filled cells that are of their column's type, and finite / filled cells
    consistency: cells that are neither padded with blanks nor a rarer spelling of another text / cells with a value
    """

    score: float | None
    completeness: float | None
    uniqueness: float | None
    validity: float | None
    consistency: float | None


def score(columns: Sequence[Profile], rows: int, repeated: int | None) -> Score:
    """Judge columns; `repeated` rows repeat an earlier one (None: rows are not judged, as for a single column)."""
    cells = sum(column.rows for column in columns)
    blank = sum(column.blank for column in columns)
    refused = sum(column.type.refused for column in columns)
    infinite = sum(column.spread.infinite for column in columns if column.spread)
    # A cell that is padded may also be a rarer spelling: it counts once for each column at the least.
    odd = sum(max(column.texts.padded, column.texts.respelled or 0) for column in columns if column.texts)
    parts = {
        "completeness": _part(blank, cells),
        "uniqueness": None if repeated is None else _part(repeated, rows),
        "validity": _part(refused + infinite, cells - blank),
        "consistency": _part(odd, cells - blank - refused),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    weight = sum(WEIGHTS[name] for name in known)
    total = sum(WEIGHTS[name] * part for name, part in known.items()) / weight if known else None
    return Score(None if total is None else round(100 * total, 2), **parts)


def _part(bad: int, of: int) -> float | None:
    return None if not of else round(1 - bad / of, 6)
