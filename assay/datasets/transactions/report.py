"""kpis.json: every figure of the run, for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import cast

from pydantic import JsonValue

from assay.datasets.transactions import anomalies, rates
from assay.datasets.transactions.breakdown import Breakdown
from assay.datasets.transactions.figures import mean, money, rate
from assay.datasets.transactions.quality import RowList
from assay.datasets.transactions.reconcile import Reconciliation
from assay.datasets.transactions.results import Results, Total
from assay.datasets.transactions.tables import (
    breakdown_rows,
    cohort_rows,
    loan_rows,
    monthly,
    proportion,
    status_rows,
)
from assay.datasets.transactions.workbook import Cell, Sheet


def kpis_json(results: Results) -> JsonValue:
    """Shape kpis.json. Amounts are texts, exact to the last digit; rates are shares of 1; no currency is '' or None."""
    survey, quality, roles = results.survey, results.quality, results.roles
    taken = set(roles.positions.values())
    content: dict[str, object] = {
        "measure": roles.measure,
        "rows": {
            "read": survey.rows_read,
            "used": results.rows_used,
            "not_counted": results.rows_not_counted,
            "refused": results.rows_refused,
            "blank": survey.rows_blank,
            "amount_computed": quality.computed,
            "without_order_id": quality.orderless,
        },
        "orders_counted_by": "order_id" if roles.has("order_id") else "row",
        "amount_from": [results.columns[roles.positions[role]] for role in roles.amount_columns],
        "order_amounts": _orders(results),
        "only_currency": results.currency,
        "currencies": [_currency(total, results) for total in results.totals],
        "by_status": _rows(status_rows(results), results.places),
        "unknown_status_words": [word for _, word in results.statuses.unknown],
        "customers": _customers(results),
        "fraud": _fraud(results),
        "success": _success(results),
        "loans": {"values": len(results.loans), "top": _rows(loan_rows(results)[: results.top], results.places)},
        "reconciliation": _reconciliation(results.reconciliation, results.places),
        "quality": {
            "refused": {reason: _row_list(rows) for reason, rows in quality.refused.items()},
            "identical_rows": _row_list(quality.identical),
            "conflicting_orders": _row_list(quality.conflicting),
            "unread_cells": dict(quality.unread),
        },
        "left_out": dict(results.left_out),
        "columns": {
            "used": {role: results.columns[at] for role, at in roles.positions.items()},
            "ignored": [name for at, name in enumerate(results.columns) if at not in taken],
        },
        "date_order": survey.dates.decided,
        "dates_with_zone": survey.dates.zoned,
        "confidence": results.confidence,
        "read_as": results.read_as,
    }
    return cast("JsonValue", content)


def _currency(total: Total, results: Results) -> dict[str, JsonValue]:
    places, sums = results.places, total.sums
    sheet = monthly(results)
    at = sheet.columns.index("currency")
    own = Sheet(sheet.name, sheet.columns, [row for row in sheet.rows if row[at] == total.currency])
    parts = {
        part.dimension: _breakdown(part, sums.amount, results)
        for part in results.breakdowns
        if part.currency == total.currency
    }
    fee = results.fee_rates.get(total.currency)
    content = {
        "currency": total.currency,
        "first_day": total.first_day.isoformat(),
        "last_day": total.last_day.isoformat(),
        "rows": sums.rows,
        "amount": money(sums.amount, places),
        "gross": money(sums.amount - sums.refunds, places),
        "refunds": money(sums.refunds, places),
        "refund_rows": sums.refund_rows,
        "orders": sums.orders,
        "customers": sums.customers,
        "average_order": mean(sums.amount, sums.orders, places),
        "quantity": money(sums.quantity, 0),
        "transaction_fees": money(sums.fees, places),
        "loan_amount": money(sums.loans, places),
        "fee_rate": None if fee is None else asdict(fee),
        "months": _rows([dict(zip(own.columns, row, strict=True)) for row in own.rows], places),
        "breakdowns": parts,
        "anomalies": _anomalies(results.anomalies[total.currency], places),
    }
    return cast("dict[str, JsonValue]", content)


def _breakdown(part: Breakdown, total: Decimal, results: Results) -> JsonValue:
    rows = _rows(breakdown_rows(part, total, results, results.top), results.places)
    shown = min(results.top, len(part.parts))
    others = rows[shown] if len(rows) > shown else None
    if others is not None:
        others = {name: value for name, value in others.items() if name != part.dimension}
    return {"values": part.values, "top": cast("JsonValue", rows[:shown]), "others": others}


def _orders(results: Results) -> JsonValue:
    orders = results.orders
    return {
        "counted": "once" if orders.once else "each_line",
        "because": orders.why or None,
        "orders": orders.orders,
        "other_way": [
            {"currency": currency, "amount": money(amount, results.places)}
            for currency, amount in sorted(orders.other.items(), key=lambda item: (item[0] is None, item[0]))
        ],
    }


def _anomalies(judged: anomalies.Anomalies, places: int) -> JsonValue:
    return {
        "days": judged.days,
        "median": money(judged.median, places),
        "mad": money(judged.mad, places),
        "z_above": anomalies.FAR,
        "none_because": judged.why_none,
        "found": [
            {"day": day.day.isoformat(), "amount": money(day.amount, places), "robust_z": day.z} for day in judged.far
        ],
    }


def _customers(results: Results) -> JsonValue:
    followed = results.customers
    if followed is None:
        return None
    return {
        "customers": followed.customers,
        "repeat_customers": followed.repeat,
        "repeat_rate": rate(followed.repeat, followed.customers),
        "rows_without_customer": followed.rows_without,
        "cohorts": cast("JsonValue", _rows(cohort_rows(results), results.places)),
    }


def _fraud(results: Results) -> JsonValue:
    if not results.fraud:
        return None
    by = {
        dimension: [{"value": value, **proportion(share)} for value, share in list(values.items())[: results.top]]
        for dimension, values in results.fraud.items()
        if dimension
    }
    overall = proportion(results.fraud[""][None])
    return cast("JsonValue", {"confidence": rates.CONFIDENCE, "interval": "Wilson", "all": overall, "by": by})


def _success(results: Results) -> JsonValue:
    share = results.success
    if share is None:
        return None
    if isinstance(share, rates.Proportion):
        counts = {"succeeded": share.yes, "rows": share.rows, "rate": share.rate, "low": share.low, "high": share.high}
        return cast("JsonValue", {"confidence": rates.CONFIDENCE, "interval": "Wilson", **counts})
    unit = "%" if results.survey.is_percent("success_rate") else "as written"
    return {"confidence": rates.CONFIDENCE, "interval": "normal, of the mean", "unit": unit, **asdict(share)}


def _reconciliation(checked: Reconciliation | None, places: int) -> JsonValue:
    if checked is None:
        return None
    content = {
        "rows": checked.rows,
        "tolerance": money(checked.tolerance, 0),
        "breaks": checked.breaks,
        "explained_by_price_rounding": checked.price_rounding,
        "listed": checked.listed,
        "difference": [
            {"currency": currency, "amount": money(total, places)} for currency, total in checked.difference.items()
        ],
        "largest": _rows([asdict(row) for row in checked.largest], places),
    }
    return cast("JsonValue", content)


def _row_list(rows: RowList) -> JsonValue:
    return cast("JsonValue", {"count": rows.count, "rows": rows.rows})


def _rows(rows: list[dict[str, Cell]], places: int) -> list[dict[str, JsonValue]]:
    return [{name: _json(cell, places) for name, cell in row.items()} for row in rows]


def _json(cell: Cell, places: int) -> JsonValue:
    if isinstance(cell, Decimal):
        return money(cell, places)
    return cell.isoformat() if isinstance(cell, date) else cell
