"""Which rows count and with which amount: statuses, types, order totals, refunds, debits, fees, and digits of noise."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from assay.datasets.transactions.statuses import class_of
from assay.errors import Unprocessable
from assay.run import Analysis
from tests.assay.outputs import json_of, path_of, table_of
from tests.assay.transactions.tables import Kpis, amounts

STATUSES = "order_id,order_date,customer_id,revenue,status\n" + "".join(
    f"{at},2025-01-0{at},c{at},{10**at}.00,{word}\n"
    for at, word in enumerate(["Completed", "wc-cancelled", "Zahlung ausstehend", "FAILED", "remboursé", "mystery"], 1)
)


def test_only_what_is_paid_counts_and_the_rest_is_shown(kpis: Kpis) -> None:
    figures = kpis(STATUSES)
    assert amounts(figures) == {None: "1000010.00"}
    assert figures["rows"] == figures["rows"] | {"read": 6, "used": 2, "not_counted": 4, "refused": 0}
    assert figures["unknown_status_words"] == ["mystery"]
    shown = {row["status"]: (row["rows"], row["amount"], row["counted"]) for row in figures["by_status"]}
    assert shown["wc-cancelled"] == (1, "100.00", "no: cancelled")
    assert shown["Completed"] == (1, "10.00", "yes")
    assert len(shown) == 6


@pytest.mark.parametrize(
    ("words", "amount"), [(["failed"], "10000.00"), (["completed", "Zahlung ausstehend"], "1010.00")]
)
def test_a_person_chooses_what_counts(kpis: Kpis, words: list[str], amount: str) -> None:
    figures = kpis(STATUSES, {"include_status": words})
    assert amounts(figures) == {None: amount}
    assert not figures["unknown_status_words"]


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        (STATUSES, ["completed", "canceled"], "The nearest: wc-cancelled. "),
        (STATUSES, ["✔"], "The file has: Completed, FAILED, "),
        ("date,amount\n2025-01-01,5\n", ["paid"], "no column of statuses or types"),
        ("date,amount,status\n" + "".join(f"2025-01-01,5,w{at}\n" for at in range(120)), ["w1"], "more than 100"),
        ("Date,Type,Debit,Credit\n2025-03-01,Transfer,10.00,\n", ["transfer"], "no column of statuses or types"),
    ],
    ids=["a typo", "a symbol", "no column", "too many words", "a statement's type"],
)
def test_a_chosen_word_that_the_file_does_not_have(kpis: Kpis, text: str, words: list[str], says: str) -> None:
    with pytest.raises(Unprocessable) as raised:
        kpis(text, {"include_status": words})
    assert raised.value.code == "no_such_status"
    assert words[-1] in raised.value.detail
    assert says in f"{raised.value.detail} {raised.value.suggestion}"


@pytest.mark.parametrize(("word", "amount"), [("✔", "5"), (" ✘ ", "7"), ("a-b", "9"), ("A b", "9")])
def test_a_word_may_be_a_symbol(kpis: Kpis, word: str, amount: str) -> None:
    text = "date,amount,status\n2025-01-01,5,✔\n2025-01-01,7,✘\n2025-01-01,9,a b\n"
    assert amounts(kpis(text, {"include_status": [word]})) == {None: amount}


def test_nothing_that_counts(kpis: Kpis) -> None:
    with pytest.raises(Unprocessable) as raised:
        kpis(STATUSES, {"currency": "EUR"})
    assert raised.value.code == "no_such_currency"
    with pytest.raises(Unprocessable) as raised:
        kpis("date,amount,status\n2025-01-01,5,cancelled\n2025-01-02,5,cancelled\n")
    assert raised.value.code == "no_counted_rows"
    assert "cancelled" in raised.value.suggestion


@pytest.mark.parametrize(
    ("column", "text", "meaning"),
    [
        ("status", "partially_refunded", "paid"), ("status", "キャンセル済み", "cancelled"),
        ("status", "on-hold", "pending"),
        ("status", "Pago", "paid"), ("status", "not paid", "pending"), ("status", "blue", "unknown"),
        ("type", "Reversal of General Account Hold", "hold"), ("type", "payment_refund", "refund"),
        ("type", "stripe_fee", "fee"), ("type", "General Withdrawal", "payout"), ("type", "Coffee", "unknown"),
        ("type", "Express Checkout Payment", "sale"), ("type", "void", "cancelled"),
    ],
)  # fmt: skip
def test_words(column: Any, text: str, meaning: str) -> None:
    assert class_of(column, text) == meaning


def test_types_of_a_payment_service(kpis: Kpis) -> None:
    rows = "charge,20.00,0.88|refund,-5.00,0|refund,3.00,0|payout,-10.00,0|stripe_fee,-1.00,0|adjustment,2.00,0"
    text = "Type,Amount,Fee,Currency,Created\n" + "".join(f"{row},usd,2025-01-01\n" for row in rows.split("|"))
    figures = kpis(text)
    (total,) = figures["currencies"]
    # A refund of 3.00 is written without its sign: it is taken off all the same.
    assert (total["amount"], total["refunds"], total["orders"]) == ("14.00", "-8.00", 2)
    assert figures["unknown_status_words"] == ["adjustment"]
    assert {row["type"] for row in figures["by_status"] if row["counted"] != "yes"} == {"payout", "stripe_fee"}


def test_a_type_that_says_how_it_was_paid_decides_nothing(kpis: Kpis) -> None:
    figures = kpis("order_date,amount,type\n2025-01-01,5,Bank transfer\n2025-01-02,6,Card payment\n")
    assert amounts(figures) == {None: "11"}


@pytest.mark.parametrize(
    ("refunds", "amount"),
    [("", "10.00"), ("3,2025-01-03,-20.00,refunded\n", "10.00"), ("3,2025-01-03,-15.00,refunded\n", "15.00")],
    ids=["no row of its own", "a row of its own", "part of it"],
)
def test_a_refunded_sale_counts_where_its_refund_does(kpis: Kpis, refunds: str, amount: str) -> None:
    text = "order_id,order_date,revenue,status\n1,2025-01-01,10.00,paid\n2,2025-01-02,20.00,refunded\n"
    assert amounts(kpis(text + refunds)) == {None: amount}


@pytest.mark.parametrize(
    ("refunds", "amount"), [("2,2025-01-05,-20.00,paid\n", "10.00"), ("2,2025-01-05,-5.00,completed\n", "25.00")]
)
def test_a_refund_is_not_taken_off_twice(kpis: Kpis, refunds: str, amount: str) -> None:
    """A refunded sale counts where a row of its own order takes it off, the other one does not."""
    text = "order_id,order_date,revenue,status\n1,2025-01-01,10.00,paid\n2,2025-01-02,20.00,refunded\n"
    assert amounts(kpis(text + "3,2025-01-03,40.00,refunded\n" + refunds)) == {None: amount}


def test_digits_beyond_those_that_are_kept_are_told(analyse: Callable[..., Analysis]) -> None:
    found = analyse("date,amount\n2025-01-01,0.000000000000000001\n2025-01-02,0.30000000000000004\n")
    assert "1 cell has more than 12 digits behind the mark" in path_of(found, "dashboard.html").read_text()


def test_a_refund_with_a_quantity_above_0_is_no_difference(kpis: Kpis) -> None:
    text = "order_id,order_date,quantity,unit_price,revenue\n1,2025-01-01,2,10,20\n2,2025-01-02,2,10,-20\n"
    figures = kpis(text + "3,2025-01-03,1,-4,-4\n")
    (total,) = figures["currencies"]
    assert figures["reconciliation"]["breaks"] == 0
    assert (total["amount"], total["quantity"]) == ("-4", "1")


@pytest.mark.parametrize("sign", ["", "-"])
def test_debit_and_credit(kpis: Kpis, sign: str) -> None:
    text = (
        f"Date,Description,Debit,Credit\n14/03/2025,A,{sign}10.00,\n15/03/2025,B,,50.00\n16/03/2025,C,{sign}20.00,0\n"
    )
    (total,) = kpis(text)["currencies"]
    assert (total["amount"], total["refunds"], total["refund_rows"]) == ("20.00", "-30.00", 2)


@pytest.mark.parametrize(
    ("debit", "credit"), [("0.00", "1O000.00"), ("5.00", "12O.00"), ("1O.00", ""), ("1O.00", "0.00"), ("1O", "2O")]
)
def test_a_debit_or_credit_that_cannot_be_read_is_not_0(
    analyse: Callable[..., Analysis], debit: str, credit: str
) -> None:
    whole = "".join(f"2025-03-{day:02d},x,0.00,{day}.00\n" for day in range(1, 31))
    found = analyse(f"Date,Description,Debit,Credit\n{whole}2025-04-01,bad,{debit},{credit}\n2025-04-02,none,,\n")
    figures = json_of(found, "kpis.json")
    head, *rows = table_of(found, "audit_lineage.csv")
    assert rows[-2][head.index("amount")] == " | ".join(filter(None, [credit, debit]))
    assert amounts(figures) == {None: "465.00"}
    refused = figures["quality"]["refused"]
    assert {reason: found["count"] for reason, found in refused.items()} == {
        "amount_not_a_number": 1, "missing_amount": 1
    }  # fmt: skip


def test_a_transfer_is_a_movement_on_a_statement(kpis: Kpis) -> None:
    text = "Date,Type,Debit,Credit\n2025-03-01,Transfer,10.00,\n2025-03-02,Payment,,50.00\n"
    figures = kpis(text)
    assert (amounts(figures), figures["by_status"]) == ({None: "40.00"}, [])


@pytest.mark.parametrize("sign", ["", "-"])
def test_fees_have_one_sign(kpis: Kpis, sign: str) -> None:
    back = "-" if not sign else ""
    rows = [("100", f"{sign}3.60"), ("200", f"{sign}7.00"), ("-50", f"{back}1.00"), ("10", "0.00")]
    text = "date,gross,fee\n" + "".join(f"2025-01-01,{gross},{fee}\n" for gross, fee in rows)
    (total,) = kpis(text)["currencies"]
    assert (total["amount"], total["transaction_fees"]) == ("260.00", "9.60")


NOISE = {
    "16341.420000000002": "16341.42", "19.989999771118164": "19.99", "8.199999999999999": "8.2",
    "101926413.35000001": "101926413.35", "-28707.070000000065": "-28707.07", "0.1": "0.1",
    "1234567.123456789": "1234567.123456789", "33.333333333333336": "33.333333333333",
}  # fmt: skip


def test_what_binary_arithmetic_left_in_cells_is_taken_back(analyse: Callable[..., Analysis]) -> None:
    text = "date,amount\n" + "".join(f"2025-01-01,{cell}\n" for cell in NOISE) + "2025-01-02,1.25\n"
    found = analyse(text)
    lineage = table_of(found, "audit_lineage.csv")
    amount = lineage[0].index("amount")
    assert [row[amount] for row in lineage[1:-1]] == list(NOISE.values())
    total = sum(map(Decimal, NOISE.values())) + Decimal("1.25")
    assert Decimal(amounts(json_of(found, "kpis.json"))[None]) == total


@pytest.mark.parametrize("places", [0, 2, 3, 8, 12])
def test_money_is_exact_from_the_cells_to_the_page(analyse: Callable[..., Analysis], places: int) -> None:
    cells = [f"{Decimal(at * 7_654_321 + 1).scaleb(-places):f}" for at in range(40)]
    found = analyse("date,amount\n" + "".join(f"2025-01-{1 + at % 28:02d},{cell}\n" for at, cell in enumerate(cells)))
    total = sum(map(Decimal, cells))
    (shown,) = json_of(found, "kpis.json")["currencies"]
    assert Decimal(shown["amount"]) == total
    assert f"{Decimal(shown['amount']):,f}" in path_of(found, "dashboard.html").read_text()


def test_months_without_rows_are_gaps_and_the_last_may_be_unfinished(analyse: Callable[..., Analysis]) -> None:
    found = analyse("date,amount\n2024-02-29,5\n2024-05-31,6\n2024-06-03,7\n")
    head, *rows = table_of(found, "monthly.csv")
    assert [row[0] for row in rows] == ["2024-02", "2024-03", "2024-04", "2024-05", "2024-06"]
    assert [row[head.index("revenue")] for row in rows] == ["5", "", "", "6", "7"]
    assert [row[head.index("note")] for row in rows] == ["", "no rows", "no rows", "", "unfinished"]
    page = path_of(found, "dashboard.html").read_text()
    assert "2 months have no rows: 2024-03, 2024-04." in page
    assert "2024-06*" in page


def test_a_breakdown_that_is_cut_adds_up(analyse: Callable[..., Analysis]) -> None:
    rows = [f"2025-01-01,{at}.10,r{at},{at}" for at in range(1, 8)]
    found = analyse("order_date,revenue,region,quantity\n" + "\n".join(rows) + "\n", {"top": 3})
    (total,) = json_of(found, "kpis.json")["currencies"]
    region = total["breakdowns"]["region"]
    assert [row["region"] for row in region["top"]] == ["r7", "r6", "r5"]
    assert region["others"] == region["others"] | {"rows": 4, "revenue": "10.40", "quantity": 10, "orders": None}
    assert "(all 4 others)" in path_of(found, "dashboard.html").read_text()
