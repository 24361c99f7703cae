"""One pass over the rows: every row with its hash, what could be read of it, and why it is not used where it isn't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import polars_hash as plh

from assay.datasets.transactions import amounts
from assay.datasets.transactions.amounts import EXACT, Marks
from assay.datasets.transactions.roles import NUMBERS, RATES, Roles
from assay.datasets.transactions.words import FRAUD, SUCCESS, flag
from assay.formats import Table
from assay.reading import Reading
from assay.types import infer_types
from assay.types.dates import DateOrder, decide, parse
from assay.types.dates import survey as date_survey
from assay.types.kinds import ColumnType, Kind, blank_or

# Equal groups whatever the timing of the threads: equal bytes.
ROW_GROUP = 100_000
_ISO_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TEXTS = ("region", "country", "product_category", "product_subcategory", "channel")
_IDS = ("order_id", "customer_id", "product_id", "product_name")
# Digits behind the mark beyond these come of binary arithmetic, such as 0.30000000000000004; no currency has them.
_WRITTEN_PLACES = 8
_NEARLY_ALL = 0.95

REASONS = (
    "missing_date",
    "unparsable_date",
    "missing_amount",
    "amount_not_a_number",
    "amount_out_of_range",
    "other_currency",
    "broken_quotes",
    "too_many_fields",
    "too_few_fields",
)


@dataclass(frozen=True)
class Survey:
    """What a first look at every cell found: rows that are not all blank, blank ones, and how cells are written.

    `types` are those of the columns of dates, numbers and flags. `places` are the digits behind the mark that amounts
    are written with, at most 8; `success_words` says that success is told in words or as true and false.
    """

    rows_read: int
    rows_blank: int
    types: Mapping[str, ColumnType]
    dates: DateOrder
    places: Mapping[str, int]
    success_words: bool

    def is_percent(self, role: str) -> bool:
        """Whether a rate is written with percent signs."""
        return role in RATES and role in self.types and self.types[role].unit == "%"


def look(table: Table, roles: Roles, reading: Reading) -> Survey:
    """Count the rows, and decide how dates and numbers are written, over all of them."""
    read = [role for role in ("order_date", *NUMBERS, "success_rate", "fraud_flag") if roles.has(role)]
    types = dict(zip(read, infer_types(_narrow(table, [roles.at[role] for role in read]), reading), strict=True))
    dates = types["order_date"].dates
    day = _cell(roles, types, "order_date")
    looks = {"rows": pl.len(), "dateless": day.is_null().sum()} | (date_survey(day) if dates is None else {})
    written_out = {role for role in (roles.amount_column, "revenue", "unit_price") if role and roles.has(role)}
    for role in sorted(written_out):
        written = amounts.places(_cell(roles, types, role), _marks(types[role]))
        looks[f"places {role}"] = pl.when(written <= _WRITTEN_PLACES).then(written).max()
    if roles.has("success_rate"):
        looks["success words"] = flag(_cell(roles, types, "success_rate"), SUCCESS).is_not_null().sum()
    found = table.frame.select(**looks).collect(engine="streaming").row(0, named=True)
    blank = 0
    if found["dateless"]:
        # Only a row without a date can be blank: no other needs all its cells looked at.
        dateless = table.frame.filter(day.is_null()).select(_is_blank(table).sum())
        blank = dateless.collect(engine="streaming").item()
    success = types["success_rate"].filled if roles.has("success_rate") else 0
    return Survey(
        rows_read=found["rows"] - blank,
        rows_blank=blank,
        types=types,
        dates=decide(found, reading.date_order) if dates is None else dates,
        places={role: found[f"places {role}"] or 0 for role in written_out},
        success_words=success > 0 and found["success words"] >= _NEARLY_ALL * success,
    )


def read_rows(table: Table, roles: Roles, survey: Survey, only: str | None, path: Path) -> pl.LazyFrame:
    """Read every row once into a Parquet file at `path`, in input order, and return what it holds.

    Columns: row (Int64); hash (SHA-256 in hex of all the row's cells); reason (one of REASONS, null for a row that is
    used); moment (Datetime) and day (Date); amount and the numbers of NUMBERS (exact decimals); computed (whether the
    amount is quantity times unit price); currency, the texts and ids (String, null where blank); order and customer
    (UInt32, one number for each text, of no order, null where the amount is negative); fraud and success (Boolean),
    success_rate (exact). What the file has no column for is null throughout. `only` is the one currency to use.
    """
    types = survey.types
    rows = table.frame.filter(~_is_blank(table)) if survey.rows_blank else table.frame
    rows = rows.select(
        "row",
        "fault",
        # U+001F parts cells and nothing else, so that no two rows have one text.
        pl.concat_str([pl.col(str(at)).fill_null("") for at in range(len(table.columns))], separator="\x1f").alias(
            "hash"
        ),
        _cell(roles, types, "order_date").alias("date_text"),
        _amount_text(roles, types).alias("amount_text"),
        *(_exact(roles, survey, role).alias(role) for role in (*NUMBERS, "success_rate")),
        _currency(roles, types).alias("currency"),
        flag(_cell(roles, types, "fraud_flag"), FRAUD).alias("fraud"),
        flag(_cell(roles, types, "success_rate"), SUCCESS).alias("success"),
        *(_cell(roles, types, role).alias(role) for role in (*_TEXTS, *_IDS)),
    )
    rows = rows.with_columns(plh.col("hash").chash.sha2_256(), product=pl.coalesce("product_id", "product_name"))
    rows = _with_moment(rows, survey)
    rows = _with_amount(rows, roles)
    rows = rows.with_columns(_reason(only).alias("reason"), day=pl.col("moment").dt.date())
    # Of the rows that sell something, so that what is counted of a group is counted of these.
    sold = pl.when(pl.col("amount") >= 0)
    codes = {name: sold.then(f"{name}_id").cast(pl.Categorical).to_physical() for name in ("order", "customer")}
    rows.with_columns(**codes).drop("fault").sink_parquet(
        path, compression="lz4", row_group_size=ROW_GROUP, engine="streaming"
    )
    return pl.scan_parquet(path, glob=False)


def used(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Choose the rows that are used, with their month (Date, its first day)."""
    return rows.filter(pl.col("reason").is_null()).with_columns(pl.col("day").dt.month_start().alias("month"))


