"""The dashboard: the figures, the findings, and charts and tables of each currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal

import polars as pl

from assay.datasets.transactions.figures import mean, money, rate
from assay.datasets.transactions.findings import REFUSED, amount_of, few, findings, in_currency
from assay.datasets.transactions.months import Month
from assay.datasets.transactions.results import Results, Total
from assay.datasets.transactions.tables import (
    TITLES,
    breakdown_rows,
    loan_rows,
    monthly,
    proportion,
)
from assay.datasets.transactions.workbook import Cell
from assay.page.model import Bars, Figure, Finding, Heat, Histogram, Page, Panel, Series, Table

_LINEAGE_ROWS = 10
# Charts are made for so many currencies at most, and for none of so few rows; tables have them all.
_CHARTED = 4
_CHARTED_SHARE = 0.01
_BARS = 15
_COHORTS = 24

_Panel = Panel | Bars | Histogram | Heat


def page(results: Results, lineage: pl.LazyFrame, sha256: str) -> Page:
    """Shape the dashboard: what to look at first is at the top."""
    charted = _charted(results)
    return Page(
        title="Transactions",
        subtitle=f"{_title(results)} by month, place, product and customer",
        figures=_figures(results),
        findings=[*findings(results), *_not_charted(results.totals[len(charted) :])],
        panels=[panel for total in charted for panel in _panels(total, results)] + _cohorts(results),
        tables=[*_tables(results), _lineage_table(lineage, sha256, results.survey.rows_read)],
    )


def _charted(results: Results) -> list[Total]:
    """The currencies of the most rows; a slip of the pen makes no page longer."""
    least = _CHARTED_SHARE * results.rows_used
    return [total for total in results.totals[:_CHARTED] if total.sums.rows >= least]


def _not_charted(totals: Sequence[Total]) -> list[Finding]:
    if not totals:
        return []
    names = few([total.currency or "no stated currency" for total in totals])
    return [Finding(f"Too few rows for charts of their own: {names}. The tables have them.")]


def _title(results: Results) -> str:
    return results.roles.measure.replace("_", " ").capitalize()


def _figures(results: Results) -> list[Figure]:
    first, last = min(one.first_day for one in results.totals), max(one.last_day for one in results.totals)
    refused = results.survey.rows_read - results.rows_used
    shown = []
    for total in _charted(results):
        shown.append(Figure(_title(results), amount_of(total, results)))
        average = mean(total.sums.amount, total.sums.orders, results.places)
        if average is not None:
            shown.append(Figure("Average order", in_currency(average, total.currency)))
        # An order may have rows in several currencies: their counts can't be added up either.
        shown.append(Figure(f"Orders{_in(total, results)}", f"{total.sums.orders:,}"))
    if results.customers is not None:
        repeat = rate(results.customers.repeat, results.customers.customers) or 0.0
        shown.append(Figure("Customers", f"{results.customers.customers:,}"))
        shown.append(Figure("Came back", f"{repeat:.1%}"))
    shown.append(
        Figure("Rows used", f"{results.rows_used:,} of {results.survey.rows_read:,}", "warn" if refused else "good")
    )
    checked = results.reconciliation
    if checked is not None:
        shown.append(Figure("Breaks", f"{checked.breaks:,}", "bad" if checked.breaks else "good"))
    shown.append(Figure("Dates", f"{first} to {last}" if first < last else str(first)))
    return shown


def _in(total: Total, results: Results) -> str:
    """The currency, behind what there is for each of several."""
    return f" ({total.currency})" if len(results.totals) > 1 and total.currency else ""


def _panels(total: Total, results: Results) -> list[_Panel]:
    own = [one for one in results.months if one.currency == total.currency]
    unit = total.currency or ""
    name = _title(results)
    of = _in(total, results)
    days = results.days[total.currency]
    panels: list[_Panel] = [
        Bars(
            f"{name} by month{of}", unit, [f"{one.month:%Y-%m}" for one in own], [float(one.sums.amount) for one in own]
        ),
        Panel(
            f"{name} by day{of}",
            [day for day, _ in days],
            [Series(name, [float(amount) for _, amount in days])],
            "",
            unit,
        ),
        Panel(f"Orders by month{of}", [one.month for one in own], _counts(own)),
    ]
    for part in results.breakdowns:
        if part.currency == total.currency and (part.values > 1 or len(results.totals) == 1):
            top = part.parts[:_BARS]
            cut = f"The largest {len(top)} of {part.values:,}." if part.values > len(top) else ""
            labels = [_label(one.value, one.name) for one in top]
            title = f"{TITLES[part.dimension]}{of}"
            panels.append(Bars(title, unit, labels, [float(one.sums.amount) for one in top], cut))
    return panels


def _counts(own: Sequence[Month]) -> list[Series]:
    lines = {"Orders": [one.sums.orders for one in own]}
    if own and own[0].new_customers is not None:
        lines["New customers"] = [one.new_customers or 0 for one in own]
        lines["Returning customers"] = [one.returning_customers or 0 for one in own]
    return [Series(name, values) for name, values in lines.items()]


def _label(value: str | None, name: str | None) -> str:
    if value is None:
        return "(none)"
    return f"{value} {name}" if name else value


def _cohorts(results: Results) -> list[_Panel]:
    """The share of each cohort that bought again, by months since its first."""
    if results.customers is None:
        return []
    shown = results.customers.retention()[-_COHORTS:]
    since = sorted({months for _, _, active in shown for months, _ in active if months < _COHORTS})
    if len(shown) < 2:
        return []
    last = max(one.month for one in results.months)
    values: list[list[float | None]] = []
    for first, size, active in shown:
        bought = dict(active)
        over = (last.year - first.year) * 12 + last.month - first.month
        # A month that has not come yet is blank, one in which nobody bought is 0.
        values.append([round(100 * bought.get(month, 0) / size, 1) if month <= over else None for month in since])
    note = "Of the customers whose first month it was, how many bought in the months after; month 0 is the first."
    rows = [f"{first:%Y-%m} ({size:,})" for first, size, _ in shown]
    return [Heat("Customers who came back", rows, [str(month) for month in since], values, note, "%")]


def _tables(results: Results) -> list[Table]:
    places = results.places
    by_month = monthly(results)
    made = [_table("Months", [dict(zip(by_month.columns, row, strict=True)) for row in by_month.rows], places)]
    totals = {total.currency: total.sums.amount for total in results.totals}
    for dimension in dict.fromkeys(one.dimension for one in results.breakdowns):
        parts = [one for one in results.breakdowns if one.dimension == dimension]
        listed = [row for part in parts for row in breakdown_rows(part, totals[part.currency], results)[: results.top]]
        values = sum(part.values for part in parts)
        note = f"The first of {values:,}; breakdown.xlsx has more." if values > len(listed) else ""
        made.append(_table(TITLES[dimension], listed, places, note))
    if results.loans:
        made.append(_table("Loans", loan_rows(results)[: results.top], places, "Rates are in the unit of the file."))
    frauds: list[dict[str, Cell]] = [
        {"by": dimension or "all", "value": value, **proportion(one)}
        for dimension, found in results.fraud.items()
        for value, one in list(found.items())[: results.top]
    ]
    made.append(_table("Fraud", frauds, places, "Rates with their 95 % Wilson interval."))
    fees: list[dict[str, Cell]] = [
        {"currency": currency, "rows": one.rows, "rate": one.value, "low": one.low, "high": one.high}
        for currency, one in results.fee_rates.items()
    ]
    made.append(_table("Fees", fees, places, "Fees as a share of revenue, with the 95 % interval of a ratio."))
    checked = results.reconciliation
    if checked is not None:
        note = f"The largest of {checked.breaks:,}; reconciliation.csv lists {checked.listed:,}."
        breaks: list[dict[str, Cell]] = [asdict(one) for one in checked.largest]
        made.append(_table("Breaks", breaks, places, note))
    far: list[dict[str, Cell]] = [
        {"currency": currency, "day": one.day, "amount": one.amount, "robust_z": one.z}
        for currency, found in results.anomalies.items()
        for one in found.found
    ]
    made.append(_table("Far days", far, places, "0.6745 (amount - median) / MAD beyond 3.5, of all days with rows."))
    refused: list[dict[str, Cell]] = [
        {"reason": REFUSED[reason], "rows": found.count, "row_numbers": few([str(row) for row in found.listed])}
        for reason, found in results.quality.refused.items()
    ]
    made.append(_table("Rows not used", refused, places, "Row 1 is the first below the header."))
    return [table for table in made if table.rows]


def _table(title: str, rows: Sequence[dict[str, Cell]], places: int, note: str = "") -> Table:
    columns = list(rows[0]) if rows else []
    # What is blank throughout says nothing.
    kept = [name for name in columns if any(row[name] is not None for row in rows)]
    heads = [name.replace("_", " ").capitalize() for name in kept]
    return Table(title, heads, [[_shown(name, row[name], places) for name in kept] for row in rows], note)


def _shown(name: str, cell: Cell, places: int) -> str | int | float | None:
    if isinstance(cell, Decimal):
        # A number for the page to sort by; an amount of more digits than a double holds stays as it is written.
        return float(cell) if len(cell.normalize().as_tuple().digits) <= 15 else money(cell, places)
    if isinstance(cell, float) and (name.startswith("growth") or name in ("share", "rate", "low", "high")):
        return f"{cell:.2%}"
    return cell.isoformat() if isinstance(cell, date) else cell


def _lineage_table(lineage: pl.LazyFrame, sha256: str, rows: int) -> Table:
    head = lineage.head(_LINEAGE_ROWS).collect(engine="streaming")
    tail = lineage.tail(_LINEAGE_ROWS).collect(engine="streaming").filter(~pl.col("row").is_in(head["row"].implode()))
    shown = pl.concat([head, tail])
    return Table(
        "Lineage",
        shown.columns,
        [list(row) for row in shown.iter_rows()],
        note=f"The first and last of {rows:,} rows; all are in audit_lineage.csv. SHA-256 of the input: {sha256}",
    )
