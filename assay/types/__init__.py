"""What kind of values each column of a table holds, and its cells as such; docs/decisions/types.md says how and why."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from assay.formats.table import Table
from assay.types.infer import infer_types
from assay.types.kinds import ColumnType, Kind, blank_or, read_as

__all__ = ["ColumnType", "Kind", "infer_types", "refused_cells", "typed"]

_REASONS = {
    Kind.INTEGER: "not a whole number",
    Kind.NUMBER: "not a number",
    Kind.BOOLEAN: "neither true nor false",
    Kind.DATE: "not a date",
    Kind.DATETIME: "not a date and time",
    Kind.TIME: "not a time of day",
}


def typed(table: Table, types: Sequence[ColumnType]) -> pl.LazyFrame:
    """Read the cells as their columns' types: `row`, `fault`, and "0", "1", ... each of its kind.

    Int64, Float64, Boolean, Date, Datetime (microseconds, as the clock on the wall showed it), Time or String; null
    where a cell is blank or refused. Texts are as they stand in the file, null where blank.
    """
    return read_as(table.frame, {str(at): one for at, one in enumerate(types)})


def refused_cells(table: Table, types: Sequence[ColumnType], limit: int = 1000) -> pl.DataFrame:
    """List the filled cells that are not of their column's kind, by row and column, `limit` of them at most.

    Columns: row (Int64), column (String, its name), text (String, as it stands in the file), reason (String).
    """
    found = []
    for at, one in enumerate(types):
        if not one.refused:
            continue
        name = str(at)
        both = table.frame.select("row", pl.col(name), pl.col(name).alias("text"))
        filled = blank_or(pl.col("text"), markers=True, missing=one.missing).is_not_null()
        lost = read_as(both, {name: one}).filter(pl.col(name).is_null() & filled).head(limit)
        column = pl.lit(table.columns[at]).alias("column")
        reason = pl.lit(_REASONS[one.kind]).alias("reason")
        found.append(lost.select("row", column, "text", reason, pl.lit(at).alias("at")))
    if not found:
        return pl.DataFrame(schema={"row": pl.Int64, "column": pl.String, "text": pl.String, "reason": pl.String})
    listed = pl.concat([frame.collect(engine="streaming") for frame in found])
    return listed.sort("row", "at").head(limit).drop("at")
