"""Amounts of whole orders that stand on the order's lines: on each of them, or on one with the others blank."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import polars as pl
import polars.selectors as cs

from assay.datasets.transactions.amounts import EXACT, product
from assay.datasets.transactions.roles import Roles
from assay.datasets.transactions.rows import ROW_GROUP, counted, sold_codes
from assay.datasets.transactions.statuses import NOT_COUNTED, Statuses
from assay.detection.names import fold_all

OrderAmounts = Literal["auto", "once", "each_line"]

_NEARLY_ALL = 0.95
# Of fewer different amounts, all lines may simply have one price.
_FEW_AMOUNTS = 2
# Of fewer orders, a blank amount may be one that somebody forgot.
_ENOUGH_ORDERS = 3
# What names of columns say; the words of a line go first.
_LINE_WORDS = "line|item|unit|position|extended|zeile|ligne|linea|regel"
_ORDER_WORDS = "order|total|invoice|grand|basket|cart|gesamt|summe|commande|pedido"
# What a line takes over from the line of its order that has the amount.
_FROM_ORDER = ("moment", "day", "currency", "customer_id", "customer", "region", "country", "channel")
# Lines of one order number that differ in these are of two orders.
_WHOSE = ("currency", "customer_id")
_ONCE_TOO = ("transaction_fee", "refunded_amount", "loan_amount")


@dataclass(frozen=True)
class WholeOrders:
    """What was decided on the amounts of orders that have several lines.

    `once` says that an amount is that of the whole order and counted once; `why` is a clause that says how that is
    known, blank where no order has such lines. `sure` is whether the other way can be ruled out. `orders` counts the
    orders whose lines all have one amount, or of which one line alone has one. `once_too` are other columns of money
    that are repeated as well. `other` is, by currency, what the sum would be the other way.
    """

    once: bool
    why: str
    sure: bool
    orders: int
    once_too: tuple[str, ...]
    other: Mapping[str | None, Decimal]


_NOTHING = WholeOrders(once=False, why="", sure=True, orders=0, once_too=(), other={})


def judge_orders(rows: pl.LazyFrame, roles: Roles, name: str, places: int, choice: OrderAmounts) -> WholeOrders:
    """Tell whether the amount of a row is that of its line or of its whole order.

    `name` is the header of the column of amounts, `places` are the digits behind the mark that it is written with.
    """
    if not roles.has("order_id") or roles.measure != "revenue":
        return _NOTHING
    counts = _counts(rows, roles, Decimal(5).scaleb(-places - 1))
    several, equal, single = counts["several"], counts["equal"], counts["single"]
    on_one_line = single > 2 * counts["own"] and single >= _NEARLY_ALL * counts["lines"]
    all_equal = equal > 0 and equal >= _NEARLY_ALL * several
    if "revenue" not in roles.amount_columns or not (on_one_line or all_equal or (choice == "once" and several)):
        once_too = _repeated(roles, counts)
        if equal >= _ENOUGH_ORDERS and equal >= several / 2 and "revenue" in roles.amount_columns:
            why = f"{equal:,} of {several:,} orders have the same amount on all lines, the others have not"
            return _decided(rows, counts, once_too, once=False, why=why, sure=choice != "auto")
        return replace(_NOTHING, once_too=once_too)
    once, why, sure = _decide(counts, on_one_line, fold_all(name))
    if choice != "auto":
        once, why, sure = choice == "once", f"order_amounts is {choice}", True
    enough = _NEARLY_ALL * equal
    once_too = tuple(role for role in _ONCE_TOO if roles.has(role) and counts[f"{role} same"] >= enough)
    return _decided(rows, counts, once_too if once else _repeated(roles, counts), once=once, why=why, sure=sure)


def _repeated(roles: Roles, counts: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that are the same on all lines of an order, though the amounts of these differ.

    A fee that is the same in all orders may be that of each line.
    """
    return tuple(
        role
        for role in _ONCE_TOO
        if roles.has(role)
        and counts[f"{role} repeated"] > 0
        and counts[f"{role} repeated"] >= _NEARLY_ALL * counts[f"{role} of several"]
        and (counts[f"{role} values"] > 1 or role == "refunded_amount")
    )


def _decide(counts: Mapping[str, Any], on_one_line: bool, name: str) -> tuple[bool, str, bool]:
    """Whether amounts are counted once, why, and whether that is sure."""
    enough = _NEARLY_ALL * counts["equal"]
    same = "all lines of an order have the same amount"
    decisions = (
        (on_one_line, True, "only one line of each order has an amount", counts["single"] >= _ENOUGH_ORDERS),
        (counts["of_lines"] >= enough, False, "each line is quantity times unit price", True),
        (counts["of_orders"] >= enough, True, "it is the sum of quantity times unit price over the order", True),
        (re.search(_LINE_WORDS, name), False, "the column is named after a line", False),
        (re.search(_ORDER_WORDS, name), True, f"{same}, and the column is named after a total", False),
        (counts["amounts"] >= _FEW_AMOUNTS, True, f"{same}, and orders differ", False),
        (True, False, "all lines have one amount, which may be the price of each", False),
    )
    return next((once, why, sure) for holds, once, why, sure in decisions if holds)


