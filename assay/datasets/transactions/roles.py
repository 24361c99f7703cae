"""Which column plays which part, and what the amount of a row is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Measure = Literal["revenue", "loan_amount", "transaction_fee"]

DIMENSIONS = ("region", "country", "product_category", "product_subcategory", "product", "channel")
"""What amounts are broken down by; `product` is its number where there is one, else its name."""

MONEY = ("revenue", "unit_price", "loan_amount", "transaction_fee")
RATES = ("interest_rate", "success_rate")
NUMBERS = (*MONEY, "quantity", "interest_rate")


@dataclass(frozen=True)
class Roles:
    """The position of the column that plays each part, and what is added up.

    `measure` is revenue where the file has it or can be computed from quantity and unit price; else the loan amount,
    else the fee. `amount_column` is the role whose column holds it, None where every amount is computed.
    """

    at: Mapping[str, int]
    measure: Measure
    amount_column: Measure | None

    def has(self, *roles: str) -> bool:
        """Whether all of these parts are played."""
        return all(role in self.at for role in roles)

    @property
    def can_compute(self) -> bool:
        """Whether a blank revenue can be computed."""
        return self.measure == "revenue" and self.has("quantity", "unit_price")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the file has, in their usual order."""
        product = self.has("product_id") or self.has("product_name")
        return tuple(name for name in DIMENSIONS if (product if name == "product" else self.has(name)))


def choose(at: Mapping[str, int]) -> Roles:
    """Choose what is added up, of the columns that `require_columns` found."""
    if "revenue" in at:
        return Roles(at, "revenue", "revenue")
    if "quantity" in at and "unit_price" in at:
        return Roles(at, "revenue", None)
    measure: Measure = "loan_amount" if "loan_amount" in at else "transaction_fee"
    return Roles(at, measure, measure)
