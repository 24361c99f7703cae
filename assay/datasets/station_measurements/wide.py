"""Tables with a column for each parameter, made into rows of one parameter and one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from assay.datasets.station_measurements.limits import MAX_CODES
from assay.detection.given import label
from assay.errors import Unprocessable
from assay.formats import Table

ONLY_STATION = "Station 1"
"""What the one station is called where no column names it."""

_STATION, _DATE_TIME, _TIME, _PCODE, _RESULT = range(5)


def lengthen(table: Table, roles: dict[str, int], measured: Sequence[int]) -> tuple[Table, dict[str, int]]:
    """Make a row of each filled cell of the `measured` columns, with the column's header as the parameter.

    The rows keep their numbers and their order, so that one number stands for several rows. A row with no filled cell
    becomes one without a result, or stays blank. Raises Unprocessable too_many_parameters.
    """
    if len(measured) > MAX_CODES:
        raise Unprocessable(
            "too_many_parameters",
            f"The file has {len(measured):,} columns of results; at most {MAX_CODES:,} are taken.",
            "Check that the columns are what their names say, or split the file.",
        )
    codes = [label(table.columns, at) for at in measured]
    cells = [pl.col(str(at)) for at in measured]
    is_filled = [cell.str.strip_chars().str.len_bytes() > 0 for cell in cells]
    date = pl.col(str(roles["date_time"]))
    measures = pl.any_horizontal(is_filled).fill_null(value=False)
    says_something = measures | (date.str.strip_chars().str.len_bytes() > 0).fill_null(value=False)
    only = pl.when(says_something).then(pl.lit(ONLY_STATION))
    station = pl.col(str(roles["station"])) if "station" in roles else only
    time = pl.col(str(roles["time"])) if "time" in roles else pl.lit(None, pl.String)
    long = (
        table.frame.select(
            "row", "fault", measures.alias("measures"), says_something.alias("says something"),
            station.alias(str(_STATION)), date.alias(str(_DATE_TIME)), time.alias(str(_TIME)),
            pl.lit(pl.Series([codes])).first().alias(str(_PCODE)), pl.concat_list(cells).alias(str(_RESULT)),
        )
        .explode(str(_PCODE), str(_RESULT))
        .filter(
            (pl.col(str(_RESULT)).str.strip_chars().str.len_bytes() > 0).fill_null(value=False)
            | (~pl.col("measures") & (pl.col(str(_PCODE)) == codes[0]))
        )
        .with_columns(pl.when("says something").then(pl.col(str(_PCODE))).alias(str(_PCODE)))
        .drop("measures", "says something")
    )  # fmt: skip
    names = {role: table.columns[at] for role, at in roles.items()}
    columns = (names.get("station", ""), names["date_time"], names.get("time", ""), "Parameter", "Result")
    used = {*measured, *(at for role, at in roles.items() if role in ("station", "date_time", "time"))}
    table.facts["parameter_columns"] = list(codes)
    table.facts["columns_not_used"] = [name for at, name in enumerate(table.columns) if at not in used]
    found = {"station": _STATION, "date_time": _DATE_TIME, "pcode": _PCODE, "result": _RESULT}
    return replace(table, frame=long, columns=columns), found
