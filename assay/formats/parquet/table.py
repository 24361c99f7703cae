"""Parquet files to tables, every value as text."""

from __future__ import annotations

import polars as pl
from pydantic import JsonValue

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats.header_rank import Cells, no_rows
from assay.formats.parquet.check_parquet import check_parquet
from assay.formats.problems import PARQUET, shown
from assay.formats.registry import Head, Opening, Whole

_MOMENT = "%Y-%m-%d %H:%M:%S%.f"
_NESTED = (pl.List, pl.Array, pl.Struct)


def preview(opening: Opening, limit: int) -> Head:
    """The columns and up to `limit` rows. Raises Unprocessable."""
    frame, columns = _scan(opening.source)
    try:
        rows = frame.head(limit).collect().rows()
    except pl.exceptions.PolarsError as error:
        raise _unreadable(error) from error
    if not rows:
        raise no_rows()
    return columns, [[*row] for row in rows]


def open_table(opening: Opening) -> Whole:
    """The whole table, lazily.

    Numbers come as the shortest text that reads back as the same number, decimals with all their places, dates as
    YYYY-MM-DD, times with as many decimals as they need and the offset of their zone, what is nested as JSON, bytes
    as hex; a float that is no number is blank. Raises Unprocessable: unreadable_parquet, unsafe_parquet,
    parquet_too_large, no_rows.
    """
    source = opening.source
    frame, columns = _scan(source)
    try:
        count = frame.select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _unreadable(error) from error
    if not count:
        raise no_rows()
    schema = pl.scan_parquet(source.path, glob=False).collect_schema()
    facts: dict[str, JsonValue] = {
        "format": opening.kind,
        "stored_types": {name: str(kind) for name, kind in schema.items()},
    }
    row = pl.col("row").cast(pl.Int64)
    frame = frame.with_row_index("row", offset=1)
    return columns, frame.select(row, pl.lit(None, pl.String).alias("fault"), pl.exclude("row")), facts


def _scan(source: Source) -> tuple[pl.LazyFrame, Cells]:
    check_parquet(source)
    try:
        frame = pl.scan_parquet(source.path, glob=False)
        schema = frame.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise _unreadable(error) from error
    texts = [_text(name, kind).alias(str(at)) for at, (name, kind) in enumerate(schema.items())]
    return frame.select(texts), tuple(name.strip() for name in schema)


def _text(name: str, kind: pl.DataType) -> pl.Expr:  # noqa: PLR0911 - one for each type
    value = pl.col(name)
    if kind.is_float():
        return value.fill_nan(None).cast(pl.String)
    if isinstance(kind, pl.Datetime):
        return value.dt.to_string(f"{_MOMENT}%:z" if kind.time_zone else _MOMENT)
    if isinstance(kind, pl.Time):
        return value.dt.to_string("%H:%M:%S%.f")
    if isinstance(kind, pl.Duration):
        return value.dt.to_string("iso")
    if isinstance(kind, pl.Binary):
        return value.bin.encode("hex")
    if isinstance(kind, _NESTED):
        # Only a struct can be written as JSON: one of this value alone, without its braces and its name.
        wrapped = pl.struct(value.alias("v")).struct.json_encode()
        inner = wrapped.str.strip_prefix('{"v":').str.head(-1)
        return pl.when(value.is_not_null()).then(inner)
    return value.cast(pl.String)


def _unreadable(error: pl.exceptions.PolarsError) -> Unprocessable:
    return PARQUET.unreadable(shown((str(error).splitlines() or ["unknown"])[0], 200))
