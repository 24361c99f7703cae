"""Which rows break which checks, in files and flags whose size does not grow with what is in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from assay.checks.rules import Check
from assay.formats.registry import Flags

# Rows whose keys are compared at a time: bounds the memory, at one more pass over the keys for each so many.
_KEYS_A_PASS = 4_000_000
_SEEDS = (1, 2)


def flagged(flags: Flags) -> pl.Expr:
    """Whether a row's flag is set, by its number."""
    return pl.col("row").map_batches(
        lambda rows: pl.Series(flags[rows.to_numpy()]), return_dtype=pl.Boolean, is_elementwise=True
    )


def repeated(frame: pl.LazyFrame, key: pl.Expr, last: int, path: Path) -> Flags:
    """Flag the rows whose key an earlier row has; `last` is the greatest row number, `path` takes the keys' hashes.

    Keys are compared by two hashes of 64 bits, so that one in 10**20 tables may have a row too many here.
    """
    names = [f"hash {seed}" for seed in _SEEDS]
    hashes = [pl.col("key").hash(seed).alias(name) for seed, name in zip(_SEEDS, names, strict=True)]
    keys = frame.select("row", key.alias("key")).filter(pl.col("key").is_not_null())
    keys.select("row", *hashes).sink_parquet(path, compression="lz4", statistics=False)
    flags = np.zeros(last + 1, np.bool_)
    passes = max(1, -(-last // _KEYS_A_PASS))
    for share in range(passes):
        part = (
            pl.scan_parquet(path, glob=False)
            .filter(pl.col(names[0]) % passes == share)
            .collect(engine="streaming")
            .sort("row")
        )
        again = part.filter(~part.select(pl.struct(names).is_first_distinct()).to_series())
        flags[again["row"].to_numpy()] = True
    return flags


def sink_violations(
    frame: pl.LazyFrame, width: int, made: Sequence[Check], broken: Sequence[pl.Expr], path: Path
) -> None:
    """Write row, code (a check's place in `made`) and value, in the order of the rows and then of the checks."""
    cells = [str(at) for at in range(width)]
    names = [f"broken {code}" for code in range(len(broken))]
    flags = frame.select("row", "fault", *cells, *(one.alias(name) for one, name in zip(broken, names, strict=True)))
    codes = [pl.when(name).then(pl.lit(code, pl.UInt32)) for code, name in enumerate(names)]
    rows = flags.filter(pl.any_horizontal(names)).select("row", "fault", *cells, pl.concat_list(codes).alias("code"))
    each = rows.explode("code").filter(pl.col("code").is_not_null())
    of = {
        positions: [code for code, one in enumerate(made) if one.positions == positions]
        for positions in (one.positions for one in made)
    }
    values = [
        pl.when(pl.col("code").is_in(some)).then(
            pl.concat_str([pl.col(str(at)) for at in positions], separator=" | ", ignore_nulls=True)
            if positions
            else pl.col("fault")
        )
        for positions, some in of.items()
    ]
    each.select("row", "code", pl.coalesce(values).alias("value")).sink_parquet(
        path, compression="lz4", statistics=False, maintain_order=True
    )


def refused_rows(path: Path, made: Sequence[Check], last: int) -> Flags:
    """Flag the rows that break a check which is an error."""
    errors = [code for code, check in enumerate(made) if check.severity == "error"]
    rows = pl.scan_parquet(path, glob=False).filter(pl.col("code").is_in(errors)).select("row").unique()
    flags = np.zeros(last + 1, np.bool_)
    flags[rows.collect(engine="streaming")["row"].to_numpy()] = True
    return flags
