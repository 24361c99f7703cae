"""The dashboard: the figures, the findings, and charts and tables of each currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal

import polars as pl

from assay.datasets.transactions.figures import mean, money, rate
from assay.datasets.transactions.findings import REFUSED, findings
from assay.datasets.transactions.lineage import NUMBERS
from assay.datasets.transactions.months import Month
from assay.datasets.transactions.results import Results, Total
from assay.datasets.transactions.tables import (
    TITLES,
    breakdown_rows,
    loan_rows,
    monthly,
    proportion,
    status_rows,
    unusual_days,
)
from assay.datasets.transactions.wording import amount_of, in_currency
from assay.datasets.transactions.workbook import Cell
from assay.page.markup import few
from assay.page.model import Bars, Figure, Finding, Heat, Histogram, Page, Panel, Series, Table, Tone
from assay.page.tables import Cell as TableCell

_LINEAGE_ROWS = 10
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
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
        tables=[*_tables(results), _lineage_table(lineage, sha256, results)],
    )


def _charted(results: Results) -> list[Total]:
    """The currencies of most rows; one of a few rows gets no charts."""
    fewest = _CHARTED_SHARE * results.rows_used
    return [total for total in results.totals[:_CHARTED] if total.sums.rows >= fewest]


def _not_charted(totals: Sequence[Total]) -> list[Finding]:
    if not totals:
        return []
    names = few([total.currency or "no stated currency" for total in totals])
    return [Finding(f"Without charts, because they have few rows: {names}. The tables have them.")]


def _title(results: Results) -> str:
    return results.roles.measure.replace("_", " ").capitalize()


def _figures(results: Results) -> list[Figure]:
    first, last = min(total.first_day for total in results.totals), max(total.last_day for total in results.totals)
    charted = _charted(results)
    amounts = [amount_of(total, results) for total in results.totals[:_CHARTED]]
    left = len(results.totals) - len(amounts)
    shown = [_figure(_title(results), [*amounts, *([f"and {left:,} more"] if left else [])])]
    if results.roles.measure != "net_amount":
        averages = [
            in_currency(average, total.currency)
            for total in charted
            if (average := mean(total.sums.amount, total.sums.orders, results.places)) is not None
        ]
        if averages:
            shown.append(_figure("Average order", averages))
        # An order may have rows in several currencies: their counts can't be added up.
        orders = [f"{total.sums.orders:,}{_in(total, results)}" for total in charted]
        shown.append(_figure("Orders", orders))
    if results.customers is not None:
        repeat = rate(results.customers.repeat, results.customers.customers) or 0.0
        shown.append(Figure("Customers", f"{results.customers.customers:,}"))
        shown.append(Figure("Bought again", f"{repeat:.1%}"))
    tone: Tone = "warn" if results.rows_refused else "plain" if results.rows_not_counted else "good"
    shown.append(Figure("Rows counted", f"{results.rows_used:,} of {results.survey.rows_read:,}", tone))
    checked = results.reconciliation
    if checked is not None:
        tone = "bad" if checked.breaks else "good"
        shown.append(Figure("Price mismatches", f"{checked.breaks:,}", tone))
    shown.append(Figure("Dates", f"{first} to {last}" if first < last else str(first)))
    return shown


def _figure(label: str, lines: Sequence[str]) -> Figure:
    return Figure(label, lines[0], more=lines[1:])


def _in(total: Total, results: Results) -> str:
    """The currency, behind what there is for each of several."""
    return f" ({total.currency})" if len(results.totals) > 1 and total.currency else ""


def _panels(total: Total, results: Results) -> list[_Panel]:
    own = [month for month in results.months if month.currency == total.currency]
    unit = total.currency or ""
    name = _title(results)
    of = _in(total, results)
    days = results.days[total.currency]
    panels: list[_Panel] = [
        Bars(
            f"{name} by month{of}",
            unit,
            [_month(month) for month in own],
            [None if month.sums is None else float(month.sums.amount) for month in own],
            _month_note(own),
            [place for place, month in enumerate(own) if month.unfinished],
        ),
        Panel(
            f"{name} by day{of}",
            [day for day, _ in days],
            [Series(name, [float(amount) for _, amount in days])],
            "",
            unit,
        ),
        Panel(f"Orders by month{of}", [month.month for month in own], _counts(own)),
    ]
    for part in results.breakdowns:
        if part.currency == total.currency and (part.values > 1 or len(results.totals) == 1):
            top = part.parts[:_BARS]
            cut = f"The largest {len(top)} of {part.values:,}." if part.values > len(top) else ""
            labels = [_label(value.value, value.name) for value in top]
            title = f"{TITLES[part.dimension]}{of}"
            panels.append(Bars(title, unit, labels, [float(value.sums.amount) for value in top], cut))
    return panels


def _month(month: Month) -> str:
    """The label of a month: a star says that it is not over."""
    return f"{month.month:%Y-%m}{'*' if month.unfinished else ''}"


def _month_note(own: Sequence[Month]) -> str:
    texts = []
    if any(month.sums is None for month in own):
        texts.append("Months without rows are gaps.")
    if any(month.unfinished for month in own):
        texts.append("* The file ends before this month does: the outline holds a part of it.")
    return " ".join(texts)


def _counts(own: Sequence[Month]) -> list[Series]:
    lines: dict[str, list[float | None]] = {
        "Orders": [None if month.sums is None else month.sums.orders for month in own]
    }
    if own and own[0].new_customers is not None:
        lines["New customers"] = [month.new_customers for month in own]
        lines["Returning customers"] = [month.returning_customers for month in own]
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
    last = max(month.month for month in results.months)
    values: list[list[float | None]] = []
    for first, size, active in shown:
        bought = dict(active)
        over = (last.year - first.year) * 12 + last.month - first.month
        # A month that has not come yet is blank, one in which nobody bought is 0.
        values.append([round(100 * bought.get(month, 0) / size, 1) if month <= over else None for month in since])
    note = (
        "Of the customers whose first month it was, how many bought in the months after. Month 0 is the first, where "
        "all of them bought: it has no colour."
    )
    rows = [f"{first:%Y-%m} ({size:,})" for first, size, _ in shown]
    return [Heat("Customers who bought again", rows, [str(month) for month in since], values, note, "%", unshaded=1)]


def _tables(results: Results) -> list[Table]:
    places = results.places
    by_month = monthly(results)
    made = [_table("Months", [dict(zip(by_month.columns, row, strict=True)) for row in by_month.rows], places)]
    made.append(_table("Statuses", status_rows(results)[: results.top], places, "Rows and amounts by status and type."))
    totals = {total.currency: total.sums.amount for total in results.totals}
    for dimension in dict.fromkeys(part.dimension for part in results.breakdowns):
        parts = [part for part in results.breakdowns if part.dimension == dimension]
        rows = [row for part in parts for row in breakdown_rows(part, totals[part.currency], results, results.top)]
        values = sum(part.values for part in parts)
        note = (
            f"The largest of {values:,}; breakdown.xlsx has more."
            if any(part.values > results.top for part in parts)
            else ""
        )
        made.append(_table(TITLES[dimension], rows, places, note))
    if results.loans:
        made.append(_table("Loans", loan_rows(results)[: results.top], places, "Rates are in the unit of the file."))
    frauds: list[dict[str, Cell]] = [
        {"by": dimension or "all", "value": value, **proportion(share)}
        for dimension, shares in results.fraud.items()
        for value, share in list(shares.items())[: results.top]
    ]
    made.append(_table("Fraud", frauds, places, "Rates with their 95 % Wilson interval."))
    fees: list[dict[str, Cell]] = [
        {"currency": currency, "rows": ratio.rows, "rate": ratio.value, "low": ratio.low, "high": ratio.high}
        for currency, ratio in results.fee_rates.items()
    ]
    made.append(_table("Fees", fees, places, "Fees as a share of revenue, with the 95 % interval of a ratio."))
    checked = results.reconciliation
    if checked is not None:
        note = (
            f"Rows where revenue is not quantity times unit price: the largest of {checked.breaks:,}. "
            f"reconciliation.csv lists {checked.listed:,}."
        )
        breaks: list[dict[str, Cell]] = [asdict(row) for row in checked.largest]
        made.append(_table("Price mismatches", breaks, places, note))
    note = "0.6745 (amount - median) / MAD beyond 3.5, of all days with rows."
    made.append(_table("Unusual days", unusual_days(results), places, note))
    refused: list[dict[str, Cell]] = [
        {"reason": REFUSED[reason], "rows": rows.count, "row_numbers": few([str(row) for row in rows.rows])}
        for reason, rows in results.quality.refused.items()
    ]
    made.append(_table("Rows not used", refused, places, "Row 1 is the first below the header."))
    return [table for table in made if table.rows]


def _table(title: str, rows: Sequence[dict[str, Cell]], places: int, note: str = "") -> Table:
    """Make a table without the columns that are blank or the same throughout; the note has what these hold."""
    columns = list(rows[0]) if rows else []
    first = columns[:1]
    filled = [name for name in columns if any(row[name] is not None for row in rows)]
    constant = [name for name in filled if name not in first and _is_constant([row[name] for row in rows])]
    if constant:
        same = ", ".join(f"{_head(name)} {_text(_shown(name, rows[0][name], places))}" for name in constant)
        note = f"{note} In every row: {same}.".strip()
    kept = [name for name in filled if name not in constant]
    body = [[_shown(name, row[name], places) for name in kept] for row in rows]
    return Table(title, [_head(name) for name in kept], body, note)


def _is_constant(cells: Sequence[Cell]) -> bool:
    """Whether all cells of several rows are filled and the same."""
    return len(cells) > 1 and None not in cells and len(set(cells)) == 1


def _head(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(cell: TableCell) -> str:
    return f"{cell:,}" if isinstance(cell, Decimal) else str(cell)


def _shown(name: str, cell: Cell, places: int) -> TableCell:
    if isinstance(cell, Decimal):
        return Decimal(money(cell, 0 if name == "quantity" else places) or 0)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return Decimal(cell)
    if isinstance(cell, float) and (name.startswith("growth") or name in ("share", "rate", "low", "high")):
        return f"{cell:.2%}"
    return cell.isoformat() if isinstance(cell, date) else cell


def _lineage_table(lineage: pl.LazyFrame, sha256: str, results: Results) -> Table:
    head = lineage.head(_LINEAGE_ROWS).collect(engine="streaming")
    tail = lineage.tail(_LINEAGE_ROWS).collect(engine="streaming").filter(~pl.col("row").is_in(head["row"].implode()))
    rows = [
        {name: _lineage_cell(name, value) for name, value in row.items()}
        for row in pl.concat([head, tail]).iter_rows(named=True)
    ]
    note = (
        f"The first and last of {results.survey.rows_read:,} rows; all are in audit_lineage.csv. "
        f"SHA-256 of the input: {sha256}."
    )
    return _table("Lineage", rows, results.places, note)


def _lineage_cell(name: str, value: str | int | bool | None) -> Cell:
    """Show the numbers of the lineage, which are text there, as numbers; an amount may be text that is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return Decimal(value) if name in NUMBERS and isinstance(value, str) and _NUMBER.fullmatch(value) else value
