"""A schema as a list of checks: for each an expression that is true where a row breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import polars as pl

from assay.checks.cells import ZONE_FORM, identity, is_missing, size, value, whole
from assay.checks.columns import Columns
from assay.errors import Unprocessable
from assay.schema import CheckName, SchemaField, Severity, TableSchema

# One of each, to try a form with.
_MOMENTS = {
    "date": date(2024, 3, 1),
    "time": time(13, 30, 45),
    "datetime": datetime(2024, 3, 1, 13, 30, 45, tzinfo=UTC),
}


@dataclass(frozen=True)
class Check:
    """One check, of the columns at `positions`, from 0; of none where it is of the row as a whole."""

    name: CheckName
    severity: Severity
    positions: tuple[int, ...]


def read_cells(columns: Columns, schema: TableSchema) -> list[pl.Expr]:
    """For each field's column whether it is missing (`missing 0`) and what it holds (`value 0`, by its position)."""
    made: list[pl.Expr] = []
    for field, at in columns.places:
        missing = is_missing(pl.col(str(at)), field, schema.missing_values)
        made += [
            missing.alias(f"missing {at}"),
            pl.when(~missing).then(value(pl.col(str(at)), field)).alias(f"value {at}"),
        ]
    return made


def checks(columns: Columns, schema: TableSchema) -> Iterator[tuple[Check, pl.Expr]]:
    """Give every check of single rows, and where it is broken; over a frame that has `read_cells` beside its cells.

    A cell that is not of its type is not checked for anything else. Raises Unprocessable for a schema that can't be
    used: a pattern, a bound or a value of an enum.
    """
    shape = schema.severity.get("shape", "error")
    yield Check("shape", shape, ()), pl.col("fault").is_not_null()
    for field, at in columns.places:
        read, missing = pl.col(f"value {at}"), pl.col(f"missing {at}")
        yield _check(field, at, "type"), ~missing & read.is_null()
        if field.constraints.required:
            yield _check(field, at, "required"), missing
        for name, broken in _constraints(field, read, pl.col(str(at)).fill_null("")):
            yield _check(field, at, name), broken.fill_null(value=False)
    places = {field.name: at for field, at in columns.places}
    if schema.key and all(name in places for name in schema.key):
        missing = pl.any_horizontal(pl.col(f"missing {places[name]}") for name in schema.key)
        severity = schema.severity.get("primaryKey", "error")
        yield Check("primaryKey", severity, tuple(places[name] for name in schema.key)), missing


def keys(columns: Columns, schema: TableSchema) -> Iterator[tuple[Check, pl.Expr]]:
    """Give every check that no value comes twice, and the value: a text, null where a row is free to repeat."""
    places = {field.name: (field, at) for field, at in columns.places}
    for field, at in columns.places:
        if field.constraints.unique:
            yield _check(field, at, "unique"), identity(pl.col(f"value {at}"), field)
    wanted: list[tuple[CheckName, Sequence[str]]] = [("uniqueKeys", key) for key in schema.unique_keys]
    if schema.key:
        wanted.insert(0, ("primaryKey", schema.key))
    for name, key in wanted:
        if all(one in places for one in key):
            parts = [identity(pl.col(f"value {places[one][1]}"), places[one][0]) for one in key]
            # With its length before it no part runs into the next.
            text = pl.concat_str([pl.concat_str(part.str.len_bytes(), pl.lit(":"), part) for part in parts])
            yield Check(name, schema.severity.get(name, "error"), tuple(places[one][1] for one in key)), text


def _check(field: SchemaField, at: int, name: CheckName) -> Check:
    return Check(name, field.severity_of(name), (at,))


def _constraints(field: SchemaField, read: pl.Expr, cell: pl.Expr) -> Iterator[tuple[CheckName, pl.Expr]]:
    limits = field.constraints
    if limits.minimum is not None:
        yield "minimum", _beyond(field, read, "minimum", limits.minimum)
    if limits.maximum is not None:
        yield "maximum", _beyond(field, read, "maximum", limits.maximum)
    if limits.min_length is not None:
        yield "minLength", read.str.len_chars() < limits.min_length
    if limits.max_length is not None:
        yield "maxLength", read.str.len_chars() > limits.max_length
    if limits.pattern is not None:
        pattern = f"^(?:{limits.pattern})$"
        _check_pattern(field, pattern)
        yield "pattern", read.is_not_null() & ~cell.str.contains(pattern)
    if limits.enum is not None:
        known = [_literal(field, "enum", one) for one in limits.enum]
        same = pl.select(identity(pl.concat(known), field) if len(known) > 1 else identity(known[0], field)).to_series()
        yield "enum", read.is_not_null() & ~identity(read, field).is_in(same.implode())


def _beyond(field: SchemaField, read: pl.Expr, name: CheckName, bound: float | str) -> pl.Expr:
    """Whether a value lies below its minimum, or above its maximum; whole numbers with all their digits."""
    limit = _literal(field, name, bound)

    def is_beyond(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        return one < other if name == "minimum" else one > other

    beyond = is_beyond(size(read, field), size(limit, field))
    if field.type not in ("number", "integer"):
        return beyond
    return pl.coalesce(is_beyond(whole(read), whole(limit)), beyond)


def _literal(field: SchemaField, name: str, given: float | str | bool) -> pl.Expr:
    """A value of the schema, read as the field's cells are. Raises Unprocessable where it is none."""
    text = given if isinstance(given, str) else str(given).lower() if isinstance(given, bool) else repr(given)
    if not isinstance(given, str):
        # A number of JSON has its own marks, whatever those of the cells are.
        field = SchemaField(name=field.name, type=field.type, format=field.format)
    found = pl.select(value(pl.lit(text), field)).to_series()
    if found[0] is None:
        raise Unprocessable(
            "invalid_parameters",
            f"schema.fields: the {name} of {field.name}, {text!r}, is no {field.type} as the field writes it.",
            "Write it as the cells of the column are written, or as a number.",
        )
    return pl.lit(found.item(), dtype=found.dtype)


def _check_pattern(field: SchemaField, pattern: str) -> None:
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        # The regex crate's own message is the line that begins so; Polars adds its expression below.
        said = (line.removeprefix("error: ") for line in str(error).splitlines() if line.startswith("error: "))
        why = next(said, str(error).partition("\n")[0])
        advice = "Write it as https://docs.rs/regex/latest/regex/#syntax says."
        if "look-around" in why or "backreference" in why:
            advice = f"Patterns have no look-around and no back references. {advice}"
        raise Unprocessable(
            "invalid_parameters",
            f"schema.fields: the pattern of {field.name}, {field.constraints.pattern!r}, can't be used: {why}.",
            advice,
        ) from error


def check_formats(schema: TableSchema) -> None:
    """Raise Unprocessable for a form of dates or times that can't be written, or that reads no date or time back."""
    for field in schema.fields:
        if field.type in _MOMENTS and field.format not in ("default", "any") and not _reads_back(field):
            raise Unprocessable(
                "invalid_parameters",
                f"schema.fields: the format of {field.name}, {field.format!r}, is none for a {field.type}.",
                "Write it as strftime does: %Y-%m-%d, %d/%m/%Y, %H:%M.",
            )


def _reads_back(field: SchemaField) -> bool:
    moment = _MOMENTS[field.type]
    if isinstance(moment, datetime) and not ZONE_FORM.search(field.format):
        moment = moment.replace(tzinfo=None)
    try:
        text = pl.select(pl.lit(moment).dt.strftime(field.format)).item()
        return pl.select(value(pl.lit(text), field)).item() is not None
    except pl.exceptions.PolarsError:
        return False
