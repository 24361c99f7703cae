"""Which rows count, and with which amount: the decisions between the rows as they were read and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from assay.datasets.transactions.orders import OrderAmounts, WholeOrders, judge_orders, once_each
from assay.datasets.transactions.roles import Roles
from assay.datasets.transactions.rows import ROW_GROUP, read_rows
from assay.datasets.transactions.statuses import Statuses, decide, with_refunds_in_rows, with_signed_amounts
from assay.datasets.transactions.survey import BELOW_ZERO, Survey, cell
from assay.datasets.transactions.total_rows import TotalRows, find_totals, total_word, without_totals
from assay.formats import Table

_NOT_JUDGED = ("type", "net_amount")


@dataclass(frozen=True)
class Chosen:
    """All rows, as they were read and as they count, and the decisions on them; `roles` has what they changed."""

    as_read: pl.LazyFrame
    rows: pl.LazyFrame
    roles: Roles
    statuses: Statuses
    orders: WholeOrders
    totals: TotalRows


def choose_rows(
    table: Table,
    roles: Roles,
    survey: Survey,
    *,
    include_status: Sequence[str] | None,
    order_amounts: OrderAmounts,
    currency: str | None,
    folder: Path,
) -> Chosen:
    """Read the rows into files in `folder` and decide which count; `currency` is the only one to use."""
    # A transfer is a movement like any other on a statement with debit and credit.
    judged = {column: words for column, words in survey.words.items() if (column, roles.measure) != _NOT_JUDGED}
    statuses = decide(judged, include_status)
    if statuses.words("type", "debit") and _has_signs(table, roles, survey, statuses):
        statuses = with_signed_amounts(statuses)
    total = total_word(table, roles)
    as_read = read_rows(table, roles, survey, statuses, currency, folder / "rows.parquet", total)
    totals = find_totals(as_read)
    as_read = without_totals(as_read, totals)
    if include_status is None and _books_refunds(as_read, statuses):
        statuses = with_refunds_in_rows(statuses)
        as_read = read_rows(table, roles, survey, statuses, currency, folder / "rows_with_refunds.parquet", total)
        as_read = without_totals(as_read, totals)
    elif include_status is None:
        as_read = _with_refunds_of_their_own(as_read, statuses, folder / "refunded.parquet")
    header = table.columns[roles.positions["revenue"]] if roles.has("revenue") else ""
    orders = judge_orders(as_read, roles, header, survey.places_of(roles), order_amounts)
    if not orders.once and not orders.once_too:
        return Chosen(as_read, as_read, roles, statuses, orders, totals)
    rows = once_each(as_read, orders, statuses, folder / "orders.parquet")
    return Chosen(as_read, rows, replace(roles, whole_orders=orders.once), statuses, orders, totals)


def _has_signs(table: Table, roles: Roles, survey: Survey, statuses: Statuses) -> bool:
    """Whether most debits, or most credits, are below 0 in the file: then its amounts have signs of their own."""
    if not roles.amount_columns:
        return False
    text = cell(roles, survey.types, roles.amount_columns[0])
    sides = {name: cell(roles, {}, "type").is_in(statuses.words("type", name)) for name in ("debit", "credit")}
    looks = {f"{name} rows": (side & text.str.contains("[1-9]")).sum() for name, side in sides.items()}
    looks |= {name: (side & text.str.contains(BELOW_ZERO)).sum() for name, side in sides.items()}
    counts = table.frame.select(**looks).collect(engine="streaming").row(0, named=True)
    return any(2 * counts[name] > counts[f"{name} rows"] for name in sides)


def _with_refunds_of_their_own(rows: pl.LazyFrame, statuses: Statuses, path: Path) -> pl.LazyFrame:
    """Count the sales whose status is `refunded` where another row of the order takes their amount off."""
    if not statuses.words("status", "refunded"):
        return rows
    refunded = (pl.col("reason") == "refunded") & pl.col("sold")
    back = rows.filter(pl.col("reason").is_null() & (pl.col("amount") < 0)).select("order_code").unique()
    both = rows.filter(refunded).join(back, on="order_code", how="semi").select("order_code").unique()
    codes = both.collect(engine="streaming")
    if not codes.height:
        return rows
    rows = rows.join(codes.lazy().with_columns(booked=True), on="order_code", how="left", maintain_order="left")
    reason = pl.when(refunded & pl.col("booked").is_not_null()).then(None).otherwise("reason").alias("reason")
    rows = rows.with_columns(reason).drop("booked")
    rows.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP, engine="streaming")
    return pl.scan_parquet(path, glob=False)


def _books_refunds(rows: pl.LazyFrame, statuses: Statuses) -> bool:
    """Whether each refund has a row of its own, so that the sale whose status is `refunded` must count beside it."""
    words = statuses.words("status", "refunded")
    if not words:
        return False
    own_row = ~pl.col("sold") & (pl.col("status").is_in(words) | statuses.is_refund())
    return bool(rows.select(own_row.any()).collect(engine="streaming").item())
