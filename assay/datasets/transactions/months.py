"""Month by month: sums, counts and growth."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

import polars as pl

from assay.datasets.transactions.customers import Customers
from assay.datasets.transactions.figures import Sums, grouped, growth
from assay.datasets.transactions.limits import MAX_MONTHS
from assay.datasets.transactions.roles import Roles
from assay.errors import Unprocessable


@dataclass(frozen=True)
class Month:
    """One calendar month in one currency; `sums` is None for a month without rows between others that have some.

    `unfinished` says that the file ends before the month does, so that its sums and growth are those of a part of it.
    `mom` and `yoy` are the growth of the amount over the calendar month before and over the same month of the year
    before, None where that month has no rows or an amount not above 0. `days` counts the days with rows.
    """

    month: date
    currency: str | None
    days: int
    sums: Sums | None
    new_customers: int | None
    returning_customers: int | None
    mom: float | None
    yoy: float | None
    unfinished: bool = False


def months(used: pl.LazyFrame, roles: Roles, customers: Customers | None) -> list[Month]:
    """Make the months from the first to the last that has rows, by currency and month.

    A gap of more than 1,200 months without rows is left out. Raises Unprocessable too_many_months.
    """
    count = used.select(pl.col("month").n_unique()).collect(engine="streaming").item()
    if count > MAX_MONTHS:
        raise Unprocessable(
            "too_many_months",
            f"The rows are spread over {count:,} months; at most {MAX_MONTHS:,} are taken.",
            "Check that the column of dates holds the dates of the transactions.",
        )
    keys = ["currency", "month"]
    table = grouped(used, keys, roles).join(_days(used), on=keys, nulls_equal=True)
    rows = {(row["currency"], row["month"]): row for row in table.sort(keys).iter_rows(named=True)}
    last_day = used.select(pl.col("day").max()).collect(engine="streaming").item()
    made: list[Month] = []
    for (currency, month), row in rows.items():
        new = customers.new.get((currency, month), 0) if customers else None
        before, year_before = (rows.get((currency, _earlier(month, by)), {}).get("amount") for by in (1, 12))
        if made and made[-1].currency == currency:
            made += _gap(made[-1].month, month, currency)
        made.append(
            Month(
                month=month,
                currency=currency,
                days=row["days"],
                sums=Sums.of(row),
                new_customers=new,
                returning_customers=None if new is None else row["customers"] - new,
                mom=growth(row["amount"], before),
                yoy=growth(row["amount"], year_before),
                unfinished=month == last_day.replace(day=1) and last_day.day < monthrange(month.year, month.month)[1],
            )
        )
    return made


def _gap(before: date, after: date, currency: str | None) -> list[Month]:
    """The months without rows between two; none where there are more than a century's."""
    between = range(before.year * 12 + before.month, after.year * 12 + after.month - 1)
    if len(between) > MAX_MONTHS:
        return []
    return [Month(date(at // 12, at % 12 + 1, 1), currency, 0, None, None, None, None, None) for at in between]


def daily(used: pl.LazyFrame) -> pl.DataFrame:
    """Add up the amounts of each day: currency, day, amount; sorted."""
    sums = used.group_by("currency", "day").agg(pl.col("amount").sum())
    return sums.collect(engine="streaming").sort("currency", "day")


def _days(used: pl.LazyFrame) -> pl.DataFrame:
    days = used.select("currency", "month", "day").unique()
    return days.group_by("currency", "month").agg(pl.len().cast(pl.Int64).alias("days")).collect(engine="streaming")


def _earlier(month: date, by: int) -> date | None:
    """The first day of the month that is `by` months earlier; None before the calendar's beginning."""
    index = month.year * 12 + month.month - 1 - by
    return date(index // 12, index % 12 + 1, 1) if index >= 12 else None
