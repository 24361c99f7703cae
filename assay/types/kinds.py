"""What a column can hold, how that is written, and how it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from assay.types.dates import DateOrder, parse
from assay.types.numbers import groups, is_plain, number, odd


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    EMPTY = "empty"


@dataclass(frozen=True)
class ColumnType:
    """What a column holds and how it is written there.

    `blank` and `filled` cells are all its rows; `refused` counts the filled ones that are not of the kind. A missing
    marker (NA, null, -) is blank unless the column is text. `decimal` and `thousands` are the marks of its numbers,
    `unit` is what stands at them: "%", a currency's sign or code, "mixed" where it is not the same for all, or "".
    `dates` is how its dates are read, `note` how all this was decided, in words. `plain` says that every cell is
    written as a cast reads it. `missing` are texts of cells that stand for no value in this column alone, such as -999.
    `maybe_thousands` says that a point was taken for the decimal mark, though it may group thousands.
    """

    kind: Kind
    blank: int
    filled: int
    refused: int
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    dates: DateOrder | None = None
    note: str = ""
    plain: bool = False
    missing: tuple[str, ...] = ()
    maybe_thousands: bool = False


_POLARS = {
    Kind.TEXT: pl.String(),
    Kind.INTEGER: pl.Int64(),
    Kind.NUMBER: pl.Float64(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.DATE: pl.Date(),
    Kind.DATETIME: pl.Datetime("us"),
    Kind.TIME: pl.Time(),
    Kind.EMPTY: pl.String(),
}
MARKERS = (
    "na", "n/a", "n.a.", "#n/a", "<na>", "null", "(null)", "#null!", "none", "nil", "nan", "nat", "missing", "\\n",
    "-", "--", "---", "\u2013", "\u2014", "?", ".", "..", "...", "\u2026", ":", ": c", ": u", ": z", ":c", ":u", ":z",
    "n/d", "n.d.", "n.v.", "k.a.", "s/d", "#nv", "#n/d", "#div/0!", "#ref!", "#value!", "#num!", "#name?",
    "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip
"""What people write into a cell that has no value, in lower case."""

NULL = "\\N"
"""What databases write for it (MySQL, PostgreSQL, Hive): it is no value in a column of texts either."""

SENTINELS = (-999.0, -9999.0, -99999.0, -999999.0)
"""Numbers that stand for no value where all others of their column are far from them."""

TRUE_FALSE = (
    ("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("on", "off"), ("ja", "nein"), ("j", "n"), ("oui", "non"),
    ("vrai", "faux"), ("wahr", "falsch"), ("sí", "no"), ("si", "no"), ("sim", "não"),
)  # fmt: skip
"""The pairs of words that stand for true and false, in lower case."""

_TRUE = [yes for yes, _ in TRUE_FALSE]
_FALSE = sorted({no for _, no in TRUE_FALSE})
_DAY = "2000-01-01 "
_CLOCK = DateOrder(("iso",), day_first=False, decided=None)


def blank_or(text: pl.Expr, *, markers: bool, missing: Sequence[str] = ()) -> pl.Expr:
    r"""Trim a cell; null where it is blank, \N or one of `missing`, or a missing marker if `markers`."""
    trimmed = text.str.strip_chars()
    kept = ~trimmed.is_in(["", NULL, *missing])
    if markers:
        kept &= ~trimmed.str.to_lowercase().is_in(MARKERS)
    return pl.when(kept).then(trimmed)


def written_sentinels(numbers: Sequence[float]) -> tuple[str, ...]:
    """How numbers that stand for no value are written: -999, -999.0, -999.00 ..."""
    return tuple(f"{number:.{places}f}" for number in numbers for places in range(4))


def read_as(frame: pl.LazyFrame, types: dict[str, ColumnType]) -> pl.LazyFrame:
    """Replace columns of text by what they hold."""
    others = {name: one for name, one in types.items() if not one.plain and one.kind not in (Kind.TEXT, Kind.EMPTY)}
    frame = frame.with_columns(
        _plain(pl.col(name), one).alias(name) for name, one in types.items() if name not in others
    )
    frame = frame.with_columns(
        blank_or(pl.col(name), markers=True, missing=one.missing).alias(name) for name, one in others.items()
    )
    numbers = {name: one for name, one in others.items() if one.kind in (Kind.INTEGER, Kind.NUMBER)}
    if numbers:
        # A point is no decimal mark everywhere.
        apart = {name: odd(pl.col(name)) if one.decimal == "." else pl.col(name) for name, one in numbers.items()}
        frame = frame.with_columns(groups(text).alias(f"{name} parts") for name, text in apart.items())
        frame = frame.with_columns(_number(name, one).alias(name) for name, one in numbers.items())
        frame = frame.drop([f"{name} parts" for name in numbers])
    for name, one in others.items():
        if one.kind in (Kind.DATE, Kind.DATETIME) and one.dates is not None:
            frame = parse(frame, name, one.dates)
            if one.kind is Kind.DATE:
                frame = frame.with_columns(pl.col(name).dt.date())
        elif one.kind is Kind.TIME:
            frame = parse(frame.with_columns((pl.lit(_DAY) + pl.col(name)).alias(name)), name, _CLOCK)
            same_day = pl.col(name).dt.day() == 1
            frame = frame.with_columns(pl.when(same_day).then(pl.col(name).dt.time()).alias(name))
        elif one.kind is Kind.BOOLEAN:
            word = pl.col(name).str.to_lowercase()
            value = pl.when(word.is_in(_TRUE)).then(pl.lit(True)).when(word.is_in(_FALSE)).then(pl.lit(False))
            frame = frame.with_columns(value.alias(name))
    return frame


def _number(name: str, one: ColumnType) -> pl.Expr:
    """A cell that was taken apart as this type has it, and one that was not as it is cast."""
    text, whole = pl.col(name), one.kind is Kind.INTEGER
    value = number(pl.col(f"{name} parts"), one.decimal, one.thousands, whole=whole)
    if one.decimal != ".":
        return value
    return pl.when(is_plain(text)).then(text.cast(_POLARS[one.kind], strict=False)).otherwise(value)


def _plain(text: pl.Expr, one: ColumnType) -> pl.Expr:
    if one.kind is Kind.TEXT:
        return pl.when(~text.str.strip_chars().is_in(["", NULL])).then(text)
    if one.kind is Kind.EMPTY:
        return pl.lit(None, pl.String)
    if one.kind is Kind.DATE:
        return text.str.to_date("%Y-%m-%d", strict=False)
    if one.kind is Kind.DATETIME:
        return text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return text.cast(_POLARS[one.kind], strict=False)
