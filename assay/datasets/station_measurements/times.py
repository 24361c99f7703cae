"""Times of day that stand in a column of their own, beside the dates."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from assay.formats import Table

_MIDNIGHT = r"[Tt\s]+0?0:00(:00(\.0+)?)?$"
# Workbooks give a date its midnight, and a time of day the day before their calendar begins.
_NO_DAY = r"^1899-12-3[01] "
_TIME = r"^[0-9]{1,2}:[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?\s*([AaPp]\.?[Mm]\.?)?\s*([Zz]|UTC|[+-][0-9]{2}:?[0-9]{2})?$"
_MOST = 0.8


def join_times(table: Table, roles: dict[str, int]) -> tuple[Table, dict[str, int], str | None]:
    """Put the times behind the dates that have none, if most cells of the column of times are such as 13:45.

    A cell of it that is no time then makes a date that can't be read. Returns the table, the roles, with `time` only
    where its column was joined, and the name of a column of times that was not.
    """
    at = roles.get("time")
    if at is None:
        return table, roles, None
    roles = {role: position for role, position in roles.items() if role != "time"}
    name = str(roles["date_time"])
    day = pl.col(name).str.strip_chars().str.replace(_MIDNIGHT, "")
    time = pl.col(str(at)).str.strip_chars().str.replace(_NO_DAY, "")
    wanted = (day != "") & ~day.str.contains(":", literal=True) & (time != "")
    filled, fit = (
        table.frame.filter(wanted)
        .select(pl.len().alias("filled"), time.str.contains(_TIME).sum().alias("fit"))
        .collect(engine="streaming")
        .row(0)
    )
    if not filled:
        return table, roles, None
    if fit < _MOST * filled:
        return table, roles, table.columns[at]
    joined = pl.when(wanted).then(pl.concat_str(day, time, separator=" ")).otherwise(pl.col(name))
    return replace(table, frame=table.frame.with_columns(joined.alias(name))), {**roles, "time": at}, None
