"""How well a pair of delimiter and quote parts a text into the rows of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from assay.errors import Unprocessable
from assay.formats.cells import Looks, looks
from assay.formats.header_rank import HEADER_LINES, Scorer, header_rank
from assay.formats.text.dialect import Dialect
from assay.formats.text.records import Record, records

SAMPLE_LINES = 400
"""So many lines of a text are looked at."""

USUAL = ",;\t|"
"""The delimiters that most files have."""

DECIMAL = re.compile(r"(?<=[0-9])[.,](?=[0-9])")
"""What may be a decimal mark."""

_NOT_PROSE = r"[\^~§¦\x1f\x1e\x01]|(?<=[^\s\d]):(?=[^\s/\d\\])"
_NOTE = 0.15
# How much is left of the weight of a mark that is rather a part of the cells of one column.
_ONE_COLUMN = 0.3
# A row of so many words or more, of which so many are no numbers and dates, is a sentence.
_SENTENCE, _WORDS = 5, 0.8
# Cells of a text that are looked at for what they hold.
_CELLS = 3000
_CELLS_OF_A_ROW = 100


@dataclass(frozen=True)
class Weighed:
    """What speaks for a dialect: its `weight` of 0 to about 1, how much its header is `wanted`, its rows' `width`."""

    weight: float
    wanted: float
    dialect: Dialect
    width: int = 1


def weigh(lines: Sequence[str], dialect: Dialect, trust: float, score: Scorer) -> Weighed:
    """Weigh what a dialect makes of the lines, by `trust` in its delimiter: rows of one width, cells like cells."""
    found = parted(lines, dialect)
    if not found:
        return Weighed(0, 0, dialect)
    wanted = max(header_rank(one.cells, score)[0] for one in found[:HEADER_LINES])
    wanted = wanted if any(score(one.cells) > 0 for one in found[:HEADER_LINES]) else 0
    widths = Counter(len(one.cells) for one in found)
    width, most = max(widths.items(), key=lambda item: (item[0] > 1, item[1] * min(item[0], 3) ** 0.5, item[0]))
    if width < 2:
        return Weighed(0, wanted, dialect)
    # Lines of one cell above and below the rows are notes, and count less against it than rows of another width.
    places = [at for at, record in enumerate(found) if len(record.cells) == width]
    notes = len(found) - (places[-1] + 1 - places[0])
    notes = sum(len(record.cells) == 1 for record in (*found[: places[0]], *found[places[-1] + 1 :])) if notes else 0
    even = most / (len(found) - (1 - _NOTE) * notes)
    near = sum(count for one, count in widths.items() if abs(one - width) == 1 and one > 1) / len(found)
    rows = [one for one in found if len(one.cells) == width]
    broken = sum(one.broken for one in found) / len(found)
    kept = _plausible(rows, dialect)
    weight = trust * (even + 0.2 * near) * kept * (width / (width + 0.4)) * (1 - 0.5 * broken)
    at = places[0]
    if at and len(found[at - 1].cells) == 1 and len(found) > 2 and not _is_apart(lines, found[at - 1], found[at]):
        # A header without delimiters, or a note with no blank line below it, which is rarer.
        weight *= 0.8 if dialect.delimiter in USUAL else _ONE_COLUMN
    if most == 1 and len(found) > 1 and notes:
        # A line alone that it parts is a cell with such a mark in it.
        weight *= _ONE_COLUMN
    if dialect.delimiter == " " and width >= _SENTENCE and _are_words(rows):
        weight *= _ONE_COLUMN
    if dialect.trims:
        weight *= 0.9
    if dialect.quote == "'" and any('"' in line for line in lines):
        # In doubt it is an apostrophe.
        weight *= 0.95
    if dialect.escape:
        # Only where it mends what would be broken without.
        weight *= 0.995
    return Weighed(weight, wanted, dialect, width)


def _are_words(rows: Sequence[Record]) -> bool:
    """Whether most cells are texts, as those of sentences are that blanks part."""
    found = [looks(cell) for row in rows[:_CELLS_OF_A_ROW] for cell in row.cells[:_CELLS_OF_A_ROW]]
    return found.count(Looks.TEXT) >= _WORDS * len(found)


def _is_apart(lines: Sequence[str], one: Record, other: Record) -> bool:
    """Whether a blank line stands between two records."""
    texts = [id(line) for line in lines]
    return texts.index(id(other.lines[0])) > texts.index(id(one.lines[-1])) + 1


def parted(lines: Sequence[str], dialect: Dialect) -> list[Record]:
    """The records of a sample but the blank ones; none where they can't be told apart."""
    try:
        return [one for one in islice(records(lines, dialect, 0), SAMPLE_LINES) if not one.is_blank]
    except Unprocessable:
        return []


def _plausible(rows: Sequence[Record], dialect: Dialect) -> float:
    """How much the cells are like cells, in [0, 1]: numbers and dates most, texts with delimiters in them least."""
    total = count = 0.0
    # What parts cells elsewhere, and no words: with no blank behind it.
    usual = "".join(one for one in USUAL if one != dialect.delimiter)
    others = re.compile(rf"[{re.escape(usual)}](?=[^\s{re.escape(usual)}])|{_NOT_PROSE}")
    for row in rows:
        for cell in row.cells[:_CELLS_OF_A_ROW]:
            count += 1
            total += _cell_weight(cell, dialect.quote, others)
        if count > _CELLS:
            break
    return total / count if count else 0


def _cell_weight(cell: str, quote: str, others: re.Pattern[str]) -> float:
    kind = looks(cell)
    if kind is Looks.BLANK:
        return 0.85
    if kind is not Looks.TEXT:
        return 1.0
    text = cell.strip()
    edge = text[0] + text[-1]
    if ('"' in edge and text.count('"') < 3 and quote != '"') or (
        quote and quote in edge and len(text) > 1 and edge[0] != edge[1]
    ):
        return 0.35
    if text[0] == "'" and quote != "'" and len(text) > 1:
        return 0.5
    if quote and text.count(quote) % 2:
        return 0.6
    return 0.35 if others.search(DECIMAL.sub("", text)) else 0.92
