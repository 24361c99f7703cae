"""The lineage: every row of the input with its hash, and whether it was used or why not."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assay.datasets.transactions.figures import written
from assay.datasets.transactions.rows import ROW_GROUP
from assay.write.spreadsheet_text import guarded

COLUMNS = ("row", "order_id", "order_date", "customer_id", "product", "currency", "amount", "status", "row_hash")


def write_lineage(rows: pl.LazyFrame, as_parquet: Path, as_csv: Path) -> None:
    """Write every row in input order, with the columns of COLUMNS.

    `order_date` is YYYY-MM-DD HH:MM:SS, and `amount` exact with no zeros at its end; what can't be read stands as it
    was. `status` is `used`, or the reason why the row was not. `row_hash` is the SHA-256, in hex, of all cells of the
    row as they stand in the file, in its order, with U+001F between them. The CSV is fit for spreadsheets, where a text
    that is like a formula has an apostrophe in front; the Parquet has every text as it is.
    """
    columns = [
        pl.col("row"),
        pl.col("order_id"),
        pl.coalesce(pl.col("moment").dt.to_string("%Y-%m-%d %H:%M:%S"), "date_text").alias("order_date"),
        pl.col("customer_id"),
        pl.col("product"),
        pl.col("currency"),
        pl.coalesce(written(pl.col("amount")), "amount_text").alias("amount"),
        pl.col("reason").fill_null("used").alias("status"),
        pl.col("hash").alias("row_hash"),
    ]
    # One after the other: two sinks of one query wait for each other with their hands full.
    rows.select(columns).sink_parquet(as_parquet, row_group_size=ROW_GROUP, engine="streaming")
    texts = [guarded(pl.col(name)) for name in COLUMNS[1:7]]
    pl.scan_parquet(as_parquet, glob=False).with_columns(texts).sink_csv(as_csv, engine="streaming")
