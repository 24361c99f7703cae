"""Names that a person would take for one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# They choose between forms of the character before them, and can't be seen beside most.
_SELECTORS = range(0xFE00, 0xFE10)


def alike(names: Sequence[str]) -> list[list[str]]:
    """Group the names that differ only in case, blanks, composition, width, or in what can't be seen, in their order.

    They are the same under NFKC_Casefold (Unicode, chapter 3.13) with their blanks made one. Letters of other scripts
    that look alike, such as Latin and Cyrillic A, are not looked for.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_seen(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _seen(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = (char for char in folded if unicodedata.category(char) != "Cf" and ord(char) not in _SELECTORS)
    return " ".join("".join(seen).split())
