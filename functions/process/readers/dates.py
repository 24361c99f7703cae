"""Text to dates and times, one order of day and month for a whole column, nothing guessed from a single cell."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from polars.expr.struct import ExprStructNameSpace

_NAMES = ["january", "february", "march", "april", "may", "june", "july"]
_NAMES += ["august", "september", "october", "november", "december"]
_MONTHS = {name[:3]: str(number) for number, name in enumerate(_NAMES, start=1)}
_CLOCK = (
    r"(?:[Tt]|\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9])(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_UTC = r"\s*(?:[Zz]|UTC|GMT)"
_OFFSET = r"\s*[+-][0-9]{2}(?::?[0-9]{2})?"
# An offset needs a time before it: 2024-01-02-05 is nothing.
_TIME = rf"(?:{_CLOCK}(?:{_OFFSET}|{_UTC})?|{_UTC})?$"
_ZONED = rf"(?i)(?:{_UTC}|:[0-9.,]+{_OFFSET}|[Mm]\.?{_OFFSET})$"
_PLAIN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_MONTH = rf"(?P<name>{'|'.join(_NAMES)}|{'|'.join(_MONTHS)}|sept)"
_FAMILIES = {
    "plain": _PLAIN,
    "iso": r"^(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})" + _TIME,
    "ordered": r"^(?P<first>[0-9]{1,2})[-/](?P<other>[0-9]{1,2})[-/](?P<year>[0-9]{4})" + _TIME,
    "dotted": r"^(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})" + _TIME,
    "named": rf"(?i)^(?P<day>[0-9]{{1,2}})[-\s]+{_MONTH}\.?[-\s,]+(?P<year>[0-9]{{4}})" + _TIME,
    "worded": rf"(?i)^{_MONTH}\.?\s+(?P<day>[0-9]{{1,2}})(?:,\s*|\s+)(?P<year>[0-9]{{4}})" + _TIME,
}


@dataclass(frozen=True)
class DateOrder:
    """How to read a column: the families of forms that occur in it, and whether 1/2/2024 begins with the day.

    `decided` says in words how that was found out; None where no date of the column needs it. `zoned` counts the dates
    that name a zone or an offset.
    """

    families: tuple[str, ...]
    day_first: bool
    decided: str | None
    zoned: int = 0


def survey(text: pl.Expr) -> dict[str, pl.Expr]:
    """Aggregates over a column of trimmed text from which `decide` tells the order. Every row is looked at."""
    plain = text.str.contains(_PLAIN)
    # Most files have the plain form alone: the other patterns then have nothing to look at.
    odd = pl.when(~plain).then(text)
    found = {f"date_{name}": odd.str.contains(pattern).any() for name, pattern in _FAMILIES.items()}
    found["date_plain"] = plain.any()
    zoned = pl.when(odd.str.contains(_ZONED)).then(odd)
    found["date_zoned"] = pl.any_horizontal(zoned.str.contains(form) for form in _FAMILIES.values()).sum()
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
    zoned = int(found["date_zoned"] or 0)
    if "ordered" not in families:
        return DateOrder(families, day_first=False, decided=None, zoned=zoned)
    if not day and not month:
        return DateOrder(families, day_first=False, decided="assumed month first", zoned=zoned)
    order = "day first" if day > month else "month first"
    against = f" ({min(day, month):,} dates have it the other way round)" if day and month else ""
    return DateOrder(families, day > month, order + against, zoned)


def parse(frame: pl.LazyFrame, column: str, order: DateOrder) -> pl.LazyFrame:
    """Replace a column of trimmed text by Datetime in microseconds, as the clock on the wall showed it.

    Null where it is no date. Read are `YYYY-MM-DD` and `YYYY/MM/DD`, `M/D/YYYY` or `D/M/YYYY` (also with hyphens),
    `D.M.YYYY`, `D-Mon-YYYY` and `Mon D, YYYY`, years 0001 to 9999, each alone or with a time `H:MM[:SS[.fff]]`, AM or
    PM, and a zone or offset, which is left aside. 24:00 is the next midnight.
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
    return frame.with_columns(pl.when(text.dt.year().is_between(1, 9999)).then(text).alias(column))


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
    elif family in ("named", "worded"):
        day, month = part("day"), part("name").str.to_lowercase().str.slice(0, 3).replace_strict(_MONTHS, default=None)
    else:
        day, month = part("day"), part("month")
    half, hour = part("half").str.to_lowercase(), part("hour").fill_null("0").cast(pl.Int8)
    twelve = pl.when(hour.is_between(1, 12)).then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    whole = (part("minute") == "00") & (part("second").fill_null("00") == "00")
    whole &= part("fraction").str.strip_chars("0").fill_null("") == ""
    midnight = ((hour == 24) & half.is_null() & whole).fill_null(value=False)
    hour = pl.when(midnight).then(0).when(half.is_null()).then(hour).otherwise(twelve)
    text = pl.concat_str(
        part("year"), pl.lit("-"), month, pl.lit("-"), day, pl.lit(" "), hour, pl.lit(":"),
        part("minute").fill_null("00"), pl.lit(":"), part("second").fill_null("00"), pl.lit("."),
        part("fraction").fill_null("0").str.slice(0, 6),
    )  # fmt: skip
    moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    return moment + pl.when(midnight).then(pl.duration(days=1)).otherwise(pl.duration())
