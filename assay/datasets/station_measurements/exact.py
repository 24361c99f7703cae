"""Sums of doubles that are exact, so that they can't depend on the order in which threads add.

Each double is split into integers of 30 bits, one for each place between the greatest and the smallest value of the
column; integers add up without rounding, and the sum is rounded when it is put together. This is a superaccumulator
(U. Kulisch, Computer Arithmetic and Validity, 2013) cut to the range that the column uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import polars as pl

# 30 bits a place leave room for 2**33 rows in 64.
_BITS = 30
# More than the rows that there can be, so that a sum divided by it is a double where the mean is.
SCALE = 2.0**64


def exact_sums(
    frame: pl.LazyFrame, value: str, keys: Sequence[str], aggregates: Sequence[pl.Expr] = ()
) -> pl.DataFrame:
    """Group by `keys` and add up `value` (finite doubles, none null) exactly; the column `sum` is within 1 ulp.

    `aggregates` are computed beside it. The order of the rows of the result is not fixed. A sum that no double holds
    comes out infinite, and so may one within a billionth of the greatest double; for these the column `scaled` has the
    sum divided by SCALE.
    """
    exponents = _exponents(frame, value)
    places = [f"place {index}" for index in range(len(exponents))]
    split = frame.with_columns(pl.col(value).alias("rest"))
    for place, exponent in reversed(list(zip(places, exponents, strict=True))):
        # Powers of two multiply without rounding; in two steps, since 2**1074 is no double. Truncating keeps the rest
        # smaller than the place's weight.
        down = (math.ldexp(1.0, -exponent // 2), math.ldexp(1.0, -exponent - -exponent // 2))
        split = split.with_columns((pl.col("rest") * down[0] * down[1]).cast(pl.Int64).alias(place))
        whole = pl.col(place).cast(pl.Float64) * math.ldexp(1.0, exponent)
        split = split.with_columns(pl.col("rest") - whole)
    sums = split.group_by(keys).agg(*aggregates, *(pl.col(place).sum() for place in places))
    return _put_together(sums.collect(engine="streaming"), places, exponents)


def _exponents(frame: pl.LazyFrame, value: str) -> list[int]:
    """The exponents of two, ascending, that the places stand for."""
    size = pl.col(value).abs()
    greatest, smallest = (
        frame.select(size.max().alias("max"), size.filter(size > 0).min().alias("min"))
        .collect(engine="streaming")
        .row(0)
    )
    if smallest is None:
        return [0]
    # A double has 53 bits; below 2**-1074 there is none.
    low = max(math.frexp(smallest)[1] - 53, -1074)
    high = math.frexp(greatest)[1]
    return list(range(low, high, _BITS))


def _put_together(sums: pl.DataFrame, places: list[str], exponents: list[int]) -> pl.DataFrame:
    """Carry from place to place until all but the last lie in [-2**29, 2**29), then add from the smallest up.

    Digits of both signs keep what is below the first one smaller than half of it, so nothing cancels.
    """
    half, whole = 2 ** (_BITS - 1), 2**_BITS
    for place, above in pairwise(places):
        carry = (pl.col(place) + half).floordiv(whole)
        sums = sums.with_columns(carry.alias("carry")).with_columns(
            pl.col(place) - pl.col("carry") * whole, pl.col(above) + pl.col("carry")
        )
    total = scaled = pl.lit(0.0)
    for place, exponent in zip(places, exponents, strict=True):
        digits = pl.col(place).cast(pl.Float64)
        total = total + digits * math.ldexp(1.0, exponent)
        scaled = scaled + digits * (math.ldexp(1.0, exponent) / SCALE)
    return sums.with_columns(total.alias("sum"), scaled.alias("scaled")).drop(*places, "carry", strict=False)
