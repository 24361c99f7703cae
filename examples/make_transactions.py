"""Generate examples/transactions.csv: two years of a fictional shop with loans, the same on every run.

python examples/make_transactions.py
"""

from __future__ import annotations

import csv
import math
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

COLUMNS = ["order_id", "order_date", "region", "country", "product_category", "product_subcategory", "product_id"]
COLUMNS += ["product_name", "quantity", "unit_price", "revenue", "currency", "customer_id", "channel", "interest_rate"]
COLUMNS += ["loan_amount", "success_rate", "transaction_fee", "fraud_flag"]
CENT = Decimal("0.01")

COUNTRIES = {"Germany": ("Europe", "EUR"), "France": ("Europe", "EUR"), "Spain": ("Europe", "EUR")}
COUNTRIES |= {"United States": ("North America", "USD"), "Canada": ("North America", "USD")}
COUNTRY_WEIGHTS = (30, 20, 12, 26, 12)
# Category, subcategory, name, price, and the interest of the loan that is offered with it.
PRODUCTS = [
    ("Electronics", "Phones", "Phone One", "649.00", "4.90"),
    ("Electronics", "Phones", "Phone Mini", "429.00", "4.90"),
    ("Electronics", "Laptops", "Laptop 13", "1199.00", "3.90"),
    ("Electronics", "Laptops", "Laptop 15", "1549.00", "3.90"),
    ("Electronics", "Audio", "Headphones", "149.90", None),
    ("Electronics", "Audio", "Speaker", "89.50", None),
    ("Home", "Kitchen", "Kettle", "39.95", None),
    ("Home", "Kitchen", "Espresso machine", "289.00", "6.50"),
    ("Home", "Furniture", "Desk", "349.00", "5.50"),
    ("Home", "Furniture", "Chair", "179.00", None),
    ("Home", "Lighting", "Desk lamp", "49.90", None),
    ("Sports", "Cycling", "City bike", "799.00", "5.90"),
    ("Sports", "Cycling", "Helmet", "59.00", None),
    ("Sports", "Running", "Running shoes", "119.00", None),
    ("Sports", "Running", "Running watch", "249.00", "6.50"),
]
CHANNELS = ("web", "app", "store", "phone")


def rows(dice: random.Random) -> list[dict[str, str]]:
    """Make the rows in order of time: one to three lines an order, customers who come back, and a busy December."""
    made: list[dict[str, str]] = []
    homes: dict[str, str] = {}
    number = 0
    for day in range(731):
        when = date(2023, 1, 1) + timedelta(days=day)
        busy = 2.2 + day / 365 + (1.6 if when.month in (11, 12) else 0) + (0.6 if when.weekday() >= 5 else 0)
        for _ in range(_poisson(dice, busy)):
            number += 1
            if homes and dice.random() < 0.55:
                customer = dice.choice(list(homes))
            else:
                customer = f"C{len(homes) + 1:05d}"
                homes[customer] = dice.choices(list(COUNTRIES), COUNTRY_WEIGHTS)[0]
            channel = dice.choices(CHANNELS, (45, 30, 20, 5))[0]
            products = dice.sample(range(len(PRODUCTS)), dice.choices((1, 2, 3), (70, 22, 8))[0])
            at = (f"O{number:06d}", when, customer, homes[customer], channel)
            made += [row(dice, *at, product) for product in products]
    return made


def row(
    dice: random.Random, order: str, when: date, customer: str, country: str, channel: str, product: int
) -> dict[str, str]:
    """Make one line of an order; the loan and its rate are blank where none was taken."""
    category, subcategory, name, listed, interest = PRODUCTS[product]
    region, currency = COUNTRIES[country]
    price = (Decimal(listed) * (Decimal("1.08") if currency == "USD" else 1)).quantize(CENT)
    quantity = dice.choices((1, 2, 3, 4), (72, 18, 7, 3))[0]
    revenue = quantity * price
    loan = interest is not None and dice.random() < 0.3
    risk = 0.03 if channel in ("web", "app") else 0.006
    success = 0.93 + 0.06 * dice.random()
    return {
        "order_id": order,
        "order_date": when.isoformat(),
        "region": region,
        "country": country,
        "product_category": category,
        "product_subcategory": subcategory,
        "product_id": f"P{product + 1:03d}",
        "product_name": name,
        "quantity": str(quantity),
        "unit_price": str(price),
        "revenue": str(revenue),
        "currency": currency,
        "customer_id": customer,
        "channel": channel,
        "interest_rate": interest if loan and interest else "",
        "loan_amount": str((revenue * dice.choice((50, 80, 100)) / 100).quantize(CENT)) if loan else "",
        "success_rate": f"{success:.3f}",
        "transaction_fee": str((revenue * Decimal("0.014") + Decimal("0.25")).quantize(CENT)),
        "fraud_flag": "true" if dice.random() < risk else "false",
    }


def spoil(made: list[dict[str, str]], dice: random.Random) -> None:
    """Put in what a real file has: refunds, revenue that does not add up, blanks, words for numbers, a line twice."""
    for chosen in dice.sample(made, 45):
        chosen["quantity"] = str(-int(chosen["quantity"]))
        chosen["revenue"] = str(-Decimal(chosen["revenue"]))
        chosen["order_id"] = chosen["order_id"].replace("O", "R")
        chosen["loan_amount"] = chosen["interest_rate"] = ""
        chosen["transaction_fee"] = "0.00"
    sold = [one for one in made if not one["revenue"].startswith("-")]
    for chosen in dice.sample(sold, 12):
        chosen["revenue"] = str((Decimal(chosen["revenue"]) * Decimal("0.9")).quantize(CENT))
    for chosen in dice.sample(sold, 3):
        chosen["revenue"] = str(Decimal(chosen["revenue"]) + CENT)
    for chosen in dice.sample(sold, 30):
        chosen["customer_id"] = ""
    for chosen in dice.sample(sold, 8):
        chosen["revenue"] = ""
    for chosen, text in zip(dice.sample(sold, 3), ("pending", "n/a?", "12,5O"), strict=True):
        chosen["revenue"] = text
    nowhere, odd, nameless = dice.sample(sold, 3)
    nowhere["order_date"], odd["order_date"], nameless["currency"] = "", "2023-02-30", ""
    # A day on which one customer bought for a whole office.
    bulk = next(one for one in sold if one["order_date"] >= "2024-05-14" and one["product_name"] == "Chair")
    bulk["order_date"], bulk["currency"] = "2024-05-14", "EUR"
    bulk["quantity"] = "60"
    bulk["revenue"] = str(60 * Decimal(bulk["unit_price"]))
    again = dice.randrange(len(made) // 2, len(made))
    made.insert(again, dict(made[again]))


def _poisson(dice: random.Random, mean: float) -> int:
    """Draw a Poisson number: D. E. Knuth, The Art of Computer Programming 2, 3.4.1."""
    limit, count, left = math.exp(-mean), 0, dice.random()
    while left > limit:
        count += 1
        left *= dice.random()
    return count


def main() -> None:
    """Write the file beside this script."""
    dice = random.Random(20230101)  # noqa: S311 - a seed makes the file the same on every run; nothing secret here
    made = rows(dice)
    spoil(made, dice)
    with Path(__file__).with_name("transactions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
