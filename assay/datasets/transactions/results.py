"""All results of a run, from which its outputs are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl
from pydantic import JsonValue

from assay.datasets.transactions.anomalies import Anomalies
from assay.datasets.transactions.breakdown import Breakdown
from assay.datasets.transactions.by_status import StatusPart
from assay.datasets.transactions.customers import Customers
from assay.datasets.transactions.figures import Sums, grouped
from assay.datasets.transactions.ignored import Ignored
from assay.datasets.transactions.limits import MAX_CURRENCIES
from assay.datasets.transactions.months import Month
from assay.datasets.transactions.orders import WholeOrders
from assay.datasets.transactions.quality import Quality
from assay.datasets.transactions.rates import Loans, Mean, Proportion
from assay.datasets.transactions.reconcile import Reconciliation
from assay.datasets.transactions.roles import Roles
from assay.datasets.transactions.statuses import Statuses
from assay.datasets.transactions.survey import Survey
from assay.datasets.transactions.total_rows import TotalRows
from assay.detection.roles import Columns
from assay.errors import Unprocessable


@dataclass(frozen=True)
class Total:
    """All used rows of one currency (None where none is stated), and their first and last day."""

    currency: str | None
    sums: Sums
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Results:
    """The results, part by part; None where the file has not what a part needs, which `left_out` says.

    `totals` has the currency of the most rows first. `fraud` holds the rates by dimension, that of all rows under "".
    `days` are the exact amounts by currency and day. `places` are the digits behind the mark that amounts are written
    with, `ignored` are columns that may say what does not count, `chosen_columns` says why each column plays its part,
    `top` is how many values a list names, `currency` the only one that was looked at.
    """

    roles: Roles
    columns: tuple[str, ...]
    survey: Survey
    statuses: Statuses
    by_status: list[StatusPart]
    orders: WholeOrders
    ignored: list[Ignored]
    total_rows: TotalRows
    quality: Quality
    totals: list[Total]
    months: list[Month]
    customers: Customers | None
    breakdowns: list[Breakdown]
    fraud: Mapping[str, Mapping[str | None, Proportion]]
    success: Proportion | Mean | None
    fee_rates: Mapping[str | None, Mean]
    loans: list[Loans]
    reconciliation: Reconciliation | None
    anomalies: Mapping[str | None, Anomalies]
    days: Mapping[str | None, list[tuple[date, Decimal]]]
    places: int
    top: int
    currency: str | None
    confidence: float
    chosen_columns: Columns
    read_as: dict[str, JsonValue]
    left_out: Mapping[str, str]

    @property
    def rows_used(self) -> int:
        """How many rows went into the figures."""
        return sum(total.sums.rows for total in self.totals)

    @property
    def negative_name(self) -> str:
        """What the sum of the amounts below 0 is called."""
        debits = self.roles.measure == "net_amount" or self.statuses.words("type", "debit")
        return "paid_out" if debits else "refunds"

    @property
    def rows_refused(self) -> int:
        """How many rows could not be used."""
        return sum(refused.count for refused in self.quality.refused.values())

    @property
    def rows_not_counted(self) -> int:
        """How many rows could be read and are not counted, because of their status or type."""
        return self.survey.rows_read - self.rows_used - self.rows_refused


def totals(used: pl.LazyFrame, roles: Roles) -> list[Total]:
    """Add up each currency, the one of the most rows first. Raises Unprocessable too_many_currencies."""
    count = used.select(pl.col("currency").n_unique()).collect(engine="streaming").item()
    if count > MAX_CURRENCIES:
        raise Unprocessable(
            "too_many_currencies",
            f"The rows name {count:,} currencies; at most {MAX_CURRENCIES} are taken.",
            "Check that the column of currencies holds nothing else, or name the one to look at in `currency`.",
        )
    days = used.group_by("currency").agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
    table = grouped(used, ["currency"], roles).join(days.collect(engine="streaming"), on="currency", nulls_equal=True)
    ranked = table.sort("rows", "currency", descending=[True, False], nulls_last=True)
    return [Total(row["currency"], Sums.of(row), row["first"], row["last"]) for row in ranked.iter_rows(named=True)]
