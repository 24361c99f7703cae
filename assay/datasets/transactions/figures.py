"""Sums and counts of groups of rows, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import polars as pl

from assay.datasets.transactions.roles import Roles

# Wide enough for every sum, and for a product of two of them.
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)
_RATE_PLACES = 6
_OPTIONAL = {"quantity": "quantity", "transaction_fee": "fees", "loan_amount": "loans"}


@dataclass(frozen=True)
class Sums:
    """What was added up and counted of some used rows; what the file has no column for is None.

    `refunds` is the sum of the negative amounts and of what was refunded of others; `amount` has it in it. Orders and
    customers are those of sales; an order is a different order_id, or a sale where there is no such column.
    """

    rows: int
    amount: Decimal
    refunds: Decimal
    refund_rows: int
    orders: int
    customers: int | None
    quantity: Decimal | None
    fees: Decimal | None
    loans: Decimal | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Sums:
        """Take a row of what `grouped` gave."""
        return cls(*(row.get(name) for name in cls.__dataclass_fields__))  # type: ignore[arg-type]

    def less(self, parts: Sequence[Sums]) -> Sums:
        """Take off what is in some parts; orders and customers, which can't be added up, become 0."""

        def rest(whole: Decimal | None, taken: Sequence[Decimal | None]) -> Decimal | None:
            # Sums have up to 38 digits, and the usual 28 would cut them.
            return None if whole is None else _EXACT.subtract(whole, _added(taken))

        return Sums(
            rows=self.rows - sum(part.rows for part in parts),
            amount=_EXACT.subtract(self.amount, _added([part.amount for part in parts])),
            refunds=_EXACT.subtract(self.refunds, _added([part.refunds for part in parts])),
            refund_rows=self.refund_rows - sum(part.refund_rows for part in parts),
            orders=0,
            customers=None if self.customers is None else 0,
            quantity=rest(self.quantity, [part.quantity for part in parts]),
            fees=rest(self.fees, [part.fees for part in parts]),
            loans=rest(self.loans, [part.loans for part in parts]),
        )


def _added(values: Sequence[Decimal | None]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = _EXACT.add(total, value or Decimal(0))
    return total


def grouped(frame: pl.LazyFrame, keys: Sequence[str], roles: Roles) -> pl.DataFrame:
    """Group used rows and return, beside the keys, the columns of Sums that the file has something for; in no order."""
    amount = pl.col("amount")
    orders = different("order") if roles.has("order_id") else pl.col("sold").sum().cast(pl.Int64)
    wanted = [
        pl.len().cast(pl.Int64).alias("rows"),
        amount.sum(),
        pl.col("refund").sum().alias("refunds"),
        (pl.col("refund") < 0).sum().cast(pl.Int64).alias("refund_rows"),
        orders.alias("orders"),
    ]
    if roles.has("customer_id"):
        wanted.append(different("customer").alias("customers"))
    for role, name in _OPTIONAL.items():
        if roles.has(role):
            # Polars' sum of nothing is 0, and what was never given is no 0.
            wanted.append(pl.when(pl.col(role).count() > 0).then(pl.col(role).sum()).alias(name))
    return frame.group_by(keys).agg(wanted).collect(engine="streaming")


def different(column: str) -> pl.Expr:
    """Count the different values, blanks left aside."""
    value = pl.col(column)
    return value.n_unique().cast(pl.Int64) - (value.null_count() > 0)


def money(value: Decimal | None, places: int) -> str | None:
    """Write an exact amount with at least `places` digits behind the mark, more only where it has more."""
    if value is None:
        return None
    least = _EXACT.quantize(value, Decimal(1).scaleb(-places)) if places else _EXACT.to_integral_value(value)
    exact = least if least == value else value.normalize(_EXACT)
    return f"{abs(exact) if exact == 0 else exact:f}"


def mean(total: Decimal | None, count: int, places: int) -> str | None:
    """Divide a sum by a count, rounded half to even to at least two digits behind the mark; None for none of them."""
    if total is None or not count:
        return None
    return money(_EXACT.quantize(_EXACT.divide(total, Decimal(count)), Decimal(1).scaleb(-max(2, places))), places)


def rate(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    """Divide, rounded half to even to 6 digits behind the mark; None where `whole` is not above 0."""
    if part is None or whole is None or whole <= 0:
        return None
    ratio = _EXACT.divide(Decimal(part), Decimal(whole))
    return float(_EXACT.quantize(ratio, Decimal(1).scaleb(-_RATE_PLACES)))


def growth(now: Decimal | None, before: Decimal | None) -> float | None:
    """Tell by what share an amount grew; None where there was none before, or not above 0."""
    return None if now is None or before is None else rate(_EXACT.subtract(now, before), before)


def written(value: pl.Expr) -> pl.Expr:
    """Write exact decimals as text with no zeros at the end."""
    return value.cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
