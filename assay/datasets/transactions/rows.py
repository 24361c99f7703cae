"""One pass over the rows: every row with its hash, what could be read of it, and why it does not count if so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import polars_hash as plh

from assay.datasets.transactions import amounts
from assay.datasets.transactions.amounts import EXACT
from assay.datasets.transactions.flags import FRAUD, SUCCESS, cancelled, flag
from assay.datasets.transactions.roles import NUMBERS, Roles
from assay.datasets.transactions.statuses import NOT_COUNTED, Statuses
from assay.datasets.transactions.survey import TEXTS, Survey, cell, marks_of
from assay.formats import Table
from assay.types.dates import parse
from assay.types.kinds import ColumnType, Kind

# Equal groups whatever the timing of the threads: equal bytes.
ROW_GROUP = 100_000
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_IDS = ("order_id", "customer_id", "product_id", "product_name")
_ZERO = pl.lit(0, EXACT)

REFUSED = (
    "missing_date",
    "unparsable_date",
    "missing_amount",
    "amount_not_a_number",
    "amount_out_of_range",
    "other_currency",
    "total_row",
    "broken_quotes",
    "too_many_fields",
    "too_few_fields",
)
"""Why a row can't be used."""


def read_rows(
    table: Table, roles: Roles, survey: Survey, statuses: Statuses, only: str | None, path: Path, total: pl.Expr
) -> pl.LazyFrame:
    """Read every row once into a Parquet file at `path`, in input order, and return what it holds.

    Columns: row (Int64); hash (SHA-256 in hex of all the row's cells); reason (one of REFUSED or NOT_COUNTED, null for
    a row that is counted); moment (Datetime) and day (Date); amount (exact; what the row adds to the sum, less what was
    refunded); refund (exact, at most 0; the part of the amount that was given back); sold (whether the row is a sale);
    the numbers of NUMBERS (exact); computed (whether the amount is quantity times unit price); currency, status, type,
    the texts and ids (String, null where blank); order_code (UInt32, one number for each order_id); order and customer
    (UInt32, of rows that are sales); fraud, success and cancelled (Boolean), success_rate (exact). What the file has no
    column for is null throughout. `only` is the one currency to use; `total` is added as a column.
    """
    types = survey.types
    rows = table.frame.filter(table.holds_something) if survey.rows_blank else table.frame
    rows = rows.select(
        "row",
        "fault",
        # U+001F parts cells and nothing else, so that no two rows have one text.
        pl.concat_str([pl.col(str(at)).fill_null("") for at in range(len(table.columns))], separator="\x1f").alias(
            "hash"
        ),
        cell(roles, types, "order_date").alias("date_text"),
        *(cell(roles, types, role).alias(f"{role} text") for role in roles.amount_columns),
        *(_exact(roles, survey, role).alias(role) for role in (*NUMBERS, "success_rate")),
        _currency(roles, types).alias("currency"),
        flag(cell(roles, types, "fraud_flag"), FRAUD).alias("fraud"),
        flag(cell(roles, types, "success_rate"), SUCCESS).alias("success"),
        cancelled(cell(roles, types, "cancelled")).alias("cancelled"),
        total.alias("total"),
        *(cell(roles, types, role).alias(role) for role in ("status", "type", *TEXTS, *_IDS)),
    )
    rows = rows.with_columns(plh.col("hash").chash.sha2_256(), product=pl.coalesce("product_id", "product_name"))
    rows = _with_moment(rows, survey)
    rows = _with_amount(rows, roles, statuses)
    rows = rows.with_columns(_reason(only, statuses).alias("reason"), day=pl.col("moment").dt.date())
    codes = {
        code: pl.col(role).cast(pl.Categorical).to_physical()
        for code, role in {"order_code": "order_id", "customer": "customer_id"}.items()
    }
    rows = rows.with_columns(**codes).with_columns(**sold_codes())
    rows = rows.drop("fault", *(f"{role} text" for role in roles.amount_columns))
    rows.sink_parquet(path, compression="lz4", row_group_size=ROW_GROUP, engine="streaming")
    return pl.scan_parquet(path, glob=False)


def sold_codes() -> dict[str, pl.Expr]:
    """Keep orders and customers of sales alone, so that what is counted of a group is counted of these."""
    sold = pl.when(pl.col("sold"))
    return {"order": sold.then("order_code"), "customer": sold.then("customer")}


