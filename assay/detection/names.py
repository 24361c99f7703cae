"""How names of columns are compared."""

from __future__ import annotations

import re
import unicodedata

_FOLDED_AWAY = re.compile(r"[\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_UNIT = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\])\s*$")


def fold(name: str) -> str:
    """Fold a column's name: case, accents, spaces, punctuation and a unit in brackets at its end make no difference."""
    return fold_all(_UNIT.sub("", name) if name.rstrip().endswith((")", "]")) else name)


def fold_all(name: str) -> str:
    """Fold a column's name, but keep a unit: `Result (flag)` is not `Result`."""
    if not name.isascii():
        name = _ACCENTS.sub("", unicodedata.normalize("NFKD", name))
    return _FOLDED_AWAY.sub("", name).casefold()
