"""Which column each field of a schema is, and where the table's header is not as the schema says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.schema import SchemaField, TableSchema


@dataclass(frozen=True)
class Mismatch:
    """One thing that is wrong with the header: the column or field it is about, and what is wrong, in words."""

    column: str
    why: str


@dataclass(frozen=True)
class Columns:
    """`places` are the fields that the table has, each with its column's position from 0; `mismatches` are findings."""

    places: tuple[tuple[SchemaField, int], ...]
    mismatches: tuple[Mismatch, ...]


def match(names: Sequence[str], schema: TableSchema, *, has_header: bool) -> Columns:
    """Find the fields by their names and aliases, and by their order where the table has no header.

    `names` are those of the table's columns, each once.
    """
    if not has_header:
        places = tuple(zip(schema.fields, range(len(names)), strict=False))
    else:
        at = {name: position for position, name in enumerate(names)}
        found = ((field, [at[header] for header in field.headers if header in at]) for field in schema.fields)
        places = tuple((field, positions[0]) for field, positions in found if positions)
    return Columns(places, tuple(_mismatches(names, schema, places)))


def _mismatches(names: Sequence[str], schema: TableSchema, places: Sequence[tuple[SchemaField, int]]) -> list[Mismatch]:
    rule = schema.fields_match
    there = {field.name for field, _ in places}
    taken = {position for _, position in places}
    if rule == "partial":
        return [] if places else [Mismatch("", "no column is a field of the schema")]
    found: list[Mismatch] = []
    if rule != "superset":
        found += [Mismatch(field.name, "no such column") for field in schema.fields if field.name not in there]
    if rule != "subset":
        found += [Mismatch(name, "not a field of the schema") for at, name in enumerate(names) if at not in taken]
    if rule == "exact" and not found:
        found += [
            Mismatch(names[position], f"is column {position + 1:,}, not {at:,}")
            for at, (_, position) in enumerate(places, start=1)
            if position != at - 1
        ]
    return found
