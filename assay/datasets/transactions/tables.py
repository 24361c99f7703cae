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
NOT_COUNTED_WORDS = {
    "cancelled": "cancelled",
    "failed": "failed",
    "pending": "not paid yet",
    "refunded": "refunded",
    "hold": "held or authorised",
    "payout": "payout or transfer",
    "fee": "fee",
    "not_included": "not in include_status",
}
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
    """Shape the months by currency; a month without rows has no sums, and is a gap.

    What the file has no column for is left out.
    """
    rows: list[dict[str, Cell]] = []
    for month in results.months:
        figures = _figures(month.sums, results)
        place = list(figures).index("customers") + 1 if "customers" in figures else len(figures)
        items = list(figures.items())
        new: list[tuple[str, Cell]] = []
        if results.customers is not None:
            new = [("new_customers", month.new_customers), ("returning_customers", month.returning_customers)]
        head: list[tuple[str, Cell]] = [
            ("month", f"{month.month:%Y-%m}"),
            ("currency", month.currency),
            ("days", month.days),
        ]
        grown: list[tuple[str, Cell]] = [("growth_month", month.mom), ("growth_year", month.yoy)]
        state = "unfinished" if month.unfinished else "no rows" if month.sums is None else None
        rows.append(dict([*head, *items[:place], *new, *items[place:], *grown, ("note", state)]))
    return _sheet("Monthly", rows)


def breakdown_sheets(results: Results) -> list[Sheet]:
    """Shape a sheet for each status, each dimension, the cohorts, the loans, the fraud rates and the unusual days."""
    totals = {total.currency: total.sums.amount for total in results.totals}
    all_totals: list[dict[str, Cell]] = [
        {"currency": total.currency, "first_day": total.first_day, "last_day": total.last_day}
        | _figures(total.sums, results)
        for total in results.totals
    ]
    sheets = [_sheet("Totals", all_totals)]
    if results.by_status:
        sheets.append(_sheet("Status", status_rows(results)[:MAX_LISTED]))
    for dimension in dict.fromkeys(part.dimension for part in results.breakdowns):
        parts = [part for part in results.breakdowns if part.dimension == dimension]
        rows = [row for part in parts for row in breakdown_rows(part, totals[part.currency], results, MAX_LISTED)]
        sheets.append(_sheet(TITLES[dimension], rows))
    if results.customers is not None:
        sheets.append(_sheet("Cohorts", cohort_rows(results)))
    if results.loans:
        sheets.append(_sheet("Loans", loan_rows(results)[:MAX_LISTED]))
    if results.fraud:
        rows = [
            {"dimension": dimension or "all", "value": value} | proportion(share)
            for dimension, values in results.fraud.items()
            for value, share in values.items()
        ]
        sheets.append(_sheet("Fraud", rows))
    unusual = unusual_days(results)
    if unusual:
        sheets.append(_sheet("Anomalies", unusual))
    return sheets


def status_rows(results: Results) -> list[dict[str, Cell]]:
    """Shape the statuses and types: rows and amount of each, and whether they count."""
    rows: list[dict[str, Cell]] = []
    for part in results.by_status:
        words: dict[str, Cell] = {"status": part.status, "type": part.type}
        shown = {name: word for name, word in words.items() if name in results.statuses.classes}
        counted = "yes" if part.not_counted is None else f"no: {NOT_COUNTED_WORDS[part.not_counted]}"
        rows.append(shown | {"currency": part.currency, "rows": part.rows, "amount": part.amount, "counted": counted})
    return rows


def unusual_days(results: Results) -> list[dict[str, Cell]]:
    """Shape the days whose amount lies far from the usual one."""
    return [
        {"currency": currency, "day": day.day, results.roles.measure: day.amount, "robust_z": day.z}
        for currency, judged in results.anomalies.items()
        for day in judged.far
    ]


