"""Counts, lists and amounts as the sentences of the dashboard write them."""

from __future__ import annotations

from collections.abc import Sequence

from assay.datasets.transactions.figures import money
from assay.datasets.transactions.results import Results, Total
from assay.page.markup import few


def rows(count: int) -> str:
    """Say how many rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def amount_of(total: Total, results: Results) -> str:
    """Write a total with its currency."""
    return in_currency(money(total.sums.amount, results.places) or "", total.currency)


def in_currency(text: str, currency: str | None) -> str:
    """Group the thousands of a written amount and put its currency behind it."""
    whole, mark, rest = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{mark}{rest}" + (f" {currency}" if currency else "")


def these(names: Sequence[str]) -> str:
    """Name the first five."""
    return few(names, 5)
