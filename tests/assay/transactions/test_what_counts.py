"""Which rows count and with which amount: statuses, types, order totals, refunds, debits, fees, and digits of noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from assay.datasets.transactions.statuses import class_of
from assay.errors import Unprocessable
from assay.run import Analysis
from tests.assay.analyses import MakeSource, run_in
from tests.assay.outputs import json_of, path_of, table_of

Kpis = Callable[..., Any]


@pytest.fixture
def analyse(tmp_path: Path, make_source: MakeSource) -> Callable[..., Analysis]:
    made = iter(range(99))

    def call(text: str, parameters: Mapping[str, JsonValue] | None = None) -> Analysis:
        found = run_in(tmp_path / f"out-{next(made)}", make_source(text), parameters, "transactions")
        assert isinstance(found, Analysis)
        return found

    return call


@pytest.fixture
def kpis(analyse: Callable[..., Analysis]) -> Kpis:
    return lambda text, parameters=None: json_of(analyse(text, parameters), "kpis.json")


def amounts(figures: Any) -> dict[str | None, str]:
    return {total["currency"]: total["amount"] for total in figures["currencies"]}


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
    ("words", "amount"), [(["failed"], "10000.00"), (["completed", "Zahlung ausstehend", "nowhere"], "1010.00")]
)
def test_a_person_chooses_what_counts(kpis: Kpis, words: list[str], amount: str) -> None:
    figures = kpis(STATUSES, {"include_status": words})
    assert amounts(figures) == {None: amount}
    assert not figures["unknown_status_words"]


def test_nothing_that_counts(kpis: Kpis) -> None:
    with pytest.raises(Unprocessable) as raised:
        kpis(STATUSES, {"include_status": ["completed but misspelt"]} | {"currency": "EUR"})
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


ORDERS = "order_id,order_date,customer,product,quantity,price,order_total,fee,currency\n"


def orders(*lines: str) -> str:
    return ORDERS + "".join(f"{line},EUR\n" for line in lines)


def test_an_order_total_on_each_line_counts_once(analyse: Callable[..., Analysis]) -> None:
    text = orders(
        "A,2025-01-01,x,Mug,1,10.00,35.00,1.00", "A,2025-01-01,x,Pen,5,5.00,35.00,1.00",
        "B,2025-01-02,y,Mug,2,10.00,20.00,0.50",
        "C,2025-02-02,x,Mug,1,10.00,30.00,0.70", "C,2025-02-02,x,Cup,2,10.00,30.00,0.70",
    )  # fmt: skip
    found = analyse(text)
    figures = json_of(found, "kpis.json")
    (total,) = figures["currencies"]
    assert (total["amount"], total["orders"], total["quantity"], total["transaction_fees"]) == (
        "85.00",
        3,
        "11",
        "2.20",
    )
    assert figures["order_amounts"] == figures["order_amounts"] | {
        "counted": "once", "orders": 2, "other_way": [{"currency": "EUR", "amount": "150.00"}]
    }  # fmt: skip
    assert figures["left_out"]["product"] == "amounts are those of whole orders"
    assert [row[6] for row in table_of(found, "audit_lineage.csv")[1:]] == ["35", "0", "20", "30", "0"]
    page = path_of(found, "dashboard.html").read_text()
    assert "Amounts are counted once for each order" in page
    assert "150.00 EUR" in page
    assert amounts(json_of(analyse(text, {"order_amounts": "each_line"}), "kpis.json")) == {"EUR": "150.00"}


@pytest.mark.parametrize(
    ("lines", "amount", "counted"),
    [
        (["A,2025-01-01,x,Mug,1,10,10,", "A,2025-01-01,x,Cup,1,10,10,"], "20", "each_line"),
        (["A,2025-01-01,x,Mug,,,50,", "A,2025-02-01,x,Mug,,,50,", "A,2025-03-01,x,Mug,,,50,"], "150", "each_line"),
        (["A,2025-01-01,x,Mug,,,50,", "A,2025-01-01,x,Mug,,,50,", "B,2025-03-01,x,Mug,,,9,"], "109", "each_line"),
        (["A,2025-01-01,x,Mug,,,50,", "A,2025-01-01,x,Cup,,,50,", "B,2025-03-01,x,Mug,,,9,"], "59", "once"),
        (["A,2025-01-01,x,Mug,1,10,18,", "A,2025-01-01,x,Pen,2,4,,", "B,2025-01-02,y,Mug,1,10,12,"], "30", "once"),
        (["A,2025-01-01,x,Mug,1,10,10,", "A,2025-01-01,x,Pen,2,4,,", "B,2025-01-02,y,Mug,1,10,10,"], "28", "each_line"),
    ],
    ids=["lines of one price", "instalments", "one line twice", "named after a total", "on one line", "a blank amount"],
)
def test_amounts_of_lines_and_of_orders(kpis: Kpis, lines: list[str], amount: str, counted: str) -> None:
    figures = kpis(orders(*lines))
    assert (amounts(figures), figures["order_amounts"]["counted"]) == ({"EUR": amount}, counted)


def test_a_fee_and_a_refund_of_the_whole_order_count_once(kpis: Kpis) -> None:
    text = "order_id,order_date,product,revenue,fee,refunded_amount\n" + "".join(
        f"{order},2025-01-0{order},{product},{amount}.00,{order}.50,{back}\n"
        for order, back in ((1, 0), (2, 4), (3, 0))
        for product, amount in (("Mug", 10 * order), ("Pen", 5))
    )
    (total,) = kpis(text)["currencies"]
    assert (total["amount"], total["refunds"], total["transaction_fees"]) == ("71.00", "-4.00", "7.50")
    flat = text.replace(",1.50,", ",0.30,").replace(",2.50,", ",0.30,").replace(",3.50,", ",0.30,")
    assert kpis(flat)["currencies"][0]["transaction_fees"] == "1.80"


WHOLE = "order_id,order_date,product,order_total,fee,refunded_amount,currency,customer,status\n" + "".join(
    f"o{at},2024-01-{1 + at % 28:02d},{product},{30 + at}.00,1.50,,EUR,c{at},paid\n"
    for at in range(40)
    for product in "ab"
)
WHOLE_TOTAL = sum(30 + at for at in range(40))


@pytest.mark.parametrize(
    ("lines", "more", "conflicts"),
    [
        (["o1,2024-01-02,c,9900.00,,,USD,c1,paid"], {"EUR": 0, "USD": 9900}, 1),
        (["o1,2024-01-02,c,99.00,,,EUR,c1,paid"], {"EUR": 99}, 0),
        (["o1,2025-02-01,a,99.00,,,EUR,z,paid", "o1,2025-02-01,b,99.00,,,EUR,z,paid"], {"EUR": 99}, 1),
        (["o1,2025-02-01,a,31.00,,,EUR,z,paid"], {"EUR": 31}, 1),
        (["o1,,c,31.00,,,,,", "o1,2024-01-02,d,,,,,,"], {"EUR": 0}, 0),
        (["x,2024-01-02,a,31.00,,,,,paid", "x,2024-01-02,b,31.00,,,EUR,c1,paid"], {"EUR": 0, None: 31}, 0),
        (["x,2024-01-02,a,8.00,,,EUR,,cancelled", "x,2024-01-02,b,8.00,,,EUR,,paid"], {"EUR": 8}, 0),
        (["x,2024-01-02,a,8.00,,,EUR,,paid", "x,2024-01-02,b,8.00,,,EUR,,cancelled"], {"EUR": 8}, 0),
        (["x,2024-01-02,a,8.00,,,EUR,,paid", "x,2024-01-02,b,8.00,,3,EUR,,paid"], {"EUR": 5}, 0),
        (["x,2024-01-02,a,8.00,,2,EUR,,paid", "x,2024-01-02,b,8.00,,2,EUR,,paid"], {"EUR": 6}, 0),
        (["x,2024-01-02,a,-8.00,,,EUR,,paid", "x,2024-01-02,b,-8.00,,,EUR,,paid"], {"EUR": -8}, 0),
    ],
    ids=[
        "another currency", "another amount", "a number used again", "the same amount of another customer",
        "blanks are those of the order", "the first is blank", "the first is cancelled", "the second is cancelled",
        "a refund of the second line", "a refund on both lines", "a refund of the whole order",
    ],
)  # fmt: skip
def test_a_line_that_differs_from_its_order_counts_by_itself(
    kpis: Kpis, lines: list[str], more: dict[str | None, int], conflicts: int
) -> None:
    figures = kpis(WHOLE + "".join(f"{line}\n" for line in lines))
    assert figures["order_amounts"]["counted"] == "once"
    expected = {code: amount + (WHOLE_TOTAL if code == "EUR" else 0) for code, amount in more.items()}
    assert {code: Decimal(amount) for code, amount in amounts(figures).items()} == expected
    assert figures["quality"]["conflicting_orders"]["count"] == conflicts


def test_the_first_line_that_counts_has_the_amount_of_the_order(kpis: Kpis) -> None:
    cancelled = WHOLE.replace(",paid\n", ",cancelled\n")
    halves = cancelled.splitlines(keepends=True)
    text = "".join(line.replace(",cancelled", ",paid") if ",b," in line else line for line in halves)
    figures = kpis(text)
    assert amounts(figures) == {"EUR": f"{WHOLE_TOTAL}.00"}
    assert {row["status"]: row["rows"] for row in figures["by_status"]} == {"cancelled": 40, "paid": 40}
    with pytest.raises(Unprocessable) as raised:
        kpis(cancelled)
    assert raised.value.code == "no_counted_rows"


@pytest.mark.parametrize("cancelled", ["Mug", "Pen"])
def test_a_fee_and_a_refund_of_an_order_stay_where_one_of_its_lines_counts(kpis: Kpis, cancelled: str) -> None:
    text = "order_id,order_date,product,revenue,fee,refunded_amount,status\n" + "".join(
        f"{order},2025-01-0{order},{product},{amount}.00,{order}.50,{order}.00,"
        f"{'cancelled' if product == cancelled else 'paid'}\n"
        for order in range(1, 6)
        for product, amount in (("Mug", 10 * order), ("Pen", 9))
    )
    text += "5,2025-01-05,Cap,20.00,9.00,,paid\n"
    (total,) = kpis(text)["currencies"]
    gross = 20 + (45 if cancelled == "Mug" else 150)
    assert (total["refunds"], total["amount"]) == ("-15.00", f"{gross - 15}.00")
    assert total["transaction_fees"] == "26.50"


def test_most_orders_alike_and_others_not_is_a_doubt(analyse: Callable[..., Analysis]) -> None:
    alike = [
        f"{at},2025-01-01,x,{item},,,{at + 10},{end}" for at in range(4) for item, end in (("Mug", ""), ("Pen", ""))
    ]
    found = analyse(orders(*alike, "9,2025-01-01,x,Mug,,,7,", "9,2025-01-01,x,Pen,,,8,"))
    assert amounts(json_of(found, "kpis.json")) == {"EUR": "107"}
    assert "4 of 5 orders have the same amount on all lines" in path_of(found, "dashboard.html").read_text()


def test_digits_beyond_those_that_are_kept_are_told(analyse: Callable[..., Analysis]) -> None:
    found = analyse("date,amount\n2025-01-01,0.000000000000000001\n2025-01-02,0.30000000000000004\n")
    assert "1 cell has more than 12 digits behind the mark" in path_of(found, "dashboard.html").read_text()


def test_lines_without_an_amount_go_with_their_order(kpis: Kpis) -> None:
    text = "order_id,order_date,financial_status,currency,email,total,refunded_amount,item,quantity\n"
    for at, status in enumerate(["paid", "partially_refunded", "refunded", "pending"]):
        text += f"#{at},2025-01-0{at + 1},{status},EUR,c{at},{10 * at + 10}.00,{5 * at}.00,Mug,1\n"
        text += f"#{at},,,,,,,Pen,2\n"
    figures = kpis(text)
    (total,) = figures["currencies"]
    assert (total["amount"], total["refunds"], total["orders"], total["quantity"]) == ("25.00", "-5.00", 2, "6")
    assert figures["rows"] == figures["rows"] | {"used": 4, "not_counted": 4, "refused": 0}


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
