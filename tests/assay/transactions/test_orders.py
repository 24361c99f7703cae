"""Amounts, fees and refunds of whole orders that stand on the order's lines."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from assay.errors import Unprocessable
from assay.run import Analysis
from tests.assay.outputs import json_of, path_of, table_of
from tests.assay.transactions.tables import Kpis, amounts

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


def test_a_refund_of_a_line_that_does_not_count_is_taken_off_nothing(kpis: Kpis) -> None:
    lines = ["x,2024-01-02,a,8.00,,,EUR,,paid", "x,2024-01-02,b,8.00,,3,EUR,,cancelled"]
    figures = kpis(WHOLE + "".join(f"{line}\n" for line in lines))
    shown = {row["status"]: row["amount"] for row in figures["by_status"]}
    assert shown == {"paid": f"{WHOLE_TOTAL + 8}.00", "cancelled": "0.00"}


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


def test_lines_without_an_amount_go_with_their_order(kpis: Kpis) -> None:
    text = "order_id,order_date,financial_status,currency,email,total,refunded_amount,item,quantity\n"
    for at, status in enumerate(["paid", "partially_refunded", "refunded", "pending"]):
        text += f"#{at},2025-01-0{at + 1},{status},EUR,c{at},{10 * at + 10}.00,{5 * at}.00,Mug,1\n"
        text += f"#{at},,,,,,,Pen,2\n"
    figures = kpis(text)
    (total,) = figures["currencies"]
    assert (total["amount"], total["refunds"], total["orders"], total["quantity"]) == ("25.00", "-5.00", 2, "6")
    assert figures["rows"] == figures["rows"] | {"used": 4, "not_counted": 4, "refused": 0}


def test_a_layout_says_whose_the_amounts_are(kpis: Kpis) -> None:
    """Amazon's rows are parts of an order, also where two are alike; WooCommerce's have the total of the order."""
    amazon = "settlement-id,transaction-type,order-id,amount-type,amount-description,amount,posted-date,currency,sku\n"
    amazon += "".join(
        f"9,Order,{order},ItemPrice,Principal,{price},2025-02-0{order},GBP,{sku}\n"
        for order, price in ((1, "10.00"), (2, "20.00"), (3, "7.50"))
        for sku in ("MUG", "PEN")
    )
    woo = "order_id,order_number,order_date,paid_date,status,order_total,order_subtotal,order_currency,item_name\n"
    woo += "".join(
        f"{order},{order},2025-02-0{order},2025-02-0{order},completed,5.00,5.00,EUR,{item}\n"
        for order in (1, 2)
        for item in ("Mug", "Pen")
    )
    for text, counted, total, otherwise in ((amazon, "each_line", "75.00", "37.50"), (woo, "once", "10.00", "20.00")):
        other = {"each_line": "once", "once": "each_line"}[counted]
        for parameters, sum_ in ((None, total), ({"order_amounts": other}, otherwise)):
            found = kpis(text, parameters)
            assert found["currencies"][0]["amount"] == sum_, parameters