def counted(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Choose the rows that are counted, with their month (Date, its first day)."""
    return rows.filter(pl.col("reason").is_null()).with_columns(pl.col("day").dt.month_start().alias("month"))


def usable(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Choose the rows that could be read, whether their status counts or not."""
    return rows.filter(pl.col("reason").is_null() | pl.col("reason").is_in(NOT_COUNTED))


def _exact(roles: Roles, survey: Survey, role: str) -> pl.Expr:
    if not roles.has(role):
        return pl.lit(None, EXACT)
    text, column = cell(roles, survey.types, role), survey.types[role]
    if column.plain and column.kind in (Kind.INTEGER, Kind.NUMBER):
        value = text.cast(EXACT, strict=False)
    else:
        value = amounts.number(text, marks_of(column), percent=survey.is_percent(role))
    if column.kind is not Kind.INTEGER:
        value = amounts.without_noise(value, text, survey.places.get(role, 0))
    if role in survey.turned:
        value = -value
    # A row whose amount is out of range is refused for that; any other such number is left out of the sums.
    return value if role in roles.amount_columns else pl.when(amounts.in_range(value)).then(value)


def _currency(roles: Roles, types: Mapping[str, ColumnType]) -> pl.Expr:
    """The currency of a row: that of its column, else the sign beside the amount or the price."""
    beside = [role for role in (*roles.amount_columns, "unit_price") if roles.has(role)]
    signs = [amounts.currency(cell(roles, types, role)) for role in beside if not types[role].plain]
    return pl.coalesce(amounts.currency_code(cell(roles, types, "currency")), *signs)


def _with_moment(rows: pl.LazyFrame, survey: Survey) -> pl.LazyFrame:
    """Read the dates; those of the form YYYY-MM-DD, which most files have alone, in a tenth of the time."""
    text = pl.col("date_text")
    days = pl.when(text.str.contains(_ISO_DAY)).then(text).str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    column = survey.types["order_date"]
    if column.plain and column.kind is Kind.DATE:
        return rows.with_columns(days.alias("moment"))
    rows = rows.with_columns(days.alias("iso"))
    rows = rows.with_columns(pl.when(pl.col("iso").is_null()).then(text).alias("moment"))
    return parse(rows, "moment", survey.dates).with_columns(pl.coalesce("iso", "moment").alias("moment")).drop("iso")


def _with_amount(rows: pl.LazyFrame, roles: Roles, statuses: Statuses) -> pl.LazyFrame:
    """Add `amount`, `refund`, `sold` and `computed`, and give the quantity of a refund the sign of its amount."""
    columns = [pl.col(f"{role} text") for role in roles.amount_columns] or [pl.lit("")]
    texts = pl.concat_str(columns, separator=" | ", ignore_nulls=True)
    rows = rows.with_columns(pl.when(texts != "").then(texts).alias("amount_text"))
    both = pl.col("quantity").is_not_null() & pl.col("unit_price").is_not_null()
    computed = pl.col("amount_text").is_null() & both if roles.can_compute else pl.lit(value=False)
    made = amounts.product(pl.col("quantity"), pl.col("unit_price"))
    rows = rows.with_columns(
        pl.when(computed).then(made).otherwise(_given(roles)).alias("amount"), computed.alias("computed")
    )
    # A debit below 0 was taken back: as with two columns, the amount is credit less debit.
    back = (statuses.is_refund() & (pl.col("amount") > 0)) | statuses.is_debit()
    turned = {name: pl.when(back).then(-pl.col(name)).otherwise(pl.col(name)) for name in ("amount", "revenue")}
    rows = rows.with_columns(**turned)
    # A price below 0 has the sign already, as a discount has that is written as a line of the order.
    returned = (pl.col("amount") < 0) & (pl.col("quantity") > 0) & (pl.col("unit_price").fill_null(0) >= 0)
    is_sale = (pl.col("amount") >= 0) & ~statuses.is_refund()
    repaid = pl.when(pl.col("amount") > 0).then(pl.col("refunded_amount").abs().fill_null(0)).otherwise(_ZERO)
    below = pl.when(pl.col("amount") < 0).then("amount").otherwise(_ZERO)
    return rows.with_columns(
        pl.when(returned).then(-pl.col("quantity")).otherwise("quantity").alias("quantity"),
        (pl.col("amount") - repaid).alias("amount"),
        (below - repaid).alias("refund"),
        is_sale.alias("sold"),
    )


def _given(roles: Roles) -> pl.Expr:
    """The amount as it stands in the row; of debit and credit the difference, a blank one being 0.

    There is none where one of them holds a text that is no number.
    """
    if roles.measure != "net_amount":
        return pl.col(roles.amount_columns[0]) if roles.amount_columns else pl.lit(None, EXACT)
    unread = (pl.col(f"{role} text").is_not_null() & pl.col(role).is_null() for role in roles.amount_columns)
    readable = pl.col("amount_text").is_not_null() & ~pl.any_horizontal(unread)
    return pl.when(readable).then(pl.col("credit").fill_null(0) - pl.col("debit").fill_null(0))


def _reason(only: str | None, statuses: Statuses) -> pl.Expr:
    """Why a row is not counted, the first that holds; null for one that is."""
    amount, text = pl.col("amount"), pl.col("amount_text")
    tests = {
        "missing_date": pl.col("date_text").is_null(),
        "unparsable_date": pl.col("moment").is_null(),
        "missing_amount": text.is_null() & ~pl.col("computed") & amount.is_null(),
        "amount_not_a_number": amount.is_null() & ~pl.col("computed"),
        "amount_out_of_range": amount.is_null() | ~amounts.in_range(amount),
    }
    if only is not None:
        tests["other_currency"] = pl.col("currency").fill_null("") != only
    refused = (pl.when(test).then(pl.lit(reason)) for reason, test in tests.items())
    return pl.coalesce(*refused, "fault", statuses.not_counted())
