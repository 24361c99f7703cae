"""Money and other numbers as people write them, read exactly.

Every number is a decimal with 12 places and up to 15 digits before the mark, held as an integer of 128 bits: sums and
differences of such numbers have no rounding, so they can't depend on the order in which threads add.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.formats.currencies import CODE_OF
from assay.types import numbers

PLACES = 12
EXACT = pl.Decimal(38, PLACES)
# Sums of 10**10 such rows still fit into the 38 digits.
BEYOND = 10**15
DIGITS = 15
"""What a double holds of any decimal number; a cell of more comes of binary arithmetic, or is finer than money."""

_LEAST_PLACES = 4
_LOST = 1e-13
# Sums and products of doubles are off by some units of the last binary digit (2**-53), floats by half of 2**-23.
_DOUBLE, _SINGLE = 64 * 2.0**-53, 2.0**-24
_ISO = {sign.upper(): code for sign, code in CODE_OF.items()}


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


def without_noise(exact: pl.Expr, text: pl.Expr, places: int) -> pl.Expr:
    """Take back what binary arithmetic left in a cell: 16341.420000000002 is 16341.42, 19.989999771118164 is 19.99.

    Only a cell of more than 15 digits is looked at. It becomes the nearest number with as many digits behind the mark
    as the column has elsewhere (`places`, at least 4) where it is nearer to that than a double, or a double made of a
    float of 32 bits, can tell; else it stays.
    """
    rounded = exact.round(max(places, _LEAST_PLACES))
    double = text.cast(pl.Float64, strict=False)
    single = double.cast(pl.Float32).cast(pl.Float64) == double
    apart = (exact - rounded).abs().cast(pl.Float64)
    near = apart <= exact.abs().cast(pl.Float64) * pl.when(single).then(_SINGLE).otherwise(_DOUBLE)
    return pl.when((text.str.len_bytes() > DIGITS) & near).then(rounded).otherwise(exact)


def is_finer(text: pl.Expr) -> pl.Expr:
    """Whether a plain number loses a part of itself that is no noise where it is rounded to 12 places."""
    double = text.cast(pl.Float64, strict=False)
    kept = text.cast(EXACT, strict=False).cast(pl.Float64)
    return (double - kept).abs() > double.abs() * _LOST


def in_range(amount: pl.Expr) -> pl.Expr:
    """Whether an amount has at most 15 digits before the decimal mark, so that sums of it fit."""
    return amount.abs() < BEYOND


def product(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Multiply exactly, rounded half to even beyond 12 places; null where the result is out of range."""
    fits = left.cast(pl.Float64).abs() * right.cast(pl.Float64).abs() < BEYOND
    return pl.when(fits).then(left) * pl.when(fits).then(right)


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
