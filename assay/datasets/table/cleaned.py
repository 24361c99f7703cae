"""The table as it was read, typed: as Parquet for programs and as CSV for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from assay.datasets.table.counts import Counts, scan
from assay.write.spreadsheet_text import guarded

_GROUP_ROWS = 262_144


def write_parquet(frame: pl.LazyFrame, path: Path) -> None:
    """Write the frame in its own order; LZ4, since it is read again at once."""
    frame.sink_parquet(path, compression="lz4", statistics=False, row_group_size=_GROUP_ROWS, maintain_order=True)


def write_csv(source: Path, names: Sequence[str], risky: Sequence[bool], path: Path) -> None:
    """Write the columns of a Parquet file as CSV; no text in it is a formula to a spreadsheet.

    `risky` says of each column whether it may hold a text that is one (see `is_risky`).
    """
    header = pl.DataFrame({"name": pl.Series([*names], dtype=pl.String)}).select(guarded(pl.col("name")))
    with path.open("wb") as file:
        header.transpose().write_csv(file, include_header=False)
        rows = scan(source).with_columns(guarded(pl.col(str(at))) for at, risk in enumerate(risky) if risk)
        rows.sink_csv(file, include_header=False, maintain_order=True)


def is_risky(counts: Counts) -> bool:
    """Tell whether a column of text may hold a formula: looking at its different values is less than at every cell."""
    if counts.values.dtype != pl.String:
        return False
    if not counts.extent.exact:
        return True
    return bool((counts.values.to_frame("value").select(guarded(pl.col("value"))).to_series() != counts.values).any())
