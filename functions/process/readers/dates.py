"""Text to dates and times, one order of day and month for a whole column, nothing guessed from a single cell."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from polars.expr.struct import ExprStructNameSpace

_NAMES = ["january", "february", "march", "april", "may", "june", "july"]
_NAMES += ["august", "september", "october", "november", "december"]
_MONTHS = {name[:3]: str(number) for number, name in enumerate(_NAMES, start=1)}
_TIME = (
    r"(?:(?:[Tt]|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?\s*(?:[Zz]|UTC|[+-][0-9]{2}:?[0-9]{2})?$"
)
_PLAIN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"
_ISO = r"^(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})" + _TIME
_ORDERED = r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/](?P<year>[0-9]{4})" + _TIME
_DOTTED = r"^(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})" + _TIME
_NAMED = (
    rf"(?i)^(?P<day>[0-9]{{1,2}})[-\s]+(?P<name>{'|'.join(_NAMES)}|{'|'.join(_MONTHS)}|sept)\.?[-\s,]+"
    r"(?P<year>[0-9]{4})" + _TIME
)
_FAMILIES = {"plain": _PLAIN, "iso": _ISO, "ordered": _ORDERED, "dotted": _DOTTED, "named": _NAMED}


@dataclass(frozen=True)
class DateOrder:
    """How to read a column: the families of forms that occur in it, and whether 1/2/2024 begins with the day.

    `decided` says in words how that was found out; None where no date of the column needs it.
    """

    families: tuple[str, ...]
    day_first: bool
    decided: str | None


def survey(text: pl.Expr) -> dict[str, pl.Expr]:
    """Aggregates over a column of trimmed text from which `decide` tells the order. Every row is looked at."""
    plain = text.str.contains(_PLAIN)
    # Most files have the plain form alone: the other patterns then have nothing to look at.
    odd = pl.when(~plain).then(text)
    found = {f"date_{name}": odd.str.contains(pattern).any() for name, pattern in _FAMILIES.items()}
    found["date_plain"] = plain.any()
    parts = odd.str.extract_groups(r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/][0-9]{4}(?:[^0-9]|$)")
    first, other = (parts.struct.field(name).cast(pl.Int8, strict=False) for name in ("first", "other"))
    found["date_day_first"] = ((first > 12) & (other <= 12)).sum()
    found["date_month_first"] = ((first <= 12) & (other > 12)).sum()
    return found


def decide(found: dict[str, bool | int | None]) -> DateOrder:
    """Tell the order from what `survey` found.

    A first part above 12 means that the day comes first, a second part above 12 that the month does; where the column
    has both, the more frequent wins (the others are then no dates); where it has neither, month first is assumed.
    """
    families = tuple(name for name in _FAMILIES if found[f"date_{name}"])
    day, month = (int(found[f"date_{name}_first"] or 0) for name in ("day", "month"))
    if "ordered" not in families:
        return DateOrder(families, day_first=False, decided=None)
    if not day and not month:
        return DateOrder(families, day_first=False, decided="assumed month first")
    order = "day first" if day > month else "month first"
    against = f" ({min(day, month):,} dates have it the other way round)" if day and month else ""
    return DateOrder(families, day > month, order + against)


def parse(frame: pl.LazyFrame, column: str, order: DateOrder) -> pl.LazyFrame:
    """Replace a column of trimmed text by Datetime in microseconds, as the clock on the wall showed it.

    Null where it is no date. Read are `YYYY-MM-DD` and `YYYY/MM/DD`, `M/D/YYYY` or `D/M/YYYY` (also with hyphens),
    `D.M.YYYY` and `D-Mon-YYYY`, years 0001 to 9999, each alone or with a time `H:MM[:SS[.fff]]`, AM or PM, and a zone,
    which is left aside.
    """
    text = pl.col(column)
    if not order.families:
        return frame.with_columns(pl.lit(None, pl.Datetime("us")).alias(column))
    # The groups are columns for a moment: as expressions they would be extracted again for each of their parts.
    groups = {name: f"{column} {name}" for name in order.families if name != "plain"}
    frame = frame.with_columns(text.str.extract_groups(_FAMILIES[name]).alias(at) for name, at in groups.items())
    forms = [_moment(name, pl.col(at).struct, order.day_first) for name, at in groups.items()]
    if "plain" in order.families:
        plain = pl.when(text.str.contains(_PLAIN)).then(text)
        forms.insert(0, plain.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"))
    frame = frame.with_columns(pl.coalesce(forms).alias(column)).drop(groups.values())
    return frame.with_columns(pl.when(text.dt.year() >= 1).then(text).alias(column))


def count_dates(cells: list[str]) -> int:
    """How many of a few trimmed cells are dates in any order: for telling a column of dates, not for reading it."""
    frame = pl.LazyFrame({"cell": cells, "other": cells}, schema={"cell": pl.String, "other": pl.String})
    for column, day_first in (("cell", False), ("other", True)):
        frame = parse(frame, column, DateOrder(tuple(_FAMILIES), day_first, None))
    return int(frame.select(pl.coalesce("cell", "other").is_not_null().sum()).collect().item())


def _moment(family: str, parts: ExprStructNameSpace, day_first: bool) -> pl.Expr:
    part = parts.field
    if family == "ordered":
        day, month = (part("first"), part("other")) if day_first else (part("other"), part("first"))
    elif family == "named":
        day, month = part("day"), part("name").str.to_lowercase().str.slice(0, 3).replace_strict(_MONTHS, default=None)
    else:
        day, month = part("day"), part("month")
    half, hour = part("half").str.to_lowercase(), part("hour").fill_null("0").cast(pl.Int8)
    twelve = pl.when(hour.is_between(1, 12)).then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    hour = pl.when(half.is_null()).then(hour).otherwise(twelve)
    text = pl.concat_str(
        part("year"), pl.lit("-"), month, pl.lit("-"), day, pl.lit(" "), hour, pl.lit(":"),
        part("minute").fill_null("00"), pl.lit(":"), part("second").fill_null("00"), pl.lit("."),
        part("fraction").fill_null("0").str.slice(0, 6),
    )  # fmt: skip
    return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
