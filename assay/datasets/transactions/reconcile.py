"""Revenue against quantity times unit price, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from assay.datasets.transactions.amounts import EXACT, product
from assay.datasets.transactions.figures import written
from assay.datasets.transactions.limits import MAX_BREAKS
from assay.write.spreadsheet_text import guarded


@dataclass(frozen=True)
class Break:
    """One row whose revenue is not quantity times unit price; amounts are exact."""

    row: int
    order_id: str | None
    currency: str | None
    quantity: Decimal
    unit_price: Decimal
    revenue: Decimal
    expected: Decimal
    difference: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """What came of the comparison; `difference` is revenue less what was expected, of all rows, by currency.

    `tolerance` is half a unit of the last digit that revenue is written with; `price_rounding` counts the breaks that
    a unit price rounded to its own last digit would explain. `largest` are the breaks with the largest differences.
    """

    rows: int
    tolerance: Decimal
    breaks: int
    price_rounding: int
    listed: int
    difference: Mapping[str | None, Decimal]
    largest: list[Break]


def reconcile(used: pl.LazyFrame, places: Mapping[str, int], top: int, path: Path) -> Reconciliation:
    """Compare the rows that have all three numbers, and write the breaks to `path` as CSV, in input order.

    A row is a break where the difference is more than the tolerance.
    """
    tolerance = Decimal(5).scaleb(-places["revenue"] - 1)
    price_unit = Decimal(5).scaleb(-places["unit_price"] - 1)
    numbers = ("quantity", "unit_price", "revenue")
    rows = used.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in numbers))
    rows = rows.select(
        "row", "order_id", "currency", *numbers, product(pl.col("quantity"), pl.col("unit_price")).alias("expected")
    )
    rows = rows.filter(pl.col("expected").is_not_null())
    difference = pl.col("revenue") - pl.col("expected")
    rows = rows.with_columns(difference.alias("difference"))
    size = pl.col("difference").abs()
    is_break = size > pl.lit(tolerance, EXACT)
    explained = product(pl.col("quantity").abs(), pl.lit(price_unit, EXACT)) + pl.lit(tolerance, EXACT)
    rounding = (size <= explained).fill_null(value=False)
    counts = (
        rows.group_by("currency")
        .agg(
            pl.len(),
            is_break.sum().alias("breaks"),
            (is_break & rounding).sum().alias("rounding"),
            pl.col("difference").sum(),
        )
        .collect(engine="streaming")
        .sort("currency")
    )
    broken = rows.filter(is_break).with_columns(rounding.alias("price_rounding"))
    listed = broken.head(MAX_BREAKS)
    shown = [written(pl.col(name)).alias(name) for name in (*numbers, "expected", "difference")]
    texts = [guarded(pl.col(name)) for name in ("order_id", "currency")]
    order = ["row", "order_id", "currency", *numbers, "expected", "difference", "price_rounding"]
    listed.with_columns(*shown, *texts).select(order).sink_csv(path, engine="streaming")
    largest = broken.with_columns(size.alias("size")).sort("size", "row", descending=[True, False]).head(top)
    breaks = int(counts["breaks"].sum())
    return Reconciliation(
        rows=int(counts["len"].sum()),
        tolerance=tolerance,
        breaks=breaks,
        price_rounding=int(counts["rounding"].sum()),
        listed=min(breaks, MAX_BREAKS),
        difference=dict(counts.select("currency", "difference").iter_rows()),
        largest=[Break(*row) for row in largest.select(order[:-1]).collect(engine="streaming").iter_rows()],
    )
