"""kpis.json: every figure of the run, for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import cast

from pydantic import JsonValue

from assay.datasets.transactions import anomalies, rates
from assay.datasets.transactions.figures import mean, money, rate
from assay.datasets.transactions.quality import Found
from assay.datasets.transactions.reconcile import Reconciliation
from assay.datasets.transactions.results import Results, Total
from assay.datasets.transactions.tables import breakdown_rows, cohort_rows, loan_rows, monthly, proportion
from assay.datasets.transactions.workbook import Cell, Sheet


def kpis_json(results: Results) -> JsonValue:
    """Shape kpis.json. Amounts are texts, exact to the last digit; rates are shares of 1; no currency is '' or None."""
    survey, quality, roles = results.survey, results.quality, results.roles
    played = set(roles.at.values())
    content: dict[str, object] = {
        "measure": roles.measure,
        "rows": {
            "read": survey.rows_read,
            "used": results.rows_used,
            "refused": survey.rows_read - results.rows_used,
            "blank": survey.rows_blank,
            "amount_computed": quality.computed,
            "without_order_id": quality.orderless,
        },
        "orders_counted_by": "order_id" if roles.has("order_id") else "row",
        "only_currency": results.currency,
        "currencies": [_currency(total, results) for total in results.totals],
        "customers": _customers(results),
        "fraud": _fraud(results),
        "success": _success(results),
        "loans": {"values": len(results.loans), "top": _rows(loan_rows(results)[: results.top], results.places)},
        "reconciliation": _reconciliation(results.reconciliation, results.places),
        "quality": {
            "refused": {reason: _found(found) for reason, found in quality.refused.items()},
            "identical_rows": _found(quality.identical),
            "conflicting_orders": _found(quality.conflicting),
            "unread_cells": dict(quality.unread),
        },
        "left_out": dict(results.left_out),
        "columns": {
            "used": {role: results.columns[at] for role, at in roles.at.items()},
            "ignored": [name for at, name in enumerate(results.columns) if at not in played],
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
        part.dimension: {
            "values": part.values,
            "top": _rows(breakdown_rows(part, sums.amount, results)[: results.top], places),
        }
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


def _anomalies(found: anomalies.Anomalies, places: int) -> JsonValue:
    return {
        "days": found.days,
        "median": money(found.median, places),
        "mad": money(found.mad, places),
        "z_above": anomalies.FAR,
        "none_because": found.why_none,
        "found": [
            {"day": one.day.isoformat(), "amount": money(one.amount, places), "robust_z": one.z} for one in found.found
        ],
    }


def _customers(results: Results) -> JsonValue:
    found = results.customers
    if found is None:
        return None
    return {
        "customers": found.customers,
        "repeat_customers": found.repeat,
        "repeat_rate": rate(found.repeat, found.customers),
        "rows_without_customer": found.rows_without,
        "cohorts": _rows(cohort_rows(results), results.places),
    }


def _fraud(results: Results) -> JsonValue:
    if not results.fraud:
        return None
    by = {
        dimension: [{"value": value, **proportion(one)} for value, one in list(values.items())[: results.top]]
        for dimension, values in results.fraud.items()
        if dimension
    }
    overall = proportion(results.fraud[""][None])
    return cast("JsonValue", {"confidence": rates.CONFIDENCE, "interval": "Wilson", "all": overall, "by": by})


def _success(results: Results) -> JsonValue:
    found = results.success
    if found is None:
        return None
    if isinstance(found, rates.Proportion):
        counts = {"succeeded": found.yes, "rows": found.rows, "rate": found.rate, "low": found.low, "high": found.high}
        return cast("JsonValue", {"confidence": rates.CONFIDENCE, "interval": "Wilson", **counts})
    unit = "%" if results.survey.is_percent("success_rate") else "as written"
    return {"confidence": rates.CONFIDENCE, "interval": "normal, of the mean", "unit": unit, **asdict(found)}


def _reconciliation(found: Reconciliation | None, places: int) -> JsonValue:
    if found is None:
        return None
    content = {
        "rows": found.rows,
        "tolerance": money(found.tolerance, 0),
        "breaks": found.breaks,
        "explained_by_price_rounding": found.price_rounding,
        "listed": found.listed,
        "difference": [
            {"currency": currency, "amount": money(total, places)} for currency, total in found.difference.items()
        ],
        "largest": _rows([asdict(one) for one in found.largest], places),
    }
    return cast("JsonValue", content)


def _found(found: Found) -> JsonValue:
    return cast("JsonValue", {"count": found.count, "rows": found.listed})


def _rows(rows: list[dict[str, Cell]], places: int) -> JsonValue:
    return [{name: _json(cell, places) for name, cell in row.items()} for row in rows]


def _json(cell: Cell, places: int) -> JsonValue:
    if isinstance(cell, Decimal):
        return money(cell, places)
    return cell.isoformat() if isinstance(cell, date) else cell
