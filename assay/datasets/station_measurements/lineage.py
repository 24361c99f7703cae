"""The lineage: every row with its hash, as Parquet and as CSV."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars_hash as plh

from assay.datasets.station_measurements.results import OPTIONAL
from assay.datasets.station_measurements.rows import FORMAT, ROW_GROUP
from assay.write.spreadsheet_text import guarded

_TEXTS = ("station_id", "date_time", "pcode", "result")


def write_lineage(texts: pl.LazyFrame, path: Path) -> None:
    """Write every row of `texts` (see rows.py) with its hash as Parquet, in input order.

    The hash of a row is the SHA-256, in hex, of `station|YYYY-MM-DD HH:MM:SS|pcode|result`, and of what the file says
    of the result beside it (unit, qualifier, limits), with `|` between; empty where something is missing. A bound such
    as <0.5, and a date or result that can't be read, stand there, and in the lineage, as they were read.
    """
    beside = [name for name in OPTIONAL if name in texts.collect_schema()]
    odd = pl.when(~pl.col("in_format")).then("moment")
    lineage = texts.select(
        "row",
        pl.col("station").alias("station_id"),
        pl.coalesce(odd.dt.to_string(FORMAT), "date_time").alias("date_time"),
        "pcode",
        pl.coalesce(pl.col("number").cast(pl.String), "result").alias("result"),
        *beside,
    )
    hashed = pl.concat_str([pl.col(name).fill_null("") for name in (*_TEXTS, *beside)], separator="|")
    lineage = lineage.with_columns(hashed.alias("row_hash")).with_columns(plh.col("row_hash").chash.sha2_256())
    # Hashes hardly compress, and a higher level only takes longer over them.
    lineage.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, engine="streaming")


def write_lineage_csv(parquet: Path, path: Path) -> None:
    """Write the same as CSV that is fit for spreadsheets: a text that is like a formula has an apostrophe in front.

    Not in one query with the Parquet: of two sinks the slower one has what the other is ahead kept in memory.
    """
    # A number as it stands there is no formula, and what stands there else is little.
    word = ~pl.col("result").cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    lineage = pl.scan_parquet(parquet, glob=False)
    beside = [name for name in OPTIONAL if name in lineage.collect_schema()]
    lineage.with_columns(
        *(guarded(pl.col(name)) for name in (*_TEXTS[:-1], *beside)),
        pl.coalesce(guarded(pl.when(word).then("result")), "result").alias("result"),
    ).sink_csv(path, engine="streaming")
