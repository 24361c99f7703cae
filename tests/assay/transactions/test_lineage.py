"""Every cell of every table is what plain Python works out from the lineage."""

# ruff: noqa: S311 - seeded, so that every run has the same rows
from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from assay.run import Analysis
from tests.assay.analyses import MakeSource, run_in
from tests.assay.outputs import path_of

Row = dict[str, str]
COLUMNS = (
    "order_id", "order_date", "customer_id", "revenue", "currency", "region", "country", "product_category",
    "product_subcategory", "product_id", "product_name", "channel", "quantity", "unit_price", "transaction_fee",
    "refunded_amount", "loan_amount", "interest_rate", "is_fraud", "status",
)  # fmt: skip
DIMENSIONS = {
    "Regions": "region", "Countries": "country", "Categories": "product_category",
    "Subcategories": "product_subcategory", "Products": "product", "Channels": "channel", "Customers": "customer_id",
}  # fmt: skip


def shop(dice: random.Random, *, whole_orders: bool) -> str:
    """A shop's export with each kind of column; amounts of lines, or of whole orders on each line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for order in range(120):
        day = date.fromordinal(date(2023, 11, 20).toordinal() + dice.randrange(150))
        lines = [(dice.randrange(1, 5), Decimal(dice.randrange(100, 99_999)) / 100) for _ in range(1 + order % 3)]
        total = sum(quantity * price for quantity, price in lines)
        back = dice.choice(["", "", "1.5", "0.25"])
        head = [f"A{order}", day.isoformat(), dice.choice(["", "C1", "C2", "C3", f"C{order}"])]
        place = [dice.choice(["North", "South", "NA", ""]), dice.choice(["DE", "FR"])]
        status = dice.choice(["paid", "paid", "completed", "cancelled", "pending", "odd word", ""])
        currency = dice.choice(["EUR", "USD"])
        for at, (quantity, price) in enumerate(lines):
            sign = -1 if order % 11 == 0 and not whole_orders else 1
            revenue = total if whole_orders else sign * quantity * price
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


@pytest.fixture(params=[False, True], ids=["lines", "whole orders"])
def analysis(request: pytest.FixtureRequest, tmp_path: Path, make_source: MakeSource) -> Analysis:
    text = shop(random.Random(7), whole_orders=request.param)
    found = run_in(tmp_path / "out", make_source(text), {}, "transactions")
    assert isinstance(found, Analysis)
    return found


def lineage_of(analysis: Analysis) -> list[Row]:
    with path_of(analysis, "audit_lineage.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def exact(rows: Iterable[Row], name: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows if row.get(name)), Decimal(0))


def figures(rows: list[Row]) -> dict[str, object]:
    """The columns that every table of sums has."""
    sales = [row for row in rows if row["sale"] == "true"]
    orders = len({row["order_id"] for row in sales if row["order_id"]})
    amount = exact(rows, "amount")
    average = Fraction(amount) / orders if orders else None
    cents = None if average is None else Decimal(round(average * 100)) / 100
    optional = {
        name: exact(rows, name) if any(row.get(name) for row in rows) else None
        for name in ("quantity", "transaction_fee", "loan_amount")
    }
    return {
        "rows": len(rows),
        "revenue": amount,
        "refunds": exact(rows, "refund"),
        "orders": orders,
        "customers": len({row["customer_id"] for row in sales if row["customer_id"]}),
        "average_order": cents,
    } | optional


def grouped(rows: list[Row], *keys: Callable[[Row], Any]) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(key(row) for key in keys)].append(row)
    return groups


def currency(row: Row) -> str:
    return row["currency"]


def month(row: Row) -> str:
    return row["order_date"][:7]


def ratio(part: Any, whole: Any) -> Decimal | None:
    if not whole or whole <= 0:
        return None
    share = Fraction(part) / Fraction(whole)
    return (Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("1e-6"), ROUND_HALF_EVEN)


def same(shown: Mapping[str, object], expected: Mapping[str, object]) -> None:
    for name, value in expected.items():
        if name not in shown:
            continue
        cell = shown[name]
        if value is None or cell is None or cell == "":
            assert (value, cell or None) == (None, None), name
        elif isinstance(value, str):
            assert str(cell) == value, (name, cell, value)
        else:
            assert Decimal(str(cell)) == Decimal(str(value)), (name, cell, value)


def sheet(analysis: Analysis, name: str) -> list[dict[str, object]]:
    book = openpyxl.load_workbook(path_of(analysis, "breakdown.xlsx"), read_only=True)
    head, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_months(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    with path_of(analysis, "monthly.csv").open(newline="", encoding="utf-8") as file:
        shown = list(csv.DictReader(file))
    groups = grouped(used, currency, month)
    assert [(row["currency"], row["month"]) for row in shown] == sorted(groups)
    first: dict[str, str] = {}
    for row in used:
        if row["sale"] == "true" and row["customer_id"]:
            first[row["customer_id"]] = min(month(row), first.get(row["customer_id"], "9999"))
    for row in shown:
        rows = groups[row["currency"], row["month"]]
        buyers = {one["customer_id"] for one in rows if one["sale"] == "true"} - {""}
        new = {name for name in buyers if first[name] == row["month"]}
        year, number = divmod(int(row["month"][:4]) * 12 + int(row["month"][5:]) - 2, 12)
        before = groups.get((row["currency"], f"{year}-{number + 1:02d}"))
        base = exact(before, "amount") if before else None
        same(
            row,
            figures(rows)
            | {"days": len({one["order_date"][:10] for one in rows}), "new_customers": len(new)}
            | {"returning_customers": len(buyers - new)}
            | {"growth_month": None if base is None else ratio(exact(rows, "amount") - base, base)},
        )
    last = max(row["order_date"] for row in used)
    assert {row["month"] for row in shown if row["note"] == "unfinished"} == {last[:7]}


def test_breakdowns_and_totals(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    totals = grouped(used, currency)
    for row in sheet(analysis, "Totals"):
        rows = totals[row["currency"],]
        days = [datetime.fromisoformat(one["order_date"]) for one in rows]
        assert (row["first_day"], row["last_day"]) == (min(days), max(days))
        same(row, figures(rows))
    book = openpyxl.load_workbook(path_of(analysis, "breakdown.xlsx"), read_only=True)
    found = [name for name in DIMENSIONS if name in book.sheetnames]
    assert {"Regions", "Countries", "Channels", "Customers"} <= set(found)
    for name in found:
        dimension = DIMENSIONS[name]
        groups = grouped(used, currency, itemgetter(dimension))
        shown = sheet(analysis, name)
        assert {(row["currency"], row[dimension] or "") for row in shown} == set(groups)
        for row in shown:
            rows = groups[row["currency"], row[dimension] or ""]
            same(
                row, figures(rows) | {"share": ratio(exact(rows, "amount"), exact(totals[row["currency"],], "amount"))}
            )


def test_statuses(analysis: Analysis) -> None:
    rows = [row for row in lineage_of(analysis) if row["status"] in ("used", "cancelled", "pending")]
    groups = grouped(rows, currency, lambda row: row["file_status"], lambda row: row["status"] == "used")
    shown = sheet(analysis, "Status")
    assert len(shown) == len(groups)
    assert sum(row["counted"] == "yes" for row in shown) == sum(counted for _, _, counted in groups)
    for row in shown:
        counted = row["counted"] == "yes"
        of = groups[row["currency"], row["status"] or "", counted]
        amount = (
            exact(of, "amount")
            if counted
            else exact(of, "amount")
            - exact([one for one in of if Decimal(one["amount"]) != Decimal(one["refund"])], "refund")
        )
        same(row, {"rows": len(of), "amount": amount})


def test_cohorts_loans_and_fraud(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    bought: dict[str, set[str]] = defaultdict(set)
    for row in used:
        if row["sale"] == "true" and row["customer_id"]:
            bought[row["customer_id"]].add(month(row))
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for months in bought.values():
        start = min(months)
        for later in months:
            since = (int(later[:4]) - int(start[:4])) * 12 + int(later[5:]) - int(start[5:])
            counts[start, since] += 1
    shown = {(str(row["cohort"]), int(str(row["months_since"]))): row for row in sheet(analysis, "Cohorts")}
    assert {key: row["customers"] for key, row in shown.items()} == counts
    for (start, _), cohort in shown.items():
        same(cohort, {"size": counts[start, 0], "share": ratio(cohort["customers"], counts[start, 0])})
    for shares in sheet(analysis, "Fraud"):
        by, value = shares["dimension"], shares["value"] or ""
        of = used if by == "all" else [row for row in used if row[str(by)] == value]
        same(shares, {"rows": len(of), "flagged": sum(row["fraud"] == "true" for row in of)})
    loans = grouped([row for row in used if row["loan_amount"]], currency)
    for code in {loan["currency"] for loan in sheet(analysis, "Loans")}:
        of = loans[code,]
        shown_loans = [loan for loan in sheet(analysis, "Loans") if loan["currency"] == code]
        assert sum(int(str(loan["loans"])) for loan in shown_loans) == len(of)
        assert sum(Decimal(str(loan["loan_amount"])) for loan in shown_loans) == exact(of, "loan_amount")
