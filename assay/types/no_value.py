"""Numbers such as -999 that stand for no value, told from numbers that are meant."""

from __future__ import annotations

import polars as pl

from assay.types.kinds import SENTINELS

# Below this no other value of the column may be.
_FAR = -99


def sentinels_in(frame: pl.LazyFrame, name: str) -> list[float]:
    """The numbers of a column of text that stand for no value; none where they may be meant.

    No other value is as far from zero, or they recur where none is negative. A refund of 999 is no such number: a sale
    of 999 stands in its column.
    """
    real = pl.col(name).cast(pl.Float64, strict=False)
    is_sentinel, is_other = real.is_in(SENTINELS), real.is_finite() & ~real.is_in(SENTINELS)
    asked = {
        "sentinels": real.filter(is_sentinel).unique().implode(),
        "times": is_sentinel.sum(),
        "opposites": (-real).is_in(SENTINELS).sum(),
        "lowest": real.filter(is_other).min(),
        "highest": real.filter(is_other).max(),
    }
    found = frame.select(**asked).collect(engine="streaming").row(0, named=True)
    sentinels = sorted(found["sentinels"], reverse=True)
    if found["opposites"] or found["lowest"] is None:
        return []
    is_far = found["lowest"] > _FAR and found["highest"] < -sentinels[0]
    return sentinels if is_far or (found["lowest"] >= 0 and found["times"] > 1) else []
