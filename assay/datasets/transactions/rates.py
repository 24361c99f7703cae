"""Fraud, success and fees as rates with their confidence intervals, and loans with their interest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

import polars as pl

from assay.datasets.transactions.amounts import product
from assay.datasets.transactions.roles import Roles

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
# Whole numbers of 30 bits: their squares fit into 64, and the sum of the squares into 128.
_STEPS = 2.0**30


@dataclass(frozen=True)
class Proportion:
    """How many of some rows have a flag, and the Wilson interval of the rate behind it."""

    yes: int
    rows: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Mean:
    """A mean or a ratio with its interval by the normal approximation; no interval for fewer than 2 rows."""

    rows: int
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Loans:
    """The loans of one product (or category, or of all) in one currency; rates are None where none is given.

    `weighted_rate` is the mean rate of the amounts, each rate counting as much as its loan.
    """

    value: str | None
    currency: str | None
    loans: int
    amount: Decimal
    with_rate: int
    mean_rate: float | None
    weighted_rate: float | None
    lowest_rate: Decimal | None
    highest_rate: Decimal | None


def wilson(yes: int, rows: int) -> Proportion:
    """Estimate a proportion (rows > 0) with its 95 % score interval.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212;
    recommended by Brown, Cai and DasGupta, Interval estimation for a binomial proportion, Stat. Science 16 (2001).
    """
    share, square = yes / rows, Z * Z
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    half = Z / (1 + square / rows) * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    # At either end the interval begins at 0 or ends at 1, which rounding would miss by a little.
    low = 0.0 if yes == 0 else max(0.0, centre - half)
    high = 1.0 if yes == rows else min(1.0, centre + half)
    return Proportion(yes, rows, *(round(value, 6) for value in (share, low, high)))


def flagged(used: pl.LazyFrame, column: str, dimension: str | None = None) -> dict[str | None, Proportion]:
    """Estimate the share of rows with a flag among those where it is known, for each value of a dimension."""
    known = used.filter(pl.col(column).is_not_null())
    group = pl.col(dimension) if dimension else pl.lit(None, pl.String)
    counts = known.group_by(group.alias("value")).agg(
        pl.col(column).sum().cast(pl.Int64).alias("yes"), pl.len().cast(pl.Int64).alias("rows")
    )
    table = counts.collect(engine="streaming").sort("rows", "value", descending=[True, False], nulls_last=True)
    return {value: wilson(yes, rows) for value, yes, rows in table.iter_rows()}


def mean_of(used: pl.LazyFrame, column: str) -> Mean | None:
    """Estimate the mean of an exact column; None where it has no value."""
    known = used.filter(pl.col(column).is_not_null()).with_columns(pl.lit(None, pl.String).alias("group"))
    total, rows = known.select(pl.col(column).sum().alias("total"), pl.len()).collect(engine="streaming").row(0)
    if not rows:
        return None
    value = float(total / rows)
    apart = known.select("group", (pl.col(column).cast(pl.Float64) - value).alias("apart"))
    return _interval(rows, value, _squares(apart).get(None, 0.0), 1.0)


def fee_rates(used: pl.LazyFrame) -> dict[str | None, Mean]:
    """Estimate fees as a share of the amounts, by currency, over rows that have both.

    The ratio of two sums, with the interval of the ratio estimator: W. G. Cochran, Sampling Techniques (3rd ed. 1977),
    6.4. A currency whose amounts do not add up to more than 0 has none.
    """
    both = used.filter(pl.col("transaction_fee").is_not_null()).select("currency", "transaction_fee", "amount")
    sums = (
        both.group_by("currency").agg(pl.col("transaction_fee", "amount").sum(), pl.len()).collect(engine="streaming")
    )
    sums = sums.filter(pl.col("amount") > 0)
    if not sums.height:
        return {}
    ratios = sums.select("currency", pl.Series("ratio", [float(fee / of) for _, fee, of, _ in sums.iter_rows()]))
    apart = pl.col("transaction_fee").cast(pl.Float64) - pl.col("ratio") * pl.col("amount").cast(pl.Float64)
    joined = both.join(ratios.lazy(), on="currency", nulls_equal=True)
    squares = _squares(joined.select(pl.col("currency").alias("group"), apart.alias("apart")))
    return {
        currency: _interval(rows, float(fee / of), squares.get(currency, 0.0), float(of / rows))
        for currency, fee, of, rows in sums.sort("currency").iter_rows()
    }


def loans(used: pl.LazyFrame, roles: Roles) -> list[Loans]:
    """Add up the loans (amounts above 0) by currency and product, or category where there is no product."""
    by = next((name for name in ("product", "product_category") if name in roles.dimensions), None)
    value = pl.col(by) if by else pl.lit(None, pl.String)
    loan, interest = pl.col("loan_amount"), pl.col("interest_rate")
    rated = interest.is_not_null()
    table = (
        used.filter(loan > 0)
        .group_by("currency", value.alias("value"))
        .agg(
            pl.len().cast(pl.Int64).alias("loans"),
            loan.sum().alias("amount"),
            rated.sum().cast(pl.Int64).alias("with_rate"),
            interest.sum().alias("rates"),
            product(loan, interest).sum().alias("weighted"),
            loan.filter(rated).sum().alias("weights"),
            interest.min().alias("lowest_rate"),
            interest.max().alias("highest_rate"),
        )
        .collect(engine="streaming")
        .sort("currency", "amount", "value", descending=[False, True, False], nulls_last=True)
    )
    return [
        Loans(
            value=row["value"],
            currency=row["currency"],
            loans=row["loans"],
            amount=row["amount"],
            with_rate=row["with_rate"],
            mean_rate=round(float(row["rates"] / row["with_rate"]), 6) if row["with_rate"] else None,
            weighted_rate=round(float(row["weighted"] / row["weights"]), 6) if row["with_rate"] else None,
            lowest_rate=row["lowest_rate"],
            highest_rate=row["highest_rate"],
        )
        for row in table.iter_rows(named=True)
    ]


def _squares(apart: pl.LazyFrame) -> Mapping[str | None, float]:
    """Add up the squares of doubles by group, in whole steps of the largest, so that the order makes no difference."""
    size = pl.col("apart").abs().max()
    largest = apart.select(size).collect(engine="streaming").item()
    if not largest:
        return {}
    steps = (pl.col("apart") / largest * _STEPS).round().cast(pl.Int64)
    table = (
        apart.group_by("group").agg((steps * steps).cast(pl.Int128).sum().alias("squares")).collect(engine="streaming")
    )
    step = largest / _STEPS
    return {group: squares * step * step for group, squares in table.iter_rows()}


def _interval(rows: int, value: float, squares: float, scale: float) -> Mean:
    if rows < 2:
        return Mean(rows, round(value, 6), None, None)
    half = Z * math.sqrt(squares / (rows - 1) / rows) / scale
    return Mean(rows, *(round(number, 6) for number in (value, value - half, value + half)))
