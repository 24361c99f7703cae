"""Every cell of every table is what plain Python works out from the lineage."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Any

import openpyxl
import pytest

from assay.run import Analysis
from tests.assay.analyses import MakeSource, run_in, write_source
from tests.assay.outputs import path_of
from tests.assay.transactions.shop import shop

Row = dict[str, str]
DIMENSIONS = {
    "Regions": "region", "Countries": "country", "Categories": "product_category",
    "Subcategories": "product_subcategory", "Products": "product", "Channels": "channel", "Customers": "customer_id",
}  # fmt: skip


@pytest.fixture(scope="module", params=[False, True], ids=["lines", "whole orders"])
def analysis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = tmp_path_factory.mktemp("shop")
    source = write_source(folder / "upload", shop(7, whole_orders=request.param), "shop.csv")
    found = run_in(folder / "out", source, {}, "transactions")
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
    assert set(shown) == set(expected)
    for name, value in expected.items():
        cell = shown[name]
        if value in (None, "") or cell in (None, ""):
            assert (value or None, cell or None) == (None, None), name
        elif isinstance(value, str | datetime):
            assert (str(cell) if isinstance(value, str) else cell) == value, (name, cell, value)
        else:
            assert Decimal(str(cell)) == Decimal(str(value)), (name, cell, value)


def sheet(analysis: Analysis, name: str, book: str = "breakdown.xlsx") -> list[dict[str, object]]:
    opened = openpyxl.load_workbook(path_of(analysis, book), read_only=True)
    head, *rows = opened[name].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def months_ago(row: Mapping[str, object], months: int) -> tuple[object, str]:
    """The currency and the month some months before that of a row."""
    year, number = divmod(int(str(row["month"])[:4]) * 12 + int(str(row["month"])[5:]) - 1 - months, 12)
    return row["currency"], f"{year}-{number + 1:02d}"


def test_months(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    with path_of(analysis, "monthly.csv").open(newline="", encoding="utf-8") as file:
        shown: list[dict[str, Any]] = list(csv.DictReader(file))
    groups = grouped(used, currency, month)
    last = max(row["order_date"] for row in used)[:7]
    assert [(row["currency"], row["month"]) for row in shown] == sorted(groups)
    first: dict[str, str] = {}
    for row in used:
        if row["sale"] == "true" and row["customer_id"]:
            first[row["customer_id"]] = min(month(row), first.get(row["customer_id"], "9999"))
    in_sheet = sheet(analysis, "Monthly", "monthly.xlsx")
    assert len(in_sheet) == len(shown)
    for row in [*shown, *in_sheet]:
        rows = groups[row["currency"], row["month"]]
        buyers = {one["customer_id"] for one in rows if one["sale"] == "true"} - {""}
        new = {name for name in buyers if first[name] == row["month"]}
        amount = exact(rows, "amount")
        before = [exact(groups.get(months_ago(row, months), []), "amount") for months in (1, 12)]
        same(
            row,
            figures(rows)
            | {"month": row["month"], "currency": row["currency"]}
            | {"days": len({one["order_date"][:10] for one in rows}), "new_customers": len(new)}
            | {"returning_customers": len(buyers - new), "note": "unfinished" if row["month"] == last else None}
            | dict(zip(("growth_month", "growth_year"), (ratio(amount - base, base) for base in before), strict=True)),
        )
    assert any(row["growth_year"] for row in shown)


def test_breakdowns_and_totals(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    totals = grouped(used, currency)
    shown_totals = sheet(analysis, "Totals")
    assert sorted((row["currency"],) for row in shown_totals) == sorted(totals)
    for row in shown_totals:
        rows = totals[row["currency"],]
        days = [datetime.fromisoformat(one["order_date"]) for one in rows]
        same(row, figures(rows) | {"currency": row["currency"], "first_day": min(days), "last_day": max(days)})
    book = openpyxl.load_workbook(path_of(analysis, "breakdown.xlsx"), read_only=True)
    found = [name for name in DIMENSIONS if name in book.sheetnames]
    assert {"Regions", "Countries", "Channels", "Customers"} <= set(found)
    assert {*found, "Totals", "Status", "Cohorts", "Loans", "Fraud", "Anomalies"} == set(book.sheetnames)
    for name in found:
        dimension = DIMENSIONS[name]
        groups = grouped(used, currency, itemgetter(dimension))
        shown = sheet(analysis, name)
        assert sorted((row["currency"], row[dimension] or "") for row in shown) == sorted(groups)
        for row in shown:
            rows = groups[row["currency"], row[dimension] or ""]
            share = ratio(exact(rows, "amount"), exact(totals[row["currency"],], "amount"))
            expected = figures(rows) | {"currency": row["currency"], dimension: row[dimension], "share": share}
            if name == "Products":
                expected["product_name"] = min(one["product_name"] for one in used if one[dimension] == row[dimension])
            if name == "Customers":
                del expected["customers"]
            same(row, expected)


def test_statuses(analysis: Analysis) -> None:
    rows = [row for row in lineage_of(analysis) if row["status"] in ("used", "cancelled", "pending")]
    groups = grouped(rows, currency, itemgetter("file_status"), itemgetter("status"))
    shown = sheet(analysis, "Status")
    assert len(shown) == len(groups)
    for row in shown:
        reason = {"yes": "used", "no: cancelled": "cancelled", "no: not paid yet": "pending"}[str(row["counted"])]
        of = groups[row["currency"], row["status"] or "", reason]
        # What was given back of a sale that does not count was taken off nothing.
        back = [] if reason == "used" else [one for one in of if one["sale"] == "true"]
        head = {name: row[name] for name in ("currency", "status", "counted")}
        same(row, head | {"rows": len(of), "amount": exact(of, "amount") - exact(back, "refund")})


def test_cohorts(analysis: Analysis) -> None:
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
    assert set(shown) == set(counts)
    for (start, since), cohort in shown.items():
        share = ratio(counts[start, since], counts[start, 0])
        head = {"cohort": start, "months_since": since, "customers": counts[start, since]}
        same(cohort, head | {"size": counts[start, 0], "share": share})


def test_fraud(analysis: Analysis) -> None:
    used = [row | {"all": ""} for row in lineage_of(analysis) if row["status"] == "used"]
    by = ["all", "region", "country", "channel"]
    by += [name for name in ("product_category",) if any(row["dimension"] == name for row in sheet(analysis, "Fraud"))]
    shown = sheet(analysis, "Fraud")
    groups = {(name, *key): of for name in by for key, of in grouped(used, itemgetter(name)).items()}
    assert sorted((str(row["dimension"]), row["value"] or "") for row in shown) == sorted(groups)
    for row in shown:
        of = groups[str(row["dimension"]), row["value"] or ""]
        flagged = sum(one["fraud"] == "true" for one in of)
        # Wilson's bounds are where (p - flagged / n)² = z² p (1 - p) / n.
        z2 = 1.959963984540054**2 / len(of)
        middle, apart = 2 * flagged / len(of) + z2, 4 * (1 + z2) * (flagged / len(of)) ** 2
        roots = [(middle + sign * (middle**2 - apart) ** 0.5) / 2 / (1 + z2) for sign in (-1, 1)]
        bounds = [row.pop("low"), row.pop("high")]
        assert bounds == pytest.approx(roots, abs=6e-7)
        head = {name: row[name] for name in ("dimension", "value")}
        same(row, head | {"rows": len(of), "flagged": flagged, "rate": ratio(flagged, len(of)) or 0})


def test_loans(analysis: Analysis) -> None:
    by_product = "Products" in openpyxl.load_workbook(path_of(analysis, "breakdown.xlsx"), read_only=True).sheetnames
    used = [row for row in lineage_of(analysis) if row["status"] == "used" and row["loan_amount"]]
    groups = grouped(used, currency, lambda row: row["product"] if by_product else "")
    shown = sheet(analysis, "Loans")
    assert sorted((row["currency"], row["product"] or "") for row in shown) == sorted(groups)
    for row in shown:
        of = groups[row["currency"], row["product"] or ""]
        rates = [Fraction(one["interest_rate"]) for one in of]
        weighted = sum(Fraction(one["interest_rate"]) * Fraction(one["loan_amount"]) for one in of)
        same(
            row,
            {name: row[name] for name in ("currency", "product")}
            | {"loans": len(of), "loan_amount": exact(of, "loan_amount"), "with_rate": len(of)}
            | {"mean_rate": ratio(sum(rates), len(rates)), "weighted_rate": ratio(weighted, exact(of, "loan_amount"))}
            | {"lowest_rate": float(min(rates)), "highest_rate": float(max(rates))},
        )


def test_unusual_days(analysis: Analysis) -> None:
    used = [row for row in lineage_of(analysis) if row["status"] == "used"]
    far: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    for code in sorted({row["currency"] for row in used}):
        days = grouped([row for row in used if row["currency"] == code], lambda row: row["order_date"][:10])
        sums = {day: Fraction(exact(of, "amount")) for (day,), of in days.items()}
        middle = median(sums.values())
        spread = median(abs(amount - middle) for amount in sums.values())
        scores = {day: Fraction("0.6745") * (amount - middle) / spread for day, amount in sums.items()}
        far |= {(code, day): (sums[day], score) for day, score in scores.items() if abs(score) > Fraction("3.5")}
    shown = {(str(row["currency"]), str(row["day"])[:10]): row for row in sheet(analysis, "Anomalies")}
    assert far
    assert set(shown) == set(far)
    for key, row in shown.items():
        amount, score = far[key]
        head = {"currency": key[0], "day": datetime.fromisoformat(key[1]), "revenue": float(amount)}
        same(row, head | {"robust_z": round(float(score), 4)})


def test_reconciliation(tmp_path: Path, make_source: MakeSource) -> None:
    text = shop(7, whole_orders=False)
    analysis = run_in(tmp_path / "out", make_source(text), {}, "transactions")
    assert isinstance(analysis, Analysis)
    breaks = []
    cent = Decimal("0.005")
    for row in lineage_of(analysis):
        quantity, price, revenue = (Decimal(row[name]) for name in ("quantity", "unit_price", "revenue"))
        apart = revenue - quantity * price
        if row["status"] == "used" and abs(apart) > cent:
            names = ("row", "order_id", "currency", "quantity", "unit_price", "revenue")
            rounded = abs(apart) <= abs(quantity) * cent + cent
            breaks.append(
                {name: row[name] for name in names}
                | {"expected": quantity * price, "difference": apart, "price_rounding": str(rounded).lower()}
            )
    with path_of(analysis, "reconciliation.csv").open(newline="", encoding="utf-8") as file:
        shown = list(csv.DictReader(file))
    assert {row["price_rounding"] for row in shown} == {"true", "false"}
    assert len(shown) == len(breaks)
    for row, expected in zip(shown, breaks, strict=True):
        same(row, expected)
