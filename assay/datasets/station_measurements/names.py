"""The names of stations and parameters: their order, their bounds, and those that look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

from assay.datasets.station_measurements.limits import MAX_NAME
from assay.errors import Unprocessable

# They choose between forms of the character before them, and can't be seen beside most.
_SELECTORS = range(0xFE00, 0xFE10)


def natural_key(text: str) -> tuple[list[str | tuple[int, str]], str]:
    """Sort key: numbers within a text by their size, letters in any case; `Data 2` before `Data 10`."""
    parts = re.split(r"([0-9]+)", text.casefold())
    numbers = [part.lstrip("0") for part in parts[1::2]]
    mixed: list[str | tuple[int, str]] = list(parts)
    mixed[1::2] = [(len(number), number) for number in numbers]
    return mixed, text


def checked_names(rows: pl.LazyFrame, column: str, what: str, code: str, limit: int) -> list[str]:
    """Return a column's different texts in natural order. Raises Unprocessable where they are too many or too long."""
    names = rows.select(pl.col(column).drop_nulls().unique()).collect(engine="streaming")[column].cast(pl.String)
    count, longest = names.len(), max(names.str.len_chars(), default=0)
    if count > limit:
        raise Unprocessable(
            code,
            f"The file has {count:,} {what}; at most {limit:,} are taken.",
            "Check that the columns are what their names say, or split the file.",
        )
    if longest > MAX_NAME:
        raise Unprocessable(
            "name_too_long",
            f"One of the {what} has {longest:,} characters; at most {MAX_NAME} are taken.",
            "Check that quotes are closed and that the columns are what their names say.",
        )
    return sorted(names, key=natural_key)


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
