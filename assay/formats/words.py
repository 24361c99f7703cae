"""Whether a row of words names columns of texts, where no number or date below tells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.formats.cells import Looks, looks

# More words are rather a sentence.
_MOST_WORDS = 3
# What columns of texts are called most often, by itself or behind another word.
_COMMON = re.compile(
    r"(?:.*[ _-])?(?:id|no|nr|key|code|name|type|kind|title|label|category|class|group|status|state|date|city|town|"
    r"country|region|area|address|street|e-?mail|phone|product|item|article|brand|model|colou?r|size|material|unit|"
    r"description|details?|notes?|comments?|remarks?|department|team|role|position|job|owner|manager|author|customer|"
    r"client|supplier|vendor|company|currency|language|gender|sex|source|species|genre|subject|value|amount|price|"
    r"ort|stadt|land|farbe|typ|art|bezeichnung|nom|ville|pays|couleur|nombre|ciudad|pa[ií]s|nome)s?"
)


def are_names(cells: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether cells can be names: texts of a few words that differ, and of which none recurs in its column below."""
    names = [cell.strip() for cell in cells]
    if len({name.casefold() for name in names}) < len(names) or not all(looks(name) is Looks.TEXT for name in names):
        return False
    if any(len(name.split()) > _MOST_WORDS for name in names):
        return False
    recurs = any(cell.strip() == name for row in body for cell, name in zip(row, names, strict=False))
    return bool(body) and not recurs


def names_texts(cells: Sequence[str], body: Sequence[Sequence[str]], above: Sequence[Sequence[str]] = ()) -> bool:
    """Whether a row names columns of texts: half of its cells are what many columns are called, or differ in capitals.

    They differ from the rows of the `body` below, and from those `above` that are no header.
    """
    rows = [*body, *above]
    if not are_names(cells, rows):
        return False
    styled = sum(_is_styled(cell, [row[at] for row in rows if at < len(row)]) for at, cell in enumerate(cells))
    common = sum(_COMMON.fullmatch(cell.strip().casefold()) is not None for cell in cells)
    return 2 * max(styled, common) >= len(cells)


def _is_styled(cell: str, others: Sequence[str]) -> bool:
    """Whether a cell has other capitals than all the others."""
    own = _capitals(cell)
    return bool(own) and not {_capitals(other) for other in others if other.strip()} & {own, ""}


def _capitals(cell: str) -> str:
    """Which of a cell's letters are capitals: all, none, or some; empty where it has no letters with capitals."""
    text = cell.strip()
    if text.lower() == text.upper():
        return ""
    if text.upper() == text and len(text) > 1:
        return "all"
    return "none" if text.lower() == text else "some"