def breakdown_rows(part: Breakdown, total: Decimal, results: Results, limit: int) -> list[dict[str, Cell]]:
    """Shape the first values of one dimension in one currency, each with its share of the currency's amount.

    Where there are more than `limit`, the last row holds the sums of all others, so that the column adds up. Orders and
    customers of these are blank: one may be in several values.
    """
    rows = [_breakdown_row(part, value.value, value.name, value.sums, total, results) for value in part.parts[:limit]]
    others = part.others(limit)
    if others is not None:
        label = f"(all {part.values - min(limit, len(part.parts)):,} others)"
        rows.append(_breakdown_row(part, label, None, others, total, results))
        rows[-1] |= {name: None for name in ("orders", "customers", "average_order") if name in rows[-1]}
    return rows


def _breakdown_row(
    part: Breakdown, value: str | None, name: str | None, sums: Sums, total: Decimal, results: Results
) -> dict[str, Cell]:
    head: dict[str, Cell] = {"currency": part.currency, part.dimension: value}
    if part.dimension == "product" and results.roles.has("product_id", "product_name"):
        head["product_name"] = name
    figures = _figures(sums, results)
    if part.dimension == "customer_id":
        figures.pop("customers", None)
    return head | figures | {"share": rate(sums.amount, total)}


def cohort_rows(results: Results) -> list[dict[str, Cell]]:
    """Shape the cohorts in long form: a row for each first month and number of months since then."""
    followed = results.customers
    return [
        {
            "cohort": f"{first:%Y-%m}",
            "size": size,
            "months_since": since,
            "customers": count,
            "share": rate(count, size),
        }
        for first, size, active in (followed.retention() if followed else [])
        for since, count in active
    ]


def loan_rows(results: Results) -> list[dict[str, Cell]]:
    """Shape the loans by product; rates are in the unit in which they are written."""
    return [
        {
            "currency": loan.currency,
            "product": loan.value,
            "loans": loan.loans,
            "loan_amount": loan.amount,
            "with_rate": loan.with_rate,
            "mean_rate": loan.mean_rate,
            "weighted_rate": loan.weighted_rate,
            "lowest_rate": None if loan.lowest_rate is None else float(loan.lowest_rate),
            "highest_rate": None if loan.highest_rate is None else float(loan.highest_rate),
        }
        for loan in results.loans
    ]


def proportion(share: Proportion) -> dict[str, Cell]:
    """Shape a rate and its interval."""
    return {"flagged": share.yes, "rows": share.rows, "rate": share.rate, "low": share.low, "high": share.high}


def write_csv(sheet: Sheet, places: int, path: Path) -> None:
    """Write a sheet as CSV that is fit for spreadsheets; amounts are exact, with at least `places` digits."""
    columns = {
        name: pl.Series([_text(row[position], places) for row in sheet.rows], dtype=pl.String)
        for position, name in enumerate(sheet.columns)
    }
    pl.DataFrame(columns).select(guarded(pl.all())).write_csv(path)


def _figures(sums: Sums | None, results: Results) -> dict[str, Cell]:
    """The sums and counts that the file has columns for, by their names in outputs; all blank but `rows` for None."""
    roles = results.roles
    named: dict[str, Cell] = {
        "rows": 0, roles.measure: None, results.negative_name: None, "orders": None, "customers": None,
        "average_order": None, "quantity": None, "transaction_fee": None, "loan_amount": None,
    }  # fmt: skip
    if sums is not None:
        average = mean(sums.amount, sums.orders, results.places)
        named |= {"transaction_fee": sums.fees, "loan_amount": sums.loans}
        named |= {
            "rows": sums.rows,
            roles.measure: sums.amount,
            results.negative_name: sums.refunds,
            "orders": sums.orders,
            "customers": sums.customers,
            "average_order": None if average is None else Decimal(average),
            "quantity": _whole(sums.quantity),
        }
    needs = {"customers": "customer_id"} | {name: name for name in ("quantity", "transaction_fee", "loan_amount")}
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
