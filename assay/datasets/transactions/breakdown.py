"""Amounts by region, country, category, product, channel and customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assay.datasets.transactions.figures import Sums, grouped
from assay.datasets.transactions.limits import MAX_LISTED
from assay.datasets.transactions.roles import Roles


@dataclass(frozen=True)
class Part:
    """What one value of a dimension stands for in one currency; `value` is None for the rows that have none."""

    value: str | None
    name: str | None
    sums: Sums


@dataclass(frozen=True)
class Breakdown:
    """The values of one dimension in one currency, the largest amount first; at most 2,000 of `values` are listed.

    `total` is what all values add up to.
    """

    dimension: str
    currency: str | None
    values: int
    parts: list[Part]
    total: Sums

    def others(self, limit: int) -> Sums | None:
        """Add up all values but the first `limit`; None where there are no others.

        Orders and customers are 0: they can't be added up, for one may be in several values.
        """
        shown = self.parts[:limit]
        if len(shown) == self.values:
            return None
        return self.total.less([part.sums for part in shown])


def breakdowns(used: pl.LazyFrame, roles: Roles, totals: Mapping[str | None, Sums]) -> list[Breakdown]:
    """Break the amounts down by each dimension that the file has, and by customer, in each currency."""
    dimensions = [*roles.dimensions, *(["customer_id"] if roles.has("customer_id") else [])]
    return [part for dimension in dimensions for part in _breakdown(used, roles, dimension, totals)]


def _breakdown(used: pl.LazyFrame, roles: Roles, dimension: str, totals: Mapping[str | None, Sums]) -> list[Breakdown]:
    table = grouped(used, ["currency", dimension], roles)
    named = dimension == "product" and roles.has("product_id", "product_name")
    if named:
        # A product may go by several names: the first by the alphabet is shown, whatever the order of the rows.
        names = used.group_by(dimension).agg(pl.col("product_name").min().alias("name")).collect(engine="streaming")
        table = table.join(names, on=dimension, how="left", nulls_equal=True)
    made = []
    order = ["amount", dimension]
    for (currency,), part in sorted(
        table.partition_by("currency", as_dict=True).items(), key=lambda item: (item[0][0] is not None, item[0])
    ):
        top = part.sort(order, descending=[True, False], nulls_last=True).head(MAX_LISTED)
        parts = [
            Part(
                value=row[dimension],
                name=row.get("name") if row[dimension] is not None else None,
                sums=Sums.of(row),
            )
            for row in top.iter_rows(named=True)
        ]
        code = None if currency is None else str(currency)
        made.append(Breakdown(dimension, code, part.height, parts, totals[code]))
    return made
