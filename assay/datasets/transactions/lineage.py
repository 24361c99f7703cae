"""The lineage: every row of the input with its hash, what was read of it, and whether it counts or why not."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assay.datasets.transactions.figures import written
from assay.datasets.transactions.roles import Roles
from assay.datasets.transactions.rows import ROW_GROUP
from assay.write.spreadsheet_text import guarded

_TEXTS = (
    "product_name", "product_category", "product_subcategory", "region", "country", "channel",
)  # fmt: skip
_READ_NUMBERS = ("quantity", "unit_price", "revenue", "transaction_fee", "loan_amount", "interest_rate", "success_rate")
NUMBERS = frozenset({"amount", "refund", *_READ_NUMBERS})
"""The columns that hold numbers, as text; an amount that can't be read stands as it was."""


def write_lineage(rows: pl.LazyFrame, roles: Roles, as_parquet: Path, as_csv: Path) -> None:
    """Write every row in input order, so that each figure of the run can be worked out from them.

    `row`, `order_id`, `order_date` (YYYY-MM-DD HH:MM:SS), `customer_id`, `product` (its number, else its name),
    `currency`, `amount` (what the row adds to the sum), `refund` (the part of it that was given back, at most 0) and
    `sale` (whether the row counts as an order and for a customer) are always there. Of the columns for the product,
    place, channel, quantity, price, fee, loan, rate, fraud and success those follow that the file has; `file_status`
    and `file_type` are the words of its status and type. Numbers are exact with no zeros at their end; a date or an
    amount that can't be read stands as it was (credit and debit with a bar between them). `status` is `used`, or the
    reason why the row does not count. `row_hash` is the SHA-256, in hex, of all cells of the row as they stand in the
    file, in its order, with U+001F between them. The CSV is fit for spreadsheets, where a text that is like a formula
    has an apostrophe in front; the Parquet has every text as it is.
    """
    flags = {"fraud_flag": "fraud", "success_rate": "success"}
    columns = {
        "row": pl.col("row"),
        "order_id": pl.col("order_id"),
        "order_date": pl.coalesce(pl.col("moment").dt.to_string("%Y-%m-%d %H:%M:%S"), "date_text"),
        "customer_id": pl.col("customer_id"),
        "product": pl.col("product"),
        "currency": pl.col("currency"),
        "amount": pl.coalesce(written(pl.col("amount")), "amount_text"),
        "refund": written(pl.col("refund")),
        "sale": pl.col("sold"),
        **{name: pl.col(name) for name in _TEXTS if roles.has(name)},
        **{name: written(pl.col(name)) for name in _READ_NUMBERS if roles.has(name)},
        **{flag: pl.col(flag) for role, flag in flags.items() if roles.has(role)},
        **{f"file_{name}": pl.col(name) for name in ("status", "type") if roles.has(name)},
        "status": pl.col("reason").fill_null("used"),
        "row_hash": pl.col("hash"),
    }
    selected = rows.select(**columns)
    # One after the other: two sinks of one query wait for each other with their hands full.
    selected.sink_parquet(as_parquet, row_group_size=ROW_GROUP, engine="streaming")
    file = pl.scan_parquet(as_parquet, glob=False)
    texts = [
        guarded(pl.col(name))
        for name, kind in file.collect_schema().items()
        if kind == pl.String and name not in ("status", "row_hash", "refund", *_READ_NUMBERS)
    ]
    file.with_columns(texts).sink_csv(as_csv, engine="streaming")
