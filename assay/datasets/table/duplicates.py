"""Rows that repeat an earlier one, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay.datasets.table.counts import scan

_LISTED = 20
_SEEDS = (1, 2)


@dataclass(frozen=True)
class Duplicates:
    """`rows` that repeat an earlier one, in `groups` of equal ones, and the first of them by number, up to 20.

    Rows are compared by two hashes of 64 bits, so that one in 10**20 tables may have a row too many here.
    """

    rows: int
    groups: int
    first: tuple[int, ...]


def duplicates(path: Path) -> Duplicates:
    """Compare the rows of a Parquet file; row 1 is its first."""
    rows = scan(path)
    hashes = [pl.struct(pl.all()).hash(seed).alias(f"hash {seed}") for seed in _SEEDS]
    first = rows.select(hashes[0]).collect(engine="streaming").to_series()
    # Equal rows have equal hashes: where none is there twice, no row is.
    if first.n_unique() == first.len():
        return Duplicates(0, 0, ())
    both = rows.select(hashes).collect(engine="streaming").with_row_index("row", offset=1)
    keys = [f"hash {seed}" for seed in _SEEDS]
    again = both.filter(~both.select(pl.struct(keys).is_first_distinct()).to_series())
    return Duplicates(again.height, again.select(pl.struct(keys).n_unique()).item(), tuple(again["row"].head(_LISTED)))
