"""A first look at every cell: how dates and numbers are written, which signs money has, which words statuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from assay.datasets.transactions import amounts
from assay.datasets.transactions.amounts import Marks
from assay.datasets.transactions.flags import SUCCESS, flag
from assay.datasets.transactions.roles import NUMBERS, RATES, Roles
from assay.datasets.transactions.statuses import COLUMNS, MAX_WORDS, Column
from assay.formats import Table
from assay.reading import Reading
from assay.types import infer_types
from assay.types.dates import DateOrder, decide
from assay.types.dates import survey as date_survey
from assay.types.kinds import ColumnType, Kind, blank_or

TEXTS = ("region", "country", "product_category", "product_subcategory", "channel")
# Digits behind the mark beyond these come of binary arithmetic, such as 0.30000000000000004; no currency has them.
_WRITTEN_PLACES = 8
_NEARLY_ALL = 0.95
# The columns whose signs differ from one program to the next.
_SIGNED = ("transaction_fee", "debit")
BELOW_ZERO = r"^\W*[-\u2212(].*[1-9]|[1-9].*-$"


@dataclass(frozen=True)
class Survey:
    """What the first look found: rows that are not all blank, blank ones, and how cells are written.

    `types` are those of the columns of dates, numbers and flags. `places` are the digits behind the mark that each
    column of money is written with, at most 8; `success_words` says that success is told in words or as true and false.
    `turned` are the columns of fees and debits that are mostly below 0: their signs are turned. `words` are the texts
    of the status and the type column, None for more than MAX_WORDS. `finer` counts by column the cells with more
    digits behind the mark than are kept.
    """

    rows_read: int
    rows_blank: int
    types: Mapping[str, ColumnType]
    dates: DateOrder
    places: Mapping[str, int]
    success_words: bool
    turned: frozenset[str]
    words: Mapping[Column, list[str] | None]
    finer: Mapping[str, int]

    def is_percent(self, role: str) -> bool:
        """Whether a rate is written with percent signs."""
        return role in RATES and role in self.types and self.types[role].unit == "%"

    def places_of(self, roles: Roles) -> int:
        """The digits behind the mark that the amounts, and what is taken off them, are written with."""
        columns = (*(roles.amount_columns or ("unit_price",)), "transaction_fee", "refunded_amount")
        return max(self.places.get(role, 0) for role in columns)


def look(table: Table, roles: Roles, reading: Reading) -> Survey:
    """Count the rows, and decide how dates and numbers are written, over all of them."""
    read = [role for role in ("order_date", *NUMBERS, "success_rate", "fraud_flag", "cancelled") if roles.has(role)]
    types = dict(zip(read, infer_types(_narrow(table, [roles.positions[role] for role in read]), reading), strict=True))
    dates = types["order_date"].dates
    day = cell(roles, types, "order_date")
    looks = {"rows": pl.len(), "dateless": day.is_null().sum()} | (date_survey(day) if dates is None else {})
    for role in roles.money_columns:
        looks |= _money_looks(role, cell(roles, types, role), types[role])
    for column in COLUMNS:
        if roles.has(column):
            looks[f"words {column}"] = cell(roles, types, column).approx_n_unique()
    if roles.has("success_rate"):
        looks["success words"] = flag(cell(roles, types, "success_rate"), SUCCESS).is_not_null().sum()
    counts = table.frame.select(**looks).collect(engine="streaming").row(0, named=True)
    blank = 0
    if counts["dateless"]:
        # Only a row without a date can be blank: no other needs all its cells looked at.
        dateless = table.frame.filter(day.is_null()).select((~table.holds_something).sum())
        blank = dateless.collect(engine="streaming").item()
    success = types["success_rate"].filled if roles.has("success_rate") else 0
    return Survey(
        rows_read=counts["rows"] - blank,
        rows_blank=blank,
        types=types,
        dates=decide(counts, reading.date_order) if dates is None else dates,
        places={role: counts.get(f"places {role}") or 0 for role in roles.money_columns},
        success_words=success > 0 and counts["success words"] >= _NEARLY_ALL * success,
        turned=frozenset(
            role for role in _SIGNED if 2 * counts.get(f"below {role}", 0) > counts.get(f"not 0 {role}", 0)
        ),
        words={
            column: _words(table, roles, column, counts[f"words {column}"]) for column in COLUMNS if roles.has(column)
        },
        finer={role: count for role in roles.money_columns if (count := counts.get(f"finer {role}"))},
    )


def cell(roles: Roles, types: Mapping[str, ColumnType], role: str) -> pl.Expr:
    """The trimmed text of a role's cell; null where it is blank, or there is no such column.

    NA is a region and a country too; elsewhere it and its like say that something is missing.
    """
    if not roles.has(role):
        return pl.lit(None, pl.String)
    text = pl.col(str(roles.positions[role]))
    if role in types and types[role].plain:
        return pl.when(text != "").then(text)
    return blank_or(text, markers=role not in TEXTS)


def marks_of(column: ColumnType) -> Marks:
    """How the numbers of a column are written."""
    return Marks(column.decimal or ".", column.thousands)


def _money_looks(role: str, text: pl.Expr, column: ColumnType) -> dict[str, pl.Expr]:
    looks = {}
    if column.kind is not Kind.INTEGER:
        written = amounts.places(text, marks_of(column))
        # What has more digits than a double is written by a program that reckons with doubles.
        usual = (written <= _WRITTEN_PLACES) & (text.str.len_bytes() <= amounts.DIGITS + 1)
        looks[f"places {role}"] = pl.when(usual).then(written).max()
        looks[f"finer {role}"] = amounts.is_finer(pl.when(written > amounts.PLACES).then(text)).sum()
    if role in _SIGNED:
        looks[f"below {role}"] = text.str.contains(BELOW_ZERO).sum()
        looks[f"not 0 {role}"] = text.str.contains("[1-9]").sum()
    return looks


def _words(table: Table, roles: Roles, column: Column, about: int) -> list[str] | None:
    """The different texts of a column in order; None for more than a column of statuses has."""
    text = cell(roles, {}, column).alias("text")
    # The count is an estimate that may be off by a few per cent.
    if about > 2 * MAX_WORDS:
        return None
    texts = table.frame.select(text).unique().collect(engine="streaming")["text"].drop_nulls().sort().to_list()
    return texts if len(texts) <= MAX_WORDS else None


def _narrow(table: Table, positions: list[int]) -> Table:
    columns = [pl.col(str(at)).alias(str(new)) for new, at in enumerate(positions)]
    return replace(
        table,
        columns=tuple(table.columns[at] for at in positions),
        frame=table.frame.select("row", "fault", *columns),
    )
