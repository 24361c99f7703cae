"""The tables that the run writes as CSV and XLSX: what a person would take on into a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import polars as pl

from assay.datasets.transactions.breakdown import Breakdown
from assay.datasets.transactions.figures import Sums, mean, money, rate
from assay.datasets.transactions.limits import MAX_LISTED
from assay.datasets.transactions.rates import Proportion
from assay.datasets.transactions.results import Results
from assay.datasets.transactions.workbook import Cell, Sheet
from assay.write.spreadsheet_text import guarded

_SHARES = frozenset({"growth_month", "growth_year", "share", "repeat_rate"})
TITLES = {
    "region": "Regions",
    "country": "Countries",
    "product_category": "Categories",
    "product_subcategory": "Subcategories",
    "product": "Products",
    "channel": "Channels",
    "customer_id": "Customers",
}


def monthly(results: Results) -> Sheet:
    """Shape the months by currency; what the file has no column for is left out."""
    rows: list[dict[str, Cell]] = []
    for one in results.months:
        figures = _figures(one.sums, results)
        at = list(figures).index("customers") + 1 if "customers" in figures else len(figures)
        items = list(figures.items())
        new: list[tuple[str, Cell]] = []
        if results.customers is not None:
            new = [("new_customers", one.new_customers), ("returning_customers", one.returning_customers)]
        head: list[tuple[str, Cell]] = [("month", f"{one.month:%Y-%m}"), ("currency", one.currency), ("days", one.days)]
        grown: list[tuple[str, Cell]] = [("growth_month", one.mom), ("growth_year", one.yoy)]
        rows.append(dict([*head, *items[:at], *new, *items[at:], *grown]))
    return _sheet("Monthly", rows)


def breakdown_sheets(results: Results) -> list[Sheet]:
    """Shape a sheet for each dimension, the cohorts, the loans, the fraud rates and the far days."""
    totals = {total.currency: total.sums.amount for total in results.totals}
    sheets = [
        _sheet(
            "Totals",
            [
                {"currency": one.currency, "first_day": one.first_day, "last_day": one.last_day}
                | _figures(one.sums, results)
                for one in results.totals
            ],
        )
    ]
    for dimension in dict.fromkeys(one.dimension for one in results.breakdowns):
        parts = [one for one in results.breakdowns if one.dimension == dimension]
        rows = [row for part in parts for row in breakdown_rows(part, totals[part.currency], results)]
        sheets.append(_sheet(TITLES[dimension], rows))
    if results.customers is not None:
        sheets.append(_sheet("Cohorts", cohort_rows(results)))
    if results.loans:
        sheets.append(_sheet("Loans", loan_rows(results)[:MAX_LISTED]))
    if results.fraud:
        rows = [
            {"dimension": dimension or "all", "value": value} | proportion(one)
            for dimension, values in results.fraud.items()
            for value, one in values.items()
        ]
        sheets.append(_sheet("Fraud", rows))
    far = [
        {"currency": currency, "day": one.day, results.roles.measure: one.amount, "robust_z": one.z}
        for currency, found in results.anomalies.items()
        for one in found.found
    ]
    if far:
        sheets.append(_sheet("Anomalies", far))
    return sheets


def breakdown_rows(part: Breakdown, total: Decimal, results: Results) -> list[dict[str, Cell]]:
    """Shape the values of one dimension in one currency, each with its share of the currency's amount."""
    rows: list[dict[str, Cell]] = []
    for one in part.parts:
        head: dict[str, Cell] = {"currency": part.currency, part.dimension: one.value}
        if part.dimension == "product" and results.roles.has("product_id", "product_name"):
            head["product_name"] = one.name
        figures = _figures(one.sums, results)
        if part.dimension == "customer_id":
            figures.pop("customers", None)
        rows.append(head | figures | {"share": rate(one.sums.amount, total)})
    return rows


def cohort_rows(results: Results) -> list[dict[str, Cell]]:
    """Shape the cohorts in long form: a row for each first month and number of months since then."""
    found = results.customers
    return [
        {
            "cohort": f"{first:%Y-%m}",
            "size": size,
            "months_since": since,
            "customers": count,
            "share": rate(count, size),
        }
        for first, size, active in (found.retention() if found else [])
        for since, count in active
    ]


def loan_rows(results: Results) -> list[dict[str, Cell]]:
    """Shape the loans by product; rates are in the unit in which they are written."""
    return [
        {
            "currency": one.currency,
            "product": one.value,
            "loans": one.loans,
            "loan_amount": one.amount,
            "with_rate": one.with_rate,
            "mean_rate": one.mean_rate,
            "weighted_rate": one.weighted_rate,
            "lowest_rate": None if one.lowest_rate is None else float(one.lowest_rate),
            "highest_rate": None if one.highest_rate is None else float(one.highest_rate),
        }
        for one in results.loans
    ]


def proportion(one: Proportion) -> dict[str, Cell]:
    """Shape a rate and its interval."""
    return {"flagged": one.yes, "rows": one.rows, "rate": one.rate, "low": one.low, "high": one.high}


def write_csv(sheet: Sheet, places: int, path: Path) -> None:
    """Write a sheet as CSV that is fit for spreadsheets; amounts are exact, with at least `places` digits."""
    columns = {
        name: pl.Series([_text(row[at], places) for row in sheet.rows], dtype=pl.String)
        for at, name in enumerate(sheet.columns)
    }
    pl.DataFrame(columns).select(guarded(pl.all())).write_csv(path)


def _figures(sums: Sums, results: Results) -> dict[str, Cell]:
    """The sums and counts that the file has columns for, by the names that they go by in outputs."""
    roles, average = results.roles, mean(sums.amount, sums.orders, results.places)
    named: dict[str, Cell] = {
        "rows": sums.rows,
        roles.measure: sums.amount,
        "refunds": sums.refunds,
        "orders": sums.orders,
        "customers": sums.customers,
        "average_order": None if average is None else Decimal(average),
        "quantity": _whole(sums.quantity),
    }
    beside: dict[str, Cell] = {"transaction_fee": sums.fees, "loan_amount": sums.loans}
    named |= {name: value for name, value in beside.items() if name != roles.measure}
    needs = {"customers": "customer_id", "quantity": "quantity"} | {name: name for name in beside}
    return {name: value for name, value in named.items() if name not in needs or roles.has(needs[name])}


def _whole(value: Decimal | None) -> int | Decimal | None:
    return int(value) if value is not None and value == int(value) else value


def _sheet(name: str, rows: Sequence[dict[str, Cell]]) -> Sheet:
    columns = list(rows[0]) if rows else []
    return Sheet(name, columns, [list(row.values()) for row in rows], _SHARES)


def _text(cell: Cell, places: int) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return money(cell, places) if isinstance(cell, Decimal) else str(cell)
