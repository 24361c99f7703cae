"""New and returning customers, cohorts, and who came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from assay.datasets.transactions.figures import different
from assay.datasets.transactions.roles import Roles


@dataclass(frozen=True)
class Customers:
    """Who bought when, over all currencies, among the sales that name a customer.

    `new` counts by currency and month the customers whose first month, in whatever currency, it is. `cohorts` counts
    by first month and by month the customers of that first month who bought in that month.
    """

    customers: int
    repeat: int
    rows_without: int
    new: Mapping[tuple[str | None, date], int]
    cohorts: Mapping[date, Mapping[date, int]]

    def retention(self) -> list[tuple[date, int, list[tuple[int, int]]]]:
        """List each cohort's first month, its size, and for each month since then that has any, who bought."""
        return [
            (first, active[first], [(_apart(first, month), active[month]) for month in sorted(active)])
            for first, active in sorted(self.cohorts.items())
        ]


def customers(used: pl.LazyFrame, roles: Roles) -> Customers | None:
    """Follow the customers; None where the file has no column for them or none is named."""
    if not roles.has("customer_id"):
        return None
    sold = used.filter("sold")
    named = sold.filter(pl.col("customer").is_not_null())
    orders = different("order") if roles.has("order_id") else pl.len()
    firsts = named.group_by("customer").agg(pl.col("month").min().alias("first"), orders.cast(pl.Int64).alias("orders"))
    # Held as a frame, since two questions are asked of it.
    each = firsts.collect(engine="streaming")
    if not each.height:
        return None
    without = sold.select(pl.col("customer").is_null().sum()).collect(engine="streaming").item()
    active = (
        named.select("currency", "month", "customer")
        .unique()
        .join(each.lazy().select("customer", "first"), on="customer")
        .collect(engine="streaming")
    )
    new = active.filter(pl.col("first") == pl.col("month")).group_by("currency", "month").len()
    pairs = active.select("customer", "first", "month").unique().group_by("first", "month").len().sort("first", "month")
    cohorts: dict[date, dict[date, int]] = {}
    for first, month, count in pairs.iter_rows():
        cohorts.setdefault(first, {})[month] = count
    return Customers(
        customers=each.height,
        repeat=each.filter(pl.col("orders") >= 2).height,
        rows_without=without,
        new={(currency, month): count for currency, month, count in new.iter_rows()},
        cohorts=cohorts,
    )


def _apart(first: date, month: date) -> int:
    return (month.year - first.year) * 12 + month.month - first.month
