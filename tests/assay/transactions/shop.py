"""A shop's export, made up from a seed."""

from __future__ import annotations

import csv
import io
import random
from datetime import date
from decimal import Decimal

COLUMNS = (
    "order_id", "order_date", "customer_id", "revenue", "currency", "region", "country", "product_category",
    "product_subcategory", "product_id", "product_name", "channel", "quantity", "unit_price", "transaction_fee",
    "refunded_amount", "loan_amount", "interest_rate", "is_fraud", "status",
)  # fmt: skip


def shop(seed: int, *, whole_orders: bool) -> str:
    """A shop's export with each kind of column; amounts of lines, or of whole orders on each line."""
    dice = random.Random(seed)  # noqa: S311 - seeded, so that every run has the same rows
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for order in range(240):
        day = date.fromordinal(date(2023, 11, 20).toordinal() + dice.randrange(430))
        lines = [
            (dice.randrange(1, 5), Decimal(dice.randrange(100, 99_999)) / (2 if order == 50 else 100))
            for _ in range(1 + order % 3)
        ]
        total = sum(quantity * price for quantity, price in lines)
        back = dice.choice(["", "", "1.5", "0.25"])
        head = [f"A{order}", day.isoformat(), dice.choice(["", "C1", "C2", "C3", f"C{order}"])]
        place = [dice.choice(["North", "South", "NA", ""]), dice.choice(["DE", "FR"])]
        status = dice.choice(["paid", "paid", "completed", "cancelled", "pending", "odd word", ""])
        status = "paid" if order == 50 else status
        currency = dice.choice(["EUR", "USD"])
        for at, (quantity, price) in enumerate(lines):
            sign = -1 if order % 11 == 0 and not whole_orders else 1
            off = {3: Decimal("0.01"), 5: Decimal(1)}.get(order % 13, Decimal(0))
            revenue = total if whole_orders else sign * quantity * price + off
            product = [
                f"K{at % 2}",
                f"S{at}",
                f"P{quantity}",
                dice.choice(["Mug", "Cup"]),
                dice.choice(["web", "shop"]),
            ]
            loan = ["100.10", dice.choice(["3.5", "4"])] if order % 5 == 0 else ["", ""]
            fee = f"-{price * Decimal('0.03'):.2f}"
            writer.writerow(
                [
                    *head,
                    revenue,
                    currency,
                    *place,
                    *product,
                    quantity,
                    price,
                    fee,
                    back,
                    *loan,
                    "ny"[order % 7 == 0],
                    status,
                ]
            )
    return text.getvalue()
