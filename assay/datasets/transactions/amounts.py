"""Money and other numbers as people write them, read exactly.

Every number is a decimal with 12 places and up to 15 digits before the mark, held as an integer of 128 bits: sums and
differences of such numbers have no rounding, so they can't depend on the order in which threads add.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.types import numbers

PLACES = 12
EXACT = pl.Decimal(38, PLACES)
# Sums of 10**10 such rows still fit into the 38 digits.
BEYOND = 10**15
# Signs and words that stand for one currency alone. $, ¥, £ and kr stand for several, and stay as they are.
_ISO = {"€": "EUR", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "₦": "NGN", "₱": "PHP"}
_ISO |= {"US$": "USD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "R$": "BRL", "HK$": "HKD", "ZŁ": "PLN", "KČ": "CZK"}


@dataclass(frozen=True)
class Marks:
    """How the numbers of one column are written: the decimal mark, and what groups thousands ("" for nothing)."""

    decimal: str = "."
    thousands: str = ""


def number(text: pl.Expr, marks: Marks, *, percent: bool = False) -> pl.Expr:
    """Read trimmed text as an exact number (EXACT); null where it is none, or has more than 26 digits before its mark.

    Currency signs and codes, grouped thousands, a minus behind and brackets for a negative amount are understood, a
    percent sign only where `percent` says so (12.5% is 12.5). What is beyond 12 places is rounded half to even.
    """
    return text.map_batches(lambda cells: _read(cells, marks, percent), return_dtype=EXACT, is_elementwise=True)


def in_range(amount: pl.Expr) -> pl.Expr:
    """Whether an amount has at most 15 digits before the decimal mark, so that sums of it fit."""
    return amount.abs() < BEYOND


def product(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Multiply exactly, rounded half to even beyond 12 places; null where the result is out of range."""
    fits = one.cast(pl.Float64).abs() * other.cast(pl.Float64).abs() < BEYOND
    return pl.when(fits).then(one) * pl.when(fits).then(other)


def places(text: pl.Expr, marks: Marks) -> pl.Expr:
    """Count the digits written behind the decimal mark; null for a blank, and for a number with an exponent."""
    digits = text.str.extract(rf"\{marks.decimal}([0-9]+)[^0-9]*$").str.len_bytes().fill_null(0)
    return pl.when(text.is_not_null() & ~text.str.contains("[0-9][eE]")).then(digits.cast(pl.Int64))


def currency(text: pl.Expr) -> pl.Expr:
    """Tell the currency that is written beside a number: an ISO code where the sign has only one, else what stands."""
    return text.map_batches(_currency, return_dtype=pl.String, is_elementwise=True)


def currency_code(text: pl.Expr) -> pl.Expr:
    """Fold the name of a currency: upper case, and a sign by its code where it has only one."""
    # In batches, since Polars' own replacement would hold the whole column, and all others for it.
    return text.map_batches(_folded, return_dtype=pl.String, is_elementwise=True)


def _read(cells: pl.Series, marks: Marks, percent: bool) -> pl.Series:
    # Where a comma is the mark, or a point groups thousands, nothing but digits is plain.
    plain = r"^-?[0-9]+(?:\.[0-9]+)?$" if marks.decimal == "." != marks.thousands else "^-?[0-9]+$"
    frame = pl.DataFrame({"cell": cells}).with_columns(pl.col("cell").str.contains(plain).alias("plain"))
    exact = frame.select(pl.when("plain").then("cell").cast(EXACT, strict=False)).to_series()
    if frame["plain"].all():
        return exact
    odd = frame.select(numbers.groups(pl.when(~pl.col("plain")).then("cell")).alias("parts"), exact.alias("exact"))
    return odd.select(pl.coalesce("exact", _number(pl.col("parts"), marks, percent=percent))).to_series()


def _number(parts: pl.Expr, marks: Marks, *, percent: bool) -> pl.Expr:
    """Write what the readers take for a number without its marks, and read that as a decimal."""
    size = numbers.number(parts, marks.decimal, marks.thousands, whole=False)
    if not percent:
        size = pl.when(parts.struct.field("back").fill_null("") != "%").then(size)
    digits = parts.struct.field("body").str.strip_chars()
    if marks.thousands:
        digits = digits.str.replace_all(marks.thousands, "", literal=True)
    digits = digits.str.replace(marks.decimal, ".", literal=True) + parts.struct.field("exponent").fill_null("")
    exact = pl.when(size.is_not_null()).then(digits).cast(EXACT, strict=False)
    return pl.when(size < 0).then(-exact).otherwise(exact)


def _folded(names: pl.Series) -> pl.Series:
    each = names.unique()
    return names.replace(each, each.str.to_uppercase().str.strip_chars(" .").replace(_ISO))


def _currency(cells: pl.Series) -> pl.Series:
    odd = cells.to_frame("cell").select(pl.when(pl.col("cell").str.contains(r"[^0-9.,+\-]")).then("cell"))
    if odd["cell"].null_count() == len(cells):
        return odd["cell"]
    parts = numbers.groups(pl.col("cell")).struct
    beside = pl.coalesce(parts.field("front"), parts.field("back"))
    return _folded(odd.select(pl.when(beside != "%").then(beside)).to_series())
