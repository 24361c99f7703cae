"""Text to dates and times, one order of day and month for a whole column, nothing guessed from a single cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl
from polars.expr.struct import ExprStructNameSpace

from assay.formats.date_forms import FAMILIES, ZONED
from assay.formats.months import MONTHS

_PLAIN = FAMILIES["plain"]
_SHORT = r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/](?P<last>[0-9]{2})(?:[^0-9]|$)"
# Two digits of a year as POSIX has them: 69 to 99 are of the last century.
_PIVOT = 69


@dataclass(frozen=True)
class DateOrder:
    """How to read a column: the families of forms that occur in it, and whether 1/2/2024 begins with the day.

    `year_first` says that 24/1/2 begins with the year. `decided` says in words how that was found out; None where no
    date of the column needs it. `sure` is whether the column itself shows it. `zoned` counts the dates that name a zone
    or an offset.
    """

    families: tuple[str, ...]
    day_first: bool
    decided: str | None
    zoned: int = 0
    year_first: bool = False
    sure: bool = False


def survey(text: pl.Expr) -> dict[str, pl.Expr]:
    """Aggregates over a column of trimmed text from which `decide` tells the order. Every row is looked at."""
    plain = text.str.contains(_PLAIN)
    # Most files have the plain form alone: the other patterns then have nothing to look at.
    odd = pl.when(~plain).then(text)
    found = {f"date_{name}": odd.str.contains(pattern).any() for name, pattern in FAMILIES.items()}
    found["date_plain"] = plain.any()
    zoned = pl.when(odd.str.contains(ZONED)).then(odd)
    found["date_zoned"] = pl.any_horizontal(zoned.str.contains(form) for form in FAMILIES.values()).sum()
    parts = odd.str.extract_groups(r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/][0-9]{4}(?:[^0-9]|$)")
    first, other = (parts.struct.field(name).cast(pl.Int8, strict=False) for name in ("first", "other"))
    day_first, month_first = ((first > 12) & (other <= 12)).sum(), ((first <= 12) & (other > 12)).sum()
    first, other, last = short_parts(odd)
    found["date_day_first"] = day_first + (first.is_between(13, 31) & (other <= 12)).sum()
    found["date_month_first"] = month_first + (first.is_between(1, 12) & (other > 12)).sum()
    found["date_year_first"] = (~first.is_between(1, 31) & (other <= 12) & last.is_between(1, 31)).sum()
    # Where the first part may be a day as well as a year: years are few and never so low, days are many, and whoever
    # surveys compares how many there are.
    may = (first > 12) & (other <= 12) & last.is_between(1, 31)
    found["date_may_be_year"] = first.is_not_null().any() & may.all()
    return found


def short_parts(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """The three parts of dates whose last part has two digits, and the others at most, as Int8; null in other texts."""
    parts = text.str.extract_groups(_SHORT)
    first, other, last = (parts.struct.field(name).cast(pl.Int8, strict=False) for name in ("first", "other", "last"))
    return first, other, last


def decide(
    found: Mapping[str, bool | int | None], said: str | None = None, hint: Literal["day", "month"] | None = None
) -> DateOrder:
    """Tell the order from what `survey` found.

    A first part above 12 means that the day comes first, a second part above 12 that the month does; where the column
    has both, the more frequent wins (the others are then no dates); where it has neither, `hint`, the order of the
    file's other columns, is taken, and else month first. Years of two digits come first where the first part can be
    nothing else, or is always above 12 and has fewer values than the last. `said` is what a user said (`day_first`,
    `month_first`, `year_first`), and decides.
    """
    families = tuple(name for name in FAMILIES if found[f"date_{name}"])
    day, month, year = (int(found[f"date_{name}_first"] or 0) for name in ("day", "month", "year"))
    zoned = int(found["date_zoned"] or 0)
    year_first = year > month if year else bool(found["date_may_be_year"])
    if said is not None:
        return DateOrder(
            families, said == "day_first", f"{said.replace('_', ' ')} as given", zoned, said == "year_first", sure=True
        )
    if not {"ordered", "short"} & {*families}:
        return DateOrder(families, day_first=False, decided=None, zoned=zoned)
    if year_first:
        return DateOrder(families, day > month, "year first", zoned, year_first=True, sure=bool(year))
    if not day and not month:
        order = f"{hint} first as in other columns" if hint else "assumed month first"
        return DateOrder(families, hint == "day", order, zoned)
    order = "day first" if day > month else "month first"
    against = f" ({min(day, month):,} dates have it the other way round)" if day and month else ""
    return DateOrder(families, day > month, order + against, zoned, sure=True)


def parse(frame: pl.LazyFrame, column: str, order: DateOrder) -> pl.LazyFrame:
    """Replace a column of trimmed text by Datetime in microseconds, as the clock on the wall showed it.

    Null where it is no date. Read are `YYYY-MM-DD` and `YYYY/MM/DD`, `M/D/YYYY` or `D/M/YYYY` (also with hyphens),
    `D.M.YYYY`, `YYYY.M.D`, `D-Mon-YYYY` and `Mon D, YYYY` with months of many
    languages, `YYYY年M月D日`, years 0001 to 9999, all but the first and the last also with years of
    two digits (69 to 99 are of the last century), each alone or with a time `H:MM[:SS[.fff]]`, AM or PM, and a zone or
    offset, which is left aside; and `YYYYMMDD[THHMMSS]`. 24:00 is the next midnight.
    """
    text = pl.col(column)
    if not order.families:
        return frame.with_columns(pl.lit(None, pl.Datetime("us")).alias(column))
    # The groups are columns for a moment: as expressions they would be extracted again for each of their parts.
    groups = {name: f"{column} {name}" for name in order.families if name != "plain"}
    frame = frame.with_columns(text.str.extract_groups(FAMILIES[name]).alias(at) for name, at in groups.items())
    forms = [_moment(name, pl.col(at).struct, order) for name, at in groups.items()]
    if "plain" in order.families:
        plain = pl.when(text.str.contains(_PLAIN)).then(text)
        forms.insert(0, plain.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"))
    frame = frame.with_columns(pl.coalesce(forms).alias(column)).drop(groups.values())
    return frame.with_columns(pl.when(text.dt.year().is_between(1, 9999)).then(text).alias(column))


def _moment(family: str, parts: ExprStructNameSpace, order: DateOrder) -> pl.Expr:
    part = parts.field
    day, month, year = part("day"), part("month"), part("year")
    if family in ("ordered", "short"):
        day, month = (part("first"), part("other")) if order.day_first else (part("other"), part("first"))
    if family == "short":
        year = _century(part("last"))
        if order.year_first:
            day, month, year = part("last"), part("other"), _century(part("first"))
    if family in ("named", "worded", "short_named"):
        month = part("name").str.to_lowercase().replace_strict(MONTHS, default=None)
    if family in ("short_dotted", "short_named"):
        year = _century(part("short"))
    half, hour = part("half").str.to_lowercase(), part("hour").fill_null("0").cast(pl.Int8)
    twelve = pl.when(hour.is_between(1, 12)).then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    whole = (part("minute") == "00") & (part("second").fill_null("00") == "00")
    whole &= part("fraction").str.strip_chars("0").fill_null("") == ""
    midnight = ((hour == 24) & half.is_null() & whole).fill_null(value=False)
    hour = pl.when(midnight).then(0).when(half.is_null()).then(hour).otherwise(twelve)
    text = pl.concat_str(
        year, pl.lit("-"), month, pl.lit("-"), day, pl.lit(" "), hour, pl.lit(":"),
        part("minute").fill_null("00"), pl.lit(":"), part("second").fill_null("00"), pl.lit("."),
        part("fraction").fill_null("0").str.slice(0, 6),
    )  # fmt: skip
    moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    return moment + pl.when(midnight).then(pl.duration(days=1)).otherwise(pl.duration())


def _century(two: pl.Expr) -> pl.Expr:
    digits = two.str.zfill(2)
    return pl.when(digits < str(_PIVOT)).then(pl.lit("20") + digits).otherwise(pl.lit("19") + digits)
