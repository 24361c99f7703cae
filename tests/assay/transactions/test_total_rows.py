"""Totals and balances among the rows: they are no transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.run import Analysis
from tests.assay.outputs import json_of, path_of, table_of
from tests.assay.transactions.tables import amounts

Analyse = Callable[..., Analysis]

ORDERS = "order_date,order_id,customer_id,amount\n"
JANUARY = "2025-01-01,O1,C1,10.00\n2025-01-02,O2,C2,20.50\n"
FEBRUARY = "2025-02-01,O3,C1,5.00\n"
STATEMENT = "Date,Description,Amount\n2025-01-01,Rent,-40.00\n2025-01-02,Wages,100.00\n"


@pytest.mark.parametrize(
    ("text", "amount", "refused"),
    [
        (ORDERS + JANUARY + "2025-01-31,TOTAL,,30.50\n", "30.50", [3]),
        (ORDERS + JANUARY + "2025-01-31,Subtotal,,30.50\n" + FEBRUARY
         + "2025-02-28,Zwischensumme:,,5.00\n2025-02-28,Grand Total,,35.50\n", "35.50", [3, 5, 6]),
        (ORDERS + "2025-01-01,,Total,30.50\n" + JANUARY, "30.50", [1]),
        (ORDERS + JANUARY + "2025-01-31,Total January,,30.50\n", "30.50", [3]),
        (STATEMENT + "2025-01-03,Total,60.00\n", "60.00", [3]),
        (STATEMENT + "2025-01-03,Opening balance,999.00\n", "60.00", [3]),
        (STATEMENT + "2025-01-03,Anfangssaldo 01.01.,999.00\n", "60.00", [3]),
    ],
)  # fmt: skip
def test_a_total_is_no_transaction(analyse: Analyse, text: str, amount: str, refused: list[int]) -> None:
    found = analyse(text)
    figures = json_of(found, "kpis.json")
    assert amounts(figures) == {None: amount}
    assert figures["quality"]["refused"] == {"total_row": {"count": len(refused), "rows": refused}}
    head, *rows = table_of(found, "audit_lineage.csv")
    assert [at for at, row in enumerate(rows, 1) if row[head.index("status")] == "total_row"] == refused
    assert "with a total or a balance in place of a transaction" in path_of(found, "dashboard.html").read_text()


@pytest.mark.parametrize(
    ("text", "amount", "says"),
    [
        (ORDERS + JANUARY + "2025-01-31,TOTAL,,99.00\n", "30.50", "not the sum of the rows above: row 3."),
        (STATEMENT + "2025-01-03,Total,-45.20\n", "14.80", "Counted, though perhaps totals"),
    ],
)
def test_a_word_whose_sum_does_not_match(analyse: Analyse, text: str, amount: str, says: str) -> None:
    found = analyse(text)
    assert amounts(json_of(found, "kpis.json")) == {None: amount}
    assert says in path_of(found, "dashboard.html").read_text()


@pytest.mark.parametrize(
    "row", ["2025-01-31,O9,Total,30.50\n", "2025-01-31,,Total Energies,4.00\n", "2025-01-31,O9,Summer sale,30.50\n"]
)
def test_a_name_that_is_like_a_total(analyse: Analyse, row: str) -> None:
    figures = json_of(analyse(ORDERS + JANUARY + row), "kpis.json")
    assert figures["rows"]["used"] == 3
