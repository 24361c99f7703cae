"""Columns that say that a row does not count, or counts for less: taken into account where clear, else named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from assay.run import Analysis
from tests.assay.outputs import path_of
from tests.assay.transactions.tables import Kpis, amounts

Analyse = Callable[..., Analysis]


def orders(header: str, marked: str, plain: str) -> str:
    """Ten orders of 100, the third and the seventh of which are marked."""
    cells = [marked if at in (3, 7) else plain for at in range(1, 11)]
    lines = [f"T{at},2025-01-{at:02d},C{at},100.00,{cell}\n" for at, cell in enumerate(cells, 1)]
    return f"Order ID,Order Date,Customer ID,Total,{header}\n" + "".join(lines)


@pytest.mark.parametrize(
    ("header", "marked", "plain", "amount"),
    [
        ("Refund", "30.00", "0.00", "940.00"), ("Total Refunded", "30.00", "", "940.00"),
        ("Returned Amount", "-30.00", "0", "940.00"), ("Erstattung", "30.00", "", "940.00"),
        ("Document Type", "Credit Note", "Invoice", "600.00"), ("Belegart", "Stornorechnung", "Rechnung", "600.00"),
        ("Cancelled At", "2025-01-09 10:00", "", "800.00"), ("canceled_at", "9 Jan 2025", "", "800.00"),
        ("cancelled", "true", "false", "800.00"), ("is_canceled", "1", "0", "800.00"),
        ("Storniert", "ja", "nein", "800.00"), ("Void", "Y", "N", "800.00"),
    ],
)  # fmt: skip
def test_what_is_clear_is_taken_into_account(kpis: Kpis, header: str, marked: str, plain: str, amount: str) -> None:
    assert amounts(kpis(orders(header, marked, plain))) == {None: amount}


def test_a_person_may_count_the_cancelled(kpis: Kpis) -> None:
    text = orders("Cancelled At", "2025-01-09", "")
    assert amounts(kpis(text, {"columns": {"cancelled": None}})) == {None: "1000.00"}


@pytest.mark.parametrize(
    ("header", "marked", "plain"),
    [
        ("Payment Status,Order Status", "paid,cancelled", "paid,completed"),
        ("is_return", "yes", "no"), ("Returned", "1", "0"), ("Refunded", "yes", "no"), ("Refunded", "1", "0"),
        ("Refunded At", "2025-02-01", ""), ("Chargeback Date", "2025-02-01", ""),
        ("Type,Document Type", "Invoice,Credit Note", "Invoice,Invoice"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_named(analyse: Analyse, kpis: Kpis, header: str, marked: str, plain: str) -> None:
    text = orders(header, marked, plain)
    assert amounts(kpis(text)) == {None: "1000.00"}
    page = path_of(analyse(text), "dashboard.html").read_text()
    assert f"{header.rsplit(',', maxsplit=1)[-1]} is not used, and has" in page
    assert "in 2 rows that count (200.00)" in page
    silent = path_of(analyse(orders(header, plain, plain)), "dashboard.html").read_text()
    assert "is not used, and has" not in silent


@pytest.mark.parametrize("header", ["Returning Customer", "Return Policy", "Fulfillment Status", "Refundable"])
def test_a_column_of_another_meaning_is_not_named(analyse: Analyse, header: str) -> None:
    page = path_of(analyse(orders(header, "pending", "no")), "dashboard.html").read_text()
    assert "is not used, and has" not in page


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["0.1", "0.25"], {"As a share of the amount": [Decimal("0.1") * 20, Decimal("0.25") * 20]}),
        (["5", "2.50"], {"As an amount of the row": [5, Decimal("2.5")], "As percent": [1, Decimal("0.5")]}),
        (["10%", "20%"], {"As a share of the amount": [2, 4]}),
    ],
)
def test_a_discount_beside_quantity_and_price(
    analyse: Analyse, cells: list[str], says: dict[str, list[Decimal]]
) -> None:
    lines = [f"{at},2025-01-0{at},C{at},2,10.00,{cell}\n" for at, cell in enumerate([*cells, "0"], 1)]
    text = "order_id,order_date,customer_id,quantity,unit_price,discount\n" + "".join(lines)
    page = path_of(analyse(text), "dashboard.html").read_text()
    assert "discount is not taken off quantity times unit price, and is above 0 in 2 rows." in page
    for name, off in says.items():
        assert f"{name}, it would leave {60 - sum(off):.2f}." in page
