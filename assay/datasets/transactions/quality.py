"""Doubts about the rows: refused ones, repeated ones, orders that contradict themselves, unread cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assay.datasets.transactions.limits import ROWS_LISTED
from assay.datasets.transactions.roles import NUMBERS, Roles
from assay.datasets.transactions.rows import REFUSED
from assay.datasets.transactions.survey import Survey

# Hexadecimal digits of a hash that fit into 60 bits: equal rows are looked for among those of equal beginnings.
_BEGINNING = 15


@dataclass(frozen=True)
class RowList:
    """Rows or orders of one kind: how many, and the numbers of the first, at most 1,000."""

    count: int
    rows: list[int]


@dataclass(frozen=True)
class Quality:
    """Doubts about the rows.

    `refused` are the rows not used, by reason. `identical` are used rows all of whose cells are those of an earlier
    row; they count like any other. `conflicting` are the first rows of orders whose rows name several customers, days
    or currencies. `unread` counts the filled cells of other columns that could not be read. `orderless` counts the
    used rows without an order_id where the file has that column.
    """

    refused: Mapping[str, RowList]
    identical: RowList
    conflicting: RowList
    unread: Mapping[str, int]
    orderless: int
    computed: int


def quality(as_read: pl.LazyFrame, rows: pl.LazyFrame, used: pl.LazyFrame, roles: Roles, survey: Survey) -> Quality:
    """Look at all rows, as they were read and as they count, and at those that are counted."""
    flags = {
        "cancelled": "cancelled",
        "fraud_flag": "fraud",
        "success_rate": "success" if survey.success_words else "success_rate",
    }
    columns = {
        role: flags.get(role, role)
        for role in (*NUMBERS, *flags)
        if roles.has(role) and role not in roles.amount_columns
    }
    counts = (
        as_read.select(*(pl.col(column).is_not_null().sum().alias(role) for role, column in columns.items()), pl.len())
        .collect(engine="streaming")
        .row(0, named=True)
    )
    orderless, computed = (
        used.select(pl.col("order_id").is_null().sum(), pl.col("computed").sum()).collect(engine="streaming").row(0)
    )
    return Quality(
        refused=_refused(rows),
        identical=_identical(used),
        conflicting=_conflicting(used) if roles.has("order_id") else RowList(0, []),
        unread={
            role: survey.types[role].filled - counts[role]
            for role in columns
            if survey.types[role].filled > counts[role]
        },
        orderless=orderless if roles.has("order_id") else 0,
        computed=computed,
    )


def _refused(rows: pl.LazyFrame) -> dict[str, RowList]:
    refused = rows.filter(pl.col("reason").is_in(REFUSED))
    counts = dict(refused.group_by("reason").len().collect(engine="streaming").iter_rows())
    lists = {}
    for reason in (reason for reason in REFUSED if reason in counts):
        first = refused.filter(pl.col("reason") == reason).select("row").head(ROWS_LISTED).collect(engine="streaming")
        lists[reason] = RowList(counts[reason], first["row"].to_list())
    return lists


def _identical(used: pl.LazyFrame) -> RowList:
    """Find rows whose hash an earlier row has; the beginnings of the hashes take an eighth of the memory."""
    beginning = pl.col("hash").str.slice(0, _BEGINNING).str.to_integer(base=16, dtype=pl.Int64)
    starts = used.select(beginning.alias("start")).collect(engine="streaming")["start"].sort()
    twice = starts.filter(starts == starts.shift()).unique()
    if not twice.len():
        return RowList(0, [])
    alike = used.select("row", "hash", beginning.alias("start")).filter(pl.col("start").is_in(twice.implode()))
    again = alike.collect(engine="streaming").sort("row").filter(~pl.col("hash").is_first_distinct())
    return RowList(again.height, again["row"].head(ROWS_LISTED).to_list())


def _conflicting(used: pl.LazyFrame) -> RowList:
    ordered = used.filter(pl.col("order").is_not_null())
    differs = [pl.col(name).min() != pl.col(name).max() for name in ("day", "customer", "currency")]
    orders = ordered.group_by("order").agg(pl.col("row").min(), pl.any_horizontal(differs).alias("differs"))
    first = orders.filter(pl.col("differs")).select("row").collect(engine="streaming")["row"].sort()
    return RowList(first.len(), first.head(ROWS_LISTED).to_list())
