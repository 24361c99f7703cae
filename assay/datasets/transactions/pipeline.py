"""Orders and payments: what came in by month, place, product and customer, what it rests on, and what to doubt."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from pydantic import Field, JsonValue

from assay import contract
from assay.contract import Count, Outputs, Progress, Source, Sources, Summary
from assay.datasets import registry
from assay.datasets.transactions import rates
from assay.datasets.transactions.amounts import currency_code
from assay.datasets.transactions.anomalies import anomalies
from assay.datasets.transactions.breakdown import breakdowns
from assay.datasets.transactions.by_status import by_status
from assay.datasets.transactions.customers import customers
from assay.datasets.transactions.ignored import ignored, without_flags
from assay.datasets.transactions.lineage import write_lineage
from assay.datasets.transactions.months import daily, months
from assay.datasets.transactions.orders import OrderAmounts
from assay.datasets.transactions.page import page
from assay.datasets.transactions.quality import quality
from assay.datasets.transactions.reconcile import Reconciliation, reconcile
from assay.datasets.transactions.report import kpis_json
from assay.datasets.transactions.results import Results, totals
from assay.datasets.transactions.roles import Roles, choose
from assay.datasets.transactions.rows import counted
from assay.datasets.transactions.statuses import COLUMNS, NOT_COUNTED, Statuses
from assay.datasets.transactions.survey import Survey, look
from assay.datasets.transactions.tables import breakdown_sheets, monthly, write_csv
from assay.datasets.transactions.what_counts import choose_rows
from assay.datasets.transactions.workbook import write_workbook
from assay.detection.detect import detect
from assay.errors import Unprocessable
from assay.formats import open_table, preview
from assay.formats.header_rank import no_rows
from assay.formats.problems import listed
from assay.page.html import write_page
from assay.write.canonical import described, write_json
from assay.write.workbook import MEDIA_TYPE

_INFO = registry.info_of(__file__)
# Fraud is looked at by these: by product or customer there would be too few rows for a rate.
_FRAUD_BY = ("region", "country", "product_category", "channel")


class Parameters(contract.TabularParameters):
    """What a user may choose."""

    currency: str | None = Field(
        default=None, min_length=1, max_length=40, description="a currency, such as EUR: only its rows are used"
    )
    include_status: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description='the words of the status or type column whose rows are counted, such as ["paid"]; all others are '
        "shown beside them; if omitted, completed and paid rows count",
    )
    order_amounts: OrderAmounts = Field(
        default="auto",
        description="once where each line of an order repeats the amount of the whole order; each_line where every "
        "line has an amount of its own",
    )
    top: int = Field(default=20, ge=1, le=1000, description="how many products, customers and so on kpis.json lists")


def run(sources: Sources, parameters: Parameters, outputs: Outputs, progress: Progress) -> Summary:
    """Write kpis.json, the tables, the lineage and dashboard.html.

    Raises Unprocessable where the file can't be read, lacks a column, has no usable row, or is beyond a bound.
    """
    with tempfile.TemporaryDirectory(dir=outputs.folder.parent, prefix="rows-") as folder:
        return _run(sources.input, parameters, outputs, progress, Path(folder))


def _run(source: Source, parameters: Parameters, outputs: Outputs, progress: Progress, folder: Path) -> Summary:
    rules = registry.rules_of(_INFO)
    progress(0.02, "reading")
    score, reading = parameters.header_score(rules.header_score), parameters.reading
    table = open_table(source, score, folder, lambda done: progress(0.02 + 0.13 * done, "repairing"), reading)
    head = preview(source, score, reading)
    detection = detect(head, {_INFO.dataset_type: rules}, _INFO.dataset_type, parameters.columns)
    roles = without_flags(table, choose(detection.columns.at))
    progress(0.15, "reading")
    survey = look(table, roles, parameters.reading)
    progress(0.25, "reading")
    currency = None
    if parameters.currency is not None:
        currency = pl.select(currency_code(pl.lit(parameters.currency.strip()))).item()
    chosen = choose_rows(
        table,
        roles,
        survey,
        include_status=parameters.include_status,
        order_amounts=parameters.order_amounts,
        currency=currency,
        folder=folder,
    )
    roles, rows, used = chosen.roles, chosen.rows, counted(chosen.rows)
    progress(0.45, "analysing")
    if not used.select(pl.len()).collect(engine="streaming").item():
        raise _nothing_usable(survey, rows, chosen.statuses, currency)
    doubts = quality(chosen.as_read, rows, used, roles, survey)
    all_totals = totals(used, roles)
    progress(0.5, "analysing")
    buyers = customers(used, roles)
    by_month = months(used, roles, buyers)
    days: dict[str | None, list[tuple[date, Decimal]]] = {total.currency: [] for total in all_totals}
    for code, day, amount in daily(used).iter_rows():
        days[code].append((day, amount))
    progress(0.6, "analysing")
    by_dimension = breakdowns(used, roles, {total.currency: total.sums for total in all_totals})
    progress(0.75, "reconciling")
    results = Results(
        roles=roles,
        columns=table.columns,
        survey=survey,
        statuses=chosen.statuses,
        by_status=by_status(rows, chosen.statuses, has_cancelled=roles.has("cancelled")),
        orders=chosen.orders,
        total_rows=chosen.totals,
        # Who knows the layout knows which columns decide.
        ignored=[] if detection.columns.layout is not None else ignored(table, roles, rows),
        quality=doubts,
        totals=all_totals,
        months=by_month,
        customers=buyers,
        breakdowns=by_dimension,
        fraud=_fraud(used, roles),
        success=_success(used, roles, survey),
        fee_rates=rates.fee_rates(used) if roles.has("transaction_fee") and roles.measure == "revenue" else {},
        loans=rates.loans(used, roles) if roles.has("loan_amount") else [],
        reconciliation=_reconcile(used, roles, survey, parameters.top, outputs),
        anomalies={code: anomalies(amounts) for code, amounts in days.items()},
        days=days,
        places=survey.places_of(roles),
        top=parameters.top,
        currency=currency,
        confidence=detection.confidence,
        chosen_columns=detection.columns,
        read_as=table.facts,
        left_out=_left_out(roles),
    )
    _write(results, rows, source.sha256, outputs, progress)
    progress(0.98, "finishing")
    return _summary(results)


def _write(results: Results, rows: pl.LazyFrame, sha256: str, outputs: Outputs, progress: Progress) -> None:
    """Write the tables, the lineage of `rows`, kpis.json and the page of a file with this SHA-256."""
    progress(0.85, "writing the tables")
    by_months = monthly(results)
    write_csv(by_months, results.places, outputs.new("monthly.csv", "text/csv"))
    write_workbook([by_months], results.places, outputs.new("monthly.xlsx", MEDIA_TYPE))
    write_workbook(breakdown_sheets(results), results.places, outputs.new("breakdown.xlsx", MEDIA_TYPE))
    progress(0.9, "writing the lineage")
    as_csv = outputs.new("audit_lineage.csv", "text/csv")
    as_parquet = outputs.new("audit_lineage.parquet", "application/vnd.apache.parquet")
    write_lineage(rows, results.roles, as_parquet, as_csv)
    write_json(described("kpis", kpis_json(results)), outputs.new("kpis.json", "application/json"))
    shown = page(results, pl.scan_parquet(as_parquet, glob=False), sha256)
    write_page(shown, outputs.new("dashboard.html", "text/html"))


def _fraud(used: pl.LazyFrame, roles: Roles) -> dict[str, dict[str | None, rates.Proportion]]:
    if not roles.has("fraud_flag"):
        return {}
    overall = rates.flagged(used, "fraud")
    if not overall:
        return {}
    return {"": overall} | {name: rates.flagged(used, "fraud", name) for name in _FRAUD_BY if roles.has(name)}


def _success(used: pl.LazyFrame, roles: Roles, survey: Survey) -> rates.Proportion | rates.Mean | None:
    if not roles.has("success_rate"):
        return None
    if survey.success_words:
        return rates.flagged(used, "success").get(None)
    return rates.mean_of(used, "success_rate")


def _reconcile(used: pl.LazyFrame, roles: Roles, survey: Survey, top: int, outputs: Outputs) -> Reconciliation | None:
    if not roles.has("revenue", "quantity", "unit_price") or roles.whole_orders:
        return None
    return reconcile(used, survey.places, top, outputs.new("reconciliation.csv", "text/csv"))


def _left_out(roles: Roles) -> dict[str, str]:
    """Say which parts of the analysis were left out, and why."""
    needs: Mapping[str, tuple[str, ...]] = {
        "orders": ("order_id",),
        "customers": ("customer_id",),
        "region": ("region",),
        "country": ("country",),
        "product_category": ("product_category",),
        "product_subcategory": ("product_subcategory",),
        "channel": ("channel",),
        "currency": ("currency",),
        "reconciliation": ("revenue", "quantity", "unit_price"),
        "fee_rate": ("transaction_fee",),
        "fraud": ("fraud_flag",),
        "success": ("success_rate",),
        "loans": ("loan_amount",),
        "interest": ("interest_rate",),
    }
    missing = {part: [role for role in roles_of if not roles.has(role)] for part, roles_of in needs.items()}
    reasons = {part: f"no column {' and no column '.join(absent)}" for part, absent in missing.items() if absent}
    if not roles.has("product_id") and not roles.has("product_name"):
        reasons["product"] = "no column product_id or product_name"
    if roles.has("transaction_fee") and roles.measure != "revenue":
        reasons["fee_rate"] = "no column revenue"
    if roles.whole_orders:
        of_lines = ("product_category", "product_subcategory", "product", "reconciliation")
        reasons |= {part: "amounts are those of whole orders" for part in of_lines if part not in reasons}
    return reasons


def _nothing_usable(survey: Survey, rows: pl.LazyFrame, statuses: Statuses, currency: str | None) -> Unprocessable:
    if not survey.rows_read:
        return no_rows()
    reasons = dict(rows.group_by("reason").len().sort("reason").collect(engine="streaming").iter_rows())
    if set(reasons) == {"other_currency"}:
        return Unprocessable(
            "no_such_currency",
            f"None of the {survey.rows_read:,} rows is in {currency}.",
            "Name a currency as it stands in the file, or leave it out to have figures for each.",
        )
    counts = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
    if set(reasons) & set(NOT_COUNTED):
        words = [word for column in COLUMNS for word in statuses.classes.get(column, {})]
        return Unprocessable(
            "no_counted_rows",
            f"None of the {survey.rows_read:,} rows counts: {counts}.",
            f"Name those that do in `include_status`; the file has: {listed(words)}."
            if words
            else 'If the column of cancelled rows says something else, leave it out: columns {"cancelled": null}.',
        )
    return Unprocessable(
        "no_usable_rows",
        f"None of the {survey.rows_read:,} rows can be used: {counts}.",
        "Each row needs a date such as 2024-01-31 and a number as its amount.",
    )


def _summary(results: Results) -> Summary:
    read = results.survey.rows_read
    reconciled = results.reconciliation
    figures: dict[str, JsonValue] = {
        "currencies": len(results.totals),
        "months": len({month.month for month in results.months}),
        "first_day": min(total.first_day for total in results.totals).isoformat(),
        "last_day": max(total.last_day for total in results.totals).isoformat(),
        "customers": None if results.customers is None else results.customers.customers,
        "breaks": None if reconciled is None else reconciled.breaks,
        "anomalies": sum(len(judged.far) for judged in results.anomalies.values()),
    }
    return Summary({"rows": Count(read, results.rows_used, read - results.rows_used)}, figures)
