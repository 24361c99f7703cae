"""Numbers that stand for a missing value, such as -9999: found by what they are and how far they lie from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

# Written so in files: nines, eights and sevens, and the smallest of 16 bits; of the positive ones only long nines.
_NEGATIVE = frozenset({
    -99.0, -999.0, -9999.0, -99999.0, -999999.0, -9999999.0, -99.9, -99.99, -999.9, -999.99, -9999.9, -9999.99,
    -99999.9, -888.0, -8888.0, -88888.0, -777.0, -7777.0, -6999.0, -32768.0, -999.25, -1e20, -1e30, -1e34, -1e36,
})  # fmt: skip
_POSITIVE = frozenset({9999.0, 99999.0, 999999.0, 9999999.0, 9999.9, 9999.99, 99999.9, 1e20, 1e30, 1e34, 1e36})
_FAR_ABOVE = 10
_LONG = -999
# Any other number must be repeated so often, beside so many others, and lie so much farther off than they.
_REPEATED, _BESIDE, _FAR, _BEYOND = 3, 10, 10, 1000
# A parameter has two or three, one for each reason why there is no value.
_MOST = 8


@dataclass(frozen=True)
class Sentinel:
    """A number of one series that is no measurement, and how many rows have it."""

    pcode: str
    value: float
    count: int


def find(usable: pl.LazyFrame) -> list[Sentinel]:
    """Find the sentinels among the values of each series, as they were read (`raw`).

    They are the smallest or largest value of a series, and -9999, 9999 or the like far outside the others; or any
    number that occurs at least 3 times beside at least 10 others, and lies off them by ten times their range: a
    negative one where no other is, or one a thousand times as large as they.
    """
    values = usable.filter(pl.col("sign") == 0).select("pcode", "raw", "sign")
    sentinels: list[Sentinel] = []
    for _ in range(_MOST):
        outermost = _at_the_ends(values)
        if not outermost:
            break
        sentinels += outermost
        values = values.filter(~is_sentinel(outermost))
    return sorted(sentinels, key=lambda one: (one.pcode, one.value))


def count(usable: pl.LazyFrame, numbers: Sequence[float]) -> list[Sentinel]:
    """Count the numbers that a user names as sentinels, in each series that has them."""
    is_named = (pl.col("sign") == 0) & pl.col("raw").is_in(list(numbers))
    counts = usable.filter(is_named).group_by("pcode", "raw").len().collect(engine="streaming")
    return [Sentinel(str(pcode), raw, rows) for pcode, raw, rows in counts.sort("pcode", "raw").iter_rows()]


def is_sentinel(sentinels: Sequence[Sentinel]) -> pl.Expr:
    """Whether a row of `usable` has one of them; a bound has none."""
    by_value: dict[float, list[str]] = {}
    for one in sentinels:
        by_value.setdefault(one.value, []).append(one.pcode)
    code = pl.col("pcode").cast(pl.String)
    tests = [(pl.col("raw") == value) & code.is_in(codes) for value, codes in by_value.items()]
    return pl.any_horizontal(tests).fill_null(value=False) & (pl.col("sign") == 0)


def _at_the_ends(values: pl.LazyFrame) -> list[Sentinel]:
    """The smallest and the largest value of each series, where they are sentinels."""
    raw = pl.col("raw")
    ends = values.group_by("pcode").agg(raw.min().alias("low"), raw.max().alias("high")).collect(engine="streaming")
    within = pl.when(raw > pl.col("low"), raw < pl.col("high")).then(raw)
    at_low, at_high = raw == pl.col("low"), raw == pl.col("high")
    measured = values.join(ends.lazy(), on="pcode").with_columns(
        within.alias("within"), at_low.alias("rows low"), at_high.alias("rows high")
    )
    of_series = measured.group_by("pcode").agg(
        pl.col("low", "high").first(),
        pl.col("within").min().alias("least"),
        pl.col("within").max().alias("most"),
        pl.col("within").count().alias("others"),
        pl.col("rows low", "rows high").sum(),
    )
    sentinels = []
    for row in of_series.collect(engine="streaming").sort("pcode").iter_rows(named=True):
        low, high, others = row["low"], row["high"], row["others"]
        if low == high:
            # A series of nothing but -9999.
            is_all = low in _NEGATIVE and low <= _LONG
            sentinels += [Sentinel(str(row["pcode"]), low, row["rows low"])] if is_all else []
            continue
        least, most = (row["least"], row["most"]) if others else (high, low)
        above = (least, most if others and high in _POSITIVE else high)
        below = (least if others and low in _NEGATIVE else low, most)
        for value, rows, rest in ((low, row["rows low"], above), (high, row["rows high"], below)):
            if _stands_off(value, rows, others, rest):
                sentinels.append(Sentinel(str(row["pcode"]), value, rows))
    return sentinels


def _stands_off(value: float, rows: int, others: int, rest: tuple[float, float]) -> bool:
    """Whether a value that `rows` rows have is a sentinel; `rest` is the smallest and largest of the other values."""
    least, most = rest
    size = max(abs(least), abs(most))
    if value < least:
        apart = least - value
        if value in _NEGATIVE and (least >= 0 or apart > max(most - least, abs(value) / 2)):
            return True
        alone = value < 0 <= least
    else:
        apart = value - most
        if value in _POSITIVE and value > _FAR_ABOVE * size:
            return True
        alone = False
    enough = rows >= _REPEATED and others >= _BESIDE and most > least
    return enough and apart > _FAR * (most - least) and (alone or abs(value) > _BEYOND * size)