def _narrow(table: Table, positions: list[int]) -> Table:
    columns = [pl.col(str(at)).alias(str(new)) for new, at in enumerate(positions)]
    return replace(
        table,
        columns=tuple(table.columns[at] for at in positions),
        frame=table.frame.select("row", "fault", *columns),
    )


def _is_blank(table: Table) -> pl.Expr:
    """Whether all cells of a row are blank."""
    cells = [pl.col(str(at)).str.strip_chars().fill_null("") == "" for at in range(len(table.columns))]
    return pl.all_horizontal(cells)


def _cell(roles: Roles, types: Mapping[str, ColumnType], role: str) -> pl.Expr:
    """The trimmed text of a role's cell; null where it is blank, or there is no such column.

    NA is a region and a country too; elsewhere it and its like say that something is missing.
    """
    if role not in roles.at:
        return pl.lit(None, pl.String)
    text = pl.col(str(roles.at[role]))
    if role in types and types[role].plain:
        return pl.when(text != "").then(text)
    return blank_or(text, markers=role not in _TEXTS)


def _marks(one: ColumnType) -> Marks:
    return Marks(one.decimal or ".", one.thousands)


def _exact(roles: Roles, survey: Survey, role: str) -> pl.Expr:
    if role not in roles.at:
        return pl.lit(None, EXACT)
    cell, one = _cell(roles, survey.types, role), survey.types[role]
    if one.plain and one.kind in (Kind.INTEGER, Kind.NUMBER):
        value = cell.cast(EXACT, strict=False)
    else:
        value = amounts.number(cell, _marks(one), percent=survey.is_percent(role))
    # A row whose amount is out of range is refused for that; any other such number is left out of the sums.
    return value if role == roles.amount_column else pl.when(amounts.in_range(value)).then(value)


def _amount_text(roles: Roles, types: Mapping[str, ColumnType]) -> pl.Expr:
    return _cell(roles, types, roles.amount_column) if roles.amount_column else pl.lit(None, pl.String)


def _currency(roles: Roles, types: Mapping[str, ColumnType]) -> pl.Expr:
    """The currency of a row: that of its column, else the sign beside the amount or the price."""
    beside = [role for role in (roles.amount_column, "unit_price") if role and roles.has(role)]
    signs = [amounts.currency(_cell(roles, types, role)) for role in beside if not types[role].plain]
    return pl.coalesce(amounts.currency_code(_cell(roles, types, "currency")), *signs)


def _with_moment(rows: pl.LazyFrame, survey: Survey) -> pl.LazyFrame:
    """Read the dates; those of the form YYYY-MM-DD, which most files have alone, in a tenth of the time."""
    text = pl.col("date_text")
    days = pl.when(text.str.contains(_ISO_DAY)).then(text).str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    one = survey.types["order_date"]
    if one.plain and one.kind is Kind.DATE:
        return rows.with_columns(days.alias("moment"))
    rows = rows.with_columns(days.alias("iso"))
    rows = rows.with_columns(pl.when(pl.col("iso").is_null()).then(text).alias("moment"))
    return parse(rows, "moment", survey.dates).with_columns(pl.coalesce("iso", "moment").alias("moment")).drop("iso")


def _with_amount(rows: pl.LazyFrame, roles: Roles) -> pl.LazyFrame:
    given = pl.col(roles.amount_column) if roles.amount_column else pl.lit(None, EXACT)
    if not roles.can_compute:
        return rows.with_columns(given.alias("amount"), pl.lit(value=False).alias("computed"))
    both = pl.col("quantity").is_not_null() & pl.col("unit_price").is_not_null()
    computed = pl.col("amount_text").is_null() & both
    made = amounts.product(pl.col("quantity"), pl.col("unit_price"))
    return rows.with_columns(pl.when(computed).then(made).otherwise(given).alias("amount"), computed.alias("computed"))


def _reason(only: str | None) -> pl.Expr:
    """Why a row is not used, the first of REASONS that holds; null for one that is."""
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
    return pl.coalesce(*(pl.when(test).then(pl.lit(reason)) for reason, test in tests.items()), "fault")