def once_each(rows: pl.LazyFrame, whole: WholeOrders, statuses: Statuses, path: Path) -> pl.LazyFrame:
    """Leave what is of a whole order on one line that has it; write all rows to `path`, in input order.

    It is the first line that counts, else the first that could be read. Lines of the order, currency and customer with
    the same amount or none follow it: they add nothing of it to the sums, and take over its date, currency and customer
    where they have none, and that it does not count. A blank currency or customer is that of the order. A line with
    another amount, currency or customer counts by itself.
    """
    amount = pl.col("revenue" if whole.once else "amount")
    lost = pl.col("reason").is_in(("missing_date", "missing_amount")) & pl.col("revenue").is_null()
    taken = pl.col("reason").is_null() | pl.col("reason").is_in(NOT_COUNTED) | (lost & whole.once)
    rows = rows.with_columns((amount < 0).fill_null(value=False).alias("negative"))
    rows = rows.with_columns((taken & pl.col("order_code").is_not_null()).alias("taken"))
    order = ("order_code", "negative")
    whose = rows.filter("taken").group_by(order).agg(pl.col(name).min().alias(f"its {name}") for name in _WHOSE)
    rows = rows.join(whose, on=order, how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce(name, f"its {name}").alias(f"its {name}") for name in _WHOSE)
    key = (*order, *(f"its {name}" for name in _WHOSE))
    for name in whole.once_too:
        rows = _with_first(rows, (*key, name), name)
    repeated = {name: pl.col("taken") & (pl.col("row") != pl.col(f"first {name}")) for name in whole.once_too}
    if whole.once:
        rows = _with_first(_with_first(rows, key, "revenue", "any"), (*key, "revenue"), "revenue")
        rows = _with_order(rows)
        changed = _as_lines(statuses, repeated)
    else:
        changed = _as_own(repeated)
    changed |= {name: pl.when(~again.fill_null(value=False)).then(name) for name, again in repeated.items()}
    helpers = cs.starts_with("first ", "its ", "order ") | cs.by_name("negative", "taken")
    rows = rows.with_columns(**changed).with_columns(**sold_codes()).drop(helpers)
    rows.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP, engine="streaming")
    return pl.scan_parquet(path, glob=False)


def _with_first(rows: pl.LazyFrame, key: Sequence[str], name: str, alias: str | None = None) -> pl.LazyFrame:
    """Add the number of the first row that has a column, of those with the same key: one that counts, if any does."""
    row = pl.col("row")
    first = pl.coalesce(row.filter(pl.col("reason").is_null()).min(), row.min()).alias(f"first {alias or name}")
    firsts = rows.filter(pl.col("taken") & pl.col(name).is_not_null()).group_by(key).agg(first)
    return rows.join(firsts, on=key, how="left", nulls_equal=True, maintain_order="left")


