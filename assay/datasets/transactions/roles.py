"""Which column plays which part, and what the amount of a row is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Measure = Literal["revenue", "net_amount", "loan_amount", "transaction_fee"]

DIMENSIONS = ("region", "country", "product_category", "product_subcategory", "product", "channel")
"""What amounts are broken down by; `product` is its number where there is one, else its name."""

OF_A_LINE = frozenset({"product_category", "product_subcategory", "product"})
"""The dimensions of the lines of an order: an amount of the whole order can't be broken down by them."""

MONEY = ("revenue", "unit_price", "loan_amount", "transaction_fee", "refunded_amount", "debit", "credit")
RATES = ("interest_rate", "success_rate")
NUMBERS = (*MONEY, "quantity", "interest_rate")


@dataclass(frozen=True)
class Roles:
    """The position of the column that plays each part, and what is added up.

    `measure` is revenue where the file has it or can be computed from quantity and unit price; else credit less debit,
    called the net amount; else the loan amount, else the fee. `amount_columns` are the roles whose columns hold it,
    none where every amount is computed. `whole_orders` says that the amount of an order stands on its lines as a whole
    and is counted once.
    """

    positions: Mapping[str, int]
    measure: Measure
    amount_columns: tuple[str, ...]
    whole_orders: bool = False

    def has(self, *roles: str) -> bool:
        """Whether all of these parts are played."""
        return all(role in self.positions for role in roles)

    @property
    def can_compute(self) -> bool:
        """Whether a blank revenue can be computed."""
        return self.measure == "revenue" and self.has("quantity", "unit_price")

    @property
    def money_columns(self) -> tuple[str, ...]:
        """The columns of money that the figures use."""
        return tuple(dict.fromkeys((*self.amount_columns, *(role for role in MONEY if self.has(role)))))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the file has for its amounts, in their usual order."""
        product = self.has("product_id") or self.has("product_name")
        has = {name: product if name == "product" else self.has(name) for name in DIMENSIONS}
        return tuple(name for name in DIMENSIONS if has[name] and not (self.whole_orders and name in OF_A_LINE))


def choose(positions: Mapping[str, int]) -> Roles:
    """Choose what is added up, of the columns that `require_columns` found."""
    if "revenue" in positions:
        return Roles(positions, "revenue", ("revenue",))
    if "quantity" in positions and "unit_price" in positions:
        return Roles(positions, "revenue", ())
    if "debit" in positions and "credit" in positions:
        return Roles(positions, "net_amount", ("credit", "debit"))
    measure: Measure = "loan_amount" if "loan_amount" in positions else "transaction_fee"
    return Roles(positions, measure, (measure,))
