"""Sums and means of doubles that are exact, and rounded once.

Each double is split into integers of 30 bits at fixed binary places, which add up without rounding in any order. The
total is rounded to the nearest double, to the even one of two as near. This is a superaccumulator (U. Kulisch,
Computer Arithmetic and Validity, 2013) of which only the places that a column uses are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

# 30 bits a place leave room for 2**33 values in 64.
_BITS = 30
_WHOLE = 1 << _BITS
# The weight of the lowest place: every double is a whole number of it.
_LOWEST = -1074

_Whole = npt.NDArray[np.int64]


def exact_sums(
    frame: pl.LazyFrame, value: str, keys: Sequence[str], aggregates: Sequence[pl.Expr] = ()
) -> pl.DataFrame:
    """Group by `keys` and add up `value` (finite doubles, none null): columns `n`, `sum` and `mean` for each group.

    `sum` and `mean` are the exact ones, rounded once to the nearest double; a sum that no double holds is infinite, a
    mean never is. `aggregates` are computed beside them. The order of the rows of the result is not fixed.
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
    grouped = split.group_by(keys).agg(*aggregates, pl.len().alias("n"), *(pl.col(place).sum() for place in places))
    sums = grouped.collect(engine="streaming")
    digits = [sums[place].to_numpy() for place in places]
    count = sums["n"].cast(pl.Int64).to_numpy()
    one = np.ones_like(count)
    return sums.drop(places).with_columns(
        pl.Series("sum", _divided(digits, exponents[0], one)), pl.Series("mean", _divided(digits, exponents[0], count))
    )


def weighted(values: npt.NDArray[np.float64], counts: _Whole) -> tuple[float, float]:
    """The exact sum and mean of finite doubles that occur `counts` times, each rounded once.

    A sum that no double holds is infinite, a mean never is. There must be a value; ascending ones are fastest.
    """
    parts, powers = np.frexp(values)
    whole = (parts * 2.0**53).astype(np.int64)
    starts = np.flatnonzero(np.diff(powers, prepend=powers[0] - 1))
    # In two halves, so that neither sum is beyond 64 bits.
    low = np.add.reduceat((whole & (_WHOLE - 1)) * counts, starts).tolist()
    high = np.add.reduceat((whole >> _BITS) * counts, starts).tolist()
    unit = _LOWEST - 53  # frexp gives the smallest double as 0.5 * 2**-1073
    shifts = (powers[starts] - 53 - unit).tolist()
    total = sum(((upper << _BITS) + lower) << shift for lower, upper, shift in zip(low, high, shifts, strict=True))
    return ratio(total, 1 << -unit), ratio(total, int(counts.sum()) << -unit)


def ratio(numerator: int, denominator: int) -> float:
    """Divide a whole number of any size by one above zero, rounded once; infinite where no double holds the result."""
    try:
        return numerator / denominator
    except OverflowError:
        return -math.inf if numerator < 0 else math.inf


def _exponents(frame: pl.LazyFrame, value: str) -> list[int]:
    """The exponents of two of the places that the column uses, ascending, on a grid that is the same for all files."""
    size = pl.col(value).abs()
    greatest, smallest = (
        frame.select(size.max().alias("max"), size.filter(size > 0).min().alias("min"))
        .collect(engine="streaming")
        .row(0)
    )
    if smallest is None:
        return [_LOWEST]
    # A double has 53 bits.
    low = max(math.frexp(smallest)[1] - 53 - _LOWEST, 0) // _BITS * _BITS + _LOWEST
    return list(range(low, math.frexp(greatest)[1], _BITS))


def _divided(digits: Sequence[_Whole], lowest: int, by: _Whole) -> npt.NDArray[np.float64]:
    """Put sums of digits together, from the place of weight 2**lowest up, and divide each by `by`, at most 2**33.

    Rounded once to the nearest double. It is long division, as on paper.
    """
    _, carry = _carried(digits)
    size, _ = _carried([np.where(carry < 0, -digit, digit) for digit in digits])
    rest, quotient = np.zeros_like(by), []
    # Three places below the lowest are enough to round the quotient by.
    below = [np.zeros_like(by)] * 3
    for digit in (*reversed(size), *below):
        part, rest = np.divmod((rest << _BITS) + digit, by)
        quotient.append(part)
    rounded = _rounded(np.stack(quotient), lowest - len(below) * _BITS, rest != 0)
    return np.where(carry < 0, -rounded, rounded)


def _carried(digits: Sequence[_Whole]) -> tuple[list[_Whole], _Whole]:
    """Carry from place to place until all digits lie in [0, 2**30); the carry of the last is -1 below zero, else 0."""
    carry = np.zeros_like(digits[0])
    result = []
    # A sum of 64 bits leaves 34 for the places above.
    for digit in (*digits, np.zeros_like(carry), np.zeros_like(carry)):
        added = digit + carry
        carry = added >> _BITS
        result.append(added & (_WHOLE - 1))
    return result, carry


def _rounded(digits: _Whole, lowest: int, more: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Round columns of digits, the highest first and the last of weight 2**lowest, to the nearest double.

    `more` says of each column whether something is left below its last digit.
    """
    count = len(digits)
    digits = np.concatenate([digits, np.zeros_like(digits[:2])])
    filled = digits != 0
    top = filled[:count].argmax(axis=0)
    first, second, third = (np.take_along_axis(digits, top[None] + at, 0)[0] for at in range(3))
    after = np.concatenate([np.logical_or.accumulate(filled[::-1])[::-1], np.zeros_like(filled[:1])])
    # 61 bits of the number, and whether there are any below.
    shift = 31 - np.frexp(first.astype(np.float64))[1].astype(np.int64)
    kept = (((first << _BITS) | second) << shift) | (third >> (_BITS - shift))
    more = more | np.take_along_axis(after, top[None] + 3, 0)[0] | ((third & ((1 << (_BITS - shift)) - 1)) != 0)
    exponent = lowest + _BITS * (count - 2 - top) - shift
    # A double keeps 53 of them, fewer where it would be below the lowest place.
    drop = np.clip(_LOWEST - exponent, 8, 62)
    whole, rest = kept >> drop, kept & ((1 << drop) - 1)
    half = 1 << (drop - 1)
    whole += (rest > half) | ((rest == half) & (more | (whole & 1 == 1)))
    with np.errstate(over="ignore"):
        rounded: npt.NDArray[np.float64] = np.ldexp(whole.astype(np.float64), exponent + drop)
    return rounded
