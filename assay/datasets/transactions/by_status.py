"""Rows and amounts by status and type: what counts, and beside it what does not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from assay.datasets.transactions.rows import usable
from assay.datasets.transactions.statuses import COLUMNS, Statuses


@dataclass(frozen=True)
class StatusPart:
    """The rows of one status, type and currency that could be read.

    `amount` is what they add to the total, or would add if they were counted. `not_counted` says why they are not: one
    of NOT_COUNTED, None where they are.
    """

    status: str | None
    type: str | None
    currency: str | None
    rows: int
    amount: Decimal
    not_counted: str | None


def by_status(rows: pl.LazyFrame, statuses: Statuses, *, has_cancelled: bool) -> list[StatusPart]:
    """Add up each status and type in each currency, counted ones and larger groups first.

    Empty where the file has neither column, or none with words of statuses or types, and nothing that says what was
    cancelled (`has_cancelled`).
    """
    columns = [name for name in COLUMNS if name in statuses.classes]
    if not columns and not has_cancelled:
        return []
    # What was refunded of a sale that does not count anyway was not taken off any sum.
    refunded = pl.col("reason").is_not_null() & pl.col("sold")
    amount = pl.when(refunded).then(pl.col("amount") - pl.col("refund")).otherwise("amount")
    groups = usable(rows).group_by(*columns, "currency", "reason")
    table = groups.agg(pl.len().cast(pl.Int64).alias("rows"), amount.sum().alias("sum")).collect(engine="streaming")
    order = ["counted", "rows", "currency", *columns]
    table = table.with_columns(pl.col("reason").is_null().alias("counted"))
    table = table.sort(order, descending=[True, True, *[False] * (len(order) - 2)], nulls_last=True)
    return [
        StatusPart(row.get("status"), row.get("type"), row["currency"], row["rows"], row["sum"], row["reason"])
        for row in table.iter_rows(named=True)
    ]
