"""Debits and credits told by a word beside amounts without signs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from assay.datasets.transactions.statuses import direction_of
from assay.run import Analysis
from tests.assay.outputs import json_of, path_of
from tests.assay.transactions.tables import Kpis, amounts

ROWS = [("100.00", 1), ("30.50", -1), ("7.25", -1), ("12.00", 1), ("1000.00", -1)]
NET = sum(Decimal(amount) * side for amount, side in ROWS)


def statement(header: str, debit: str, credit: str, sign: str = "") -> str:
    lines = [
        f"2025-03-0{at},T{at},{sign if side < 0 else ''}{amount},{debit if side < 0 else credit}\n"
        for at, (amount, side) in enumerate(ROWS, 1)
    ]
    return f"Date,Transaction ID,Amount,{header}\n" + "".join(lines)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("header", "debit", "credit"),
    [
        ("Transaction Type", "Debit", "Credit"), ("Dr/Cr", "DR", "Cr."), ("S/H", "S", "H"), ("Af Bij", "Af", "Bij"),
        ("Debit/Credit", "D", "C"), ("CdtDbtInd", "DBIT", "CRDT"), ("Type", "Money Out", "Money In"),
        ("Type", "Lastschrift", "Gutschrift"), ("Type", "Withdrawal", "Deposit"),
    ],
)  # fmt: skip
def test_a_debit_is_taken_off(kpis: Kpis, header: str, debit: str, credit: str, sign: str) -> None:
    figures = kpis(statement(header, debit, credit, sign))
    assert {name: Decimal(amount) for name, amount in amounts(figures).items()} == {None: NET}


def test_the_page_says_so(analyse: Callable[..., Analysis]) -> None:
    found = analyse(statement("Type", "DEBIT", "CREDIT"))
    page = path_of(found, "dashboard.html").read_text()
    assert "Type parts debits from credits, and the amounts have no signs" in page
    (total,) = json_of(found, "kpis.json")["currencies"]
    assert (total["refunds"], total["orders"]) == ("-1037.75", 2)
    chosen = json_of(analyse(statement("Type", "DEBIT", "CREDIT"), {"include_status": ["debit"]}), "kpis.json")
    assert amounts(chosen) == {None: "-1037.75"}


def test_a_debit_that_was_taken_back_is_below_0(kpis: Kpis) -> None:
    text = statement("Type", "Debit", "Credit") + "2025-03-09,T9,-30.50,Debit\n"
    assert Decimal(amounts(kpis(text))[None]) == NET + Decimal("30.50")


@pytest.mark.parametrize("text", ["Credit Note", "Credit card", "debit card", "Direct debit fee", "Sale", ""])
def test_what_is_no_direction(text: str) -> None:
    assert direction_of(text) is None


def test_words_beside_sales_are_no_directions(kpis: Kpis) -> None:
    """Sales on credit add up: the column says how they were paid."""
    text = "Date,Type,Amount\n2025-01-01,Sale,10\n2025-01-02,Credit,20\n2025-01-03,Debit,30\n"
    figures = kpis(text)
    assert (amounts(figures), figures["unknown_status_words"]) == ({None: "60"}, ["Credit", "Debit"])