def _with_order(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add what a line takes over from the line with the amount, where it is another."""
    first = pl.when(pl.col("revenue").is_null()).then("first any").otherwise("first revenue")
    rows = rows.with_columns(pl.when(pl.col("taken") & (first != pl.col("row"))).then(first).alias("first line"))
    lines = rows.select("first line").filter(pl.col("first line").is_not_null())
    lines = rows.join(lines, left_on="row", right_on="first line", how="semi").select(
        pl.col("row").alias("first line"), *(pl.col(name).alias(f"order {name}") for name in ("reason", *_FROM_ORDER))
    )
    return rows.join(lines, on="first line", how="left", maintain_order="left")


def _as_lines(statuses: Statuses, repeated: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The columns of lines whose order has its amount on another line: a refund of their own stays."""
    follows = pl.col("first line").is_not_null()
    line = pl.when(follows)
    own = ~pl.col("negative") & ~repeated.get("refunded_amount", pl.lit(value=False)).fill_null(value=False)
    back = pl.when(own).then(-pl.col("refunded_amount").abs()).fill_null(pl.lit(0, EXACT))
    return {
        "amount": line.then(back).otherwise("amount"),
        "refund": line.then(back).otherwise("refund"),
        "reason": line.then(pl.coalesce(statuses.not_counted(), "order reason")).otherwise("reason"),
        "computed": pl.col("computed") & ~follows,
        "sold": line.then(~pl.col("negative")).otherwise("sold"),
        **{name: line.then(pl.coalesce(name, f"order {name}")).otherwise(name) for name in _FROM_ORDER},
    }


def _as_own(repeated: Mapping[str, pl.Expr]) -> dict[str, pl.Expr]:
    """The columns of lines that have an amount of their own, without what was refunded of the whole order."""
    if "refunded_amount" not in repeated:
        return {}
    back = pl.when(repeated["refunded_amount"] & pl.col("sold")).then(pl.col("refund")).otherwise(pl.lit(0, EXACT))
    return {"amount": pl.col("amount") - back, "refund": pl.col("refund") - back}


def _counts(rows: pl.LazyFrame, roles: Roles, tolerance: Decimal) -> dict[str, Any]:
    """Count the orders by how the amounts of their lines are."""
    revenue, near = pl.col("revenue"), pl.lit(tolerance, EXACT)
    lines = rows.filter(pl.col("order_code").is_not_null() & (revenue.is_null() | (revenue >= 0)))
    lines = lines.filter(pl.col("reason").is_null() | pl.col("reason").is_in(NOT_COUNTED) | revenue.is_null())
    priced = roles.has("quantity", "unit_price")
    expected = product(pl.col("quantity"), pl.col("unit_price")) if priced else pl.lit(None, EXACT)
    lines = lines.select(
        "row", "order_code", "day", "customer", "revenue", "hash", *_ONCE_TOO, expected.alias("expected")
    )
    given = pl.coalesce(revenue, "expected")
    explained = (revenue - pl.col("expected")).abs() <= near
    same = [(pl.col(name).min() == pl.col(name).max()).fill_null(value=True) for name in ("revenue", "day", "customer")]
    orders = lines.group_by("order_code").agg(
        pl.len().alias("lines"),
        revenue.count().alias("filled"),
        pl.all_horizontal(same).alias("same"),
        revenue.max().alias("amount"),
        explained.all(ignore_nulls=False).fill_null(value=False).alias("of_lines"),
        explained.any().alias("own"),
        pl.col("expected").sum().alias("sum"),
        (pl.col("expected").count() == pl.len()).alias("priced"),
        (given.min() != given.max()).fill_null(value=False).alias("vary"),
        *((pl.col(name).min() == pl.col(name).max()).fill_null(value=True).alias(f"{name} same") for name in _ONCE_TOO),
        *(pl.col(name).max().alias(name) for name in _ONCE_TOO),
    )
    orders = orders.filter(pl.col("lines") > 1)
    twice = orders.filter((pl.col("filled") > 1) & pl.col("same")).select("order_code")
    # Rows that are the same in every cell are one line exported twice, and say nothing of orders.
    begins = pl.col("hash").str.slice(0, 15).str.to_integer(base=16, dtype=pl.Int64)
    repeated = lines.join(twice, on="order_code", how="semi")
    differ = repeated.group_by("order_code").agg((begins.min() != begins.max()).alias("differ")).filter("differ")
    several, single = pl.col("filled") > 1, pl.col("filled") == 1
    equal = several & pl.col("same") & pl.col("differ").fill_null(value=False)
    copies = several & pl.col("same") & pl.col("differ").is_null()
    of_orders = pl.col("priced") & ((pl.col("sum") - pl.col("amount")).abs() <= near)
    orders = orders.join(differ, on="order_code", how="left")
    return (
        orders.select(
            (~copies).sum().alias("lines"),
            (several & ~copies).sum().alias("several"),
            equal.sum().alias("equal"),
            single.sum().alias("single"),
            (single & pl.col("own")).sum().alias("own"),
            (equal & pl.col("of_lines")).sum().alias("of_lines"),
            (equal & of_orders).sum().alias("of_orders"),
            pl.col("amount").filter(equal).n_unique().alias("amounts"),
            *(expression for name in _ONCE_TOO for expression in _repetitions(name, equal)),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )


def _repetitions(name: str, equal: pl.Expr) -> list[pl.Expr]:
    """Count the orders whose lines all have one value of a column: of those of one amount, and of the others."""
    of_several, same = pl.col("vary") & (pl.col(name) != 0), pl.col(f"{name} same")
    return [
        (equal & same).sum().alias(f"{name} same"),
        of_several.sum().alias(f"{name} of several"),
        (of_several & same).sum().alias(f"{name} repeated"),
        pl.col(name).filter(of_several & same).n_unique().alias(f"{name} values"),
    ]


def _decided(
    rows: pl.LazyFrame, counts: Mapping[str, Any], once_too: tuple[str, ...], *, once: bool, why: str, sure: bool
) -> WholeOrders:
    if once and not counts["equal"]:
        return WholeOrders(once, why, sure, counts["single"], once_too, {})
    lines = counted(rows)
    if not once:
        one_each = pl.when(pl.col("order_code").is_null()).then("row")
        lines = lines.group_by(
            "currency", "order_code", (pl.col("amount") < 0).alias("negative"), one_each.alias("one")
        ).agg(pl.col("amount").max())
    sums = lines.group_by("currency").agg(pl.col("amount").sum()).collect(engine="streaming")
    return WholeOrders(once, why, sure, counts["equal"] + counts["single"], once_too, dict(sums.iter_rows()))
