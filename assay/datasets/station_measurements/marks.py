"""How the results of a file are written: the decimal mark, and what groups thousands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay.reading import Reading
from assay.types import numbers

# What can be no number with a point alone: other marks between digits, or two points.
_MARKED = r"[,'\u2019\u00a0\u2007\u2009\u202f][0-9]|[0-9] [0-9]{3}|[0-9]\.[0-9]+\."
_SPACED = "[0-9][ '][0-9]"
# A number alone: no currency, percent or bracket, which a result does not have.
_BARE = r"^[-+]?[0-9.,' ]*[0-9.,'](?:[eE][-+]?[0-9]{1,3})?$"

# Longer ones take long to take apart, and nobody groups their digits.
_LONGEST = 100


@dataclass(frozen=True)
class Marks:
    """The decimal mark of a column, and what groups thousands ("" for nothing)."""

    decimal: str = "."
    thousands: str = ""


def is_marked(text: pl.Expr) -> pl.Expr:
    """Whether a result has marks other than one point: hardly any file does, and is looked at again."""
    return text.str.contains(_MARKED)


def marks_of(copy: Path, delimiter: object, reading: Reading, *, marked: bool) -> Marks:
    """Tell how the column `result` of a Parquet file at `copy` is written: one style for the whole of it.

    It is the style that reads the most cells, see docs/decisions/types.md. What a user says decides. Where 1,200 could
    be either, it is a number above a thousand only beside plain numbers, and if no comma is spared for decimals by a
    semicolon or a tab between the cells; else there are no marks, and it is refused.
    """
    decimal, thousands = reading.decimal, reading.thousands
    if decimal is None and thousands in (",", "."):
        decimal = "," if thousands == "." else "."
    if not marked and decimal is None:
        return Marks()
    rows = pl.scan_parquet(copy, glob=False).select(_digits(pl.col("result")).alias("text"))
    parts = rows.with_columns(numbers.groups(numbers.odd(pl.col("text"))).alias("parts"))
    asked = numbers.survey(pl.col("parts"), pl.col("text")) | {"plain": numbers.is_plain(pl.col("text")).sum()}
    found = parts.select(**asked).collect(engine="streaming").row(0, named=True)
    form = numbers.decide_number(found, [], decimal, thousands, ".")
    if form is None:
        return Marks(decimal or ".", "")
    comma_groups = form.thousands == "," and not form.sure and decimal is None
    if comma_groups and (not found["plain"] or delimiter in ("semicolon", "tab")):
        return Marks()
    return Marks(form.decimal, form.thousands)


def _digits(text: pl.Expr) -> pl.Expr:
    """The number of a result without its bound and its flag; words such as ND say nothing."""
    short = pl.when(_is_short(text)).then(text)
    bare = short.str.replace(r"^\*?[<>=≤≥~\s]+", "").str.replace(r"[\s(]*[A-Za-z]{1,4}\)?$", "")
    return pl.when(bare.str.contains("[0-9]")).then(bare)


def plain(text: pl.Expr, marks: Marks) -> pl.Expr:
    """Write numbers with these marks as programs do, with a point and nothing else; null for any other text.

    One of more than 100 characters has no marks but a point.
    """
    if marks == Marks():
        return text
    tidy = numbers.tidy(pl.when(_is_short(text)).then(text))
    bare = pl.when(tidy.str.contains(_BARE)).then(tidy)
    fits = numbers.number(numbers.groups(bare), marks.decimal, marks.thousands, whole=False).is_not_null()
    digits = bare.str.replace_all(marks.thousands, "", literal=True) if marks.thousands else bare
    read = pl.when(fits).then(digits.str.replace(marks.decimal, ".", literal=True))
    return read if marks.decimal != "." else pl.when(_is_short(text)).then(read).otherwise(text)


def _is_short(text: pl.Expr) -> pl.Expr:
    return text.str.len_bytes() <= _LONGEST
