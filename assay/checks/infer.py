"""A Table Schema from a table: what its columns are, how they are written, and which are filled everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from pydantic import JsonValue

from assay.checks.cells import ZONE, is_missing, value
from assay.formats.table import Table
from assay.schema import SchemaField
from assay.types import ColumnType, Kind
from assay.types.kinds import TRUE_FALSE, blank_or, read_as
from assay.write.unique_names import unique_names

# Words that stand for something are few, and come again and again.
_MOST_WORDS = 10
_ROWS_A_WORD = 20
_DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%m-%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y")
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d %B %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%B %d, %Y",
    "%Y%m%d",
)
_TYPED: dict[str, pl.DataType] = {
    "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(), "date": pl.Date(),
    "datetime": pl.Datetime("us"), "time": pl.Time(),
}  # fmt: skip
_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")


def infer_schema(table: Table, types: Sequence[ColumnType]) -> tuple[dict[str, JsonValue], dict[str, int]]:
    """Make the schema of a table, and count for each field the cells that are not of its type, where there are any.

    Nothing is said that the next file could not keep: no least or greatest value, no key, words only where ten or fewer
    fill the column. A column that no type of the standard can read as Assay does is a string.
    """
    frame = table.frame.filter(table.holds_something)
    names = unique_names([name.strip() for name in table.columns])
    words = _words(frame, types)
    tried = [
        [SchemaField.model_validate(one) for one in _candidates(name, kind, found)]
        for name, kind, found in zip(names, types, words, strict=True)
    ]
    odd = _odd(frame, tried, types)
    fields: list[JsonValue] = []
    left: dict[str, int] = {}
    for at, (candidates, kind) in enumerate(zip(tried, types, strict=True)):
        chosen = next(nth for nth, _ in enumerate(candidates) if odd[f"{at} {nth}"] <= kind.refused)
        field = candidates[chosen]
        if odd[f"{at} {chosen} unread"]:
            left[field.name] = odd[f"{at} {chosen} unread"]
        fields.append(
            _as_json(field, required=not odd[f"{at} {chosen} missing"] and kind.filled > 0, words=words[at], kind=kind)
        )
    return {"fields": fields}, left


def _words(frame: pl.LazyFrame, types: Sequence[ColumnType]) -> list[list[str]]:
    """The different texts of each column that tell how it is written: its words where they are few, or its markers."""
    found = []
    for at, kind in enumerate(types):
        cell = pl.col(str(at))
        if kind.kind in (Kind.TEXT, Kind.BOOLEAN):
            wanted = cell.str.strip_chars() != ""
        else:
            wanted = (cell.str.strip_chars() != "") & blank_or(cell, markers=True, missing=kind.missing).is_null()
        looked = frame.filter(wanted).select(cell.str.strip_chars() if kind.kind is not Kind.TEXT else cell).unique()
        many = looked.head(5 * _MOST_WORDS).collect(engine="streaming").to_series()
        found.append(sorted(many))
    return found


def _candidates(name: str, kind: ColumnType, words: Sequence[str]) -> list[dict[str, Any]]:
    """What a column may be in the standard's words, the likeliest first, and a string in the end."""
    text: dict[str, Any] = {"name": name, "type": "string"}
    if kind.kind in (Kind.TEXT, Kind.EMPTY):
        return [text if kind.kind is Kind.TEXT else text | {"type": "any"}]
    if kind.kind is Kind.BOOLEAN:
        return [text | {"type": "boolean"} | _flags(words), text]
    missing: dict[str, Any] = {"missingValues": ["", *words]} if words else {}
    if kind.kind in (Kind.INTEGER, Kind.NUMBER):
        marks: dict[str, Any] = (
            {"decimalChar": kind.decimal} if kind.decimal != "." and kind.kind is Kind.NUMBER else {}
        )
        marks |= {"groupChar": kind.thousands} if kind.thousands else {}
        marks |= {"bareNumber": False} if kind.unit else {}
        return [text | {"type": str(kind.kind)} | marks | missing, text]
    days = (*_DATES, *(_DAY_FIRST if kind.dates is not None and kind.dates.day_first else _MONTH_FIRST))
    forms = {
        Kind.DATE: days,
        Kind.TIME: _TIMES,
        Kind.DATETIME: [f"{day}{gap}{time}" for day in days for gap in " T" for time in _TIMES],
    }[kind.kind]
    read = text | {"type": str(kind.kind)} | missing
    return [read, *(read | {"format": form} for form in forms), text]


def _flags(words: Sequence[str]) -> dict[str, Any]:
    """The words for true and for false, and those for nothing, as a column has them."""
    yes, no = ([word for word in words if any(word.lower() == pair[at] for pair in TRUE_FALSE)] for at in (0, 1))
    rest = [word for word in words if pl.select(blank_or(pl.lit(word), markers=True)).item() is None]
    missing = {"missingValues": ["", *rest]} if rest else {}
    return {"trueValues": yes or ["true"], "falseValues": no or ["false"]} | missing


def _odd(frame: pl.LazyFrame, tried: Sequence[Sequence[SchemaField]], types: Sequence[ColumnType]) -> dict[str, int]:
    """Count the cells that each candidate does not read as Assay does (`0 0`).

    And those of them that it can't read (`0 0 unread`), and those that are missing to it (`0 0 missing`).
    """
    counts: dict[str, int] = {}
    for at, (candidates, kind) in enumerate(zip(tried, types, strict=True)):
        name, cell = str(at), pl.col("text")
        wanted: dict[str, pl.Expr] = {}
        for nth, field in enumerate(candidates):
            missing = is_missing(cell, field, [""])
            unread = ~missing & value(cell, field).is_null()
            otherwise = ~missing & _as_typed(cell, field).ne_missing(pl.col(name)) if field.type in _TYPED else False
            wanted[f"{at} {nth}"] = (unread | otherwise).sum()
            wanted[f"{at} {nth} unread"] = unread.sum()
            wanted[f"{at} {nth} missing"] = missing.sum()
        both = read_as(frame.select(name, pl.col(name).alias("text")), {name: kind})
        counts |= both.select(**wanted).collect(engine="streaming").row(0, named=True)
    return counts


def _as_typed(cell: pl.Expr, field: SchemaField) -> pl.Expr:
    """Read a cell by a field, as a value of the kind that Assay has."""
    if field.type == "datetime" and field.format == "default":
        # Assay has the clock on the wall, the standard the moment.
        cell = cell.str.strip_chars().str.replace(ZONE, "")
    read = value(cell, field)
    return read.cast(_TYPED[field.type], strict=False)


def _as_json(field: SchemaField, *, required: bool, words: Sequence[str], kind: ColumnType) -> JsonValue:
    written: dict[str, JsonValue] = {"name": field.name, "type": field.type}
    written |= field.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"name", "type"})
    constraints: dict[str, JsonValue] = {"required": True} if required else {}
    is_few = 0 < len(words) <= _MOST_WORDS and kind.filled >= _ROWS_A_WORD * len(words)
    if kind.kind is Kind.TEXT and is_few:
        constraints["enum"] = [*words]
    return written | ({"constraints": constraints} if constraints else {})
