"""Usable rows, as rows.py makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

MARKS = {"<": -1, "≤": -2, ">": 1, "≥": 2}


def usable(rows: Sequence[tuple[str, str, str, str]]) -> pl.LazyFrame:
    """Make rows of station, moment, parameter and result, such as `4.1`, `<0.5` or `ND`."""
    signs = [MARKS.get(result[0], -1 if result == "ND" else 0) for *_, result in rows]
    numbers = [None if result == "ND" else float(result.lstrip("<≤>≥")) for *_, result in rows]
    return pl.LazyFrame(
        {
            "row": range(1, len(rows) + 1),
            "station": [row[0] for row in rows],
            "pcode": [row[2] for row in rows],
            "date_time": [datetime.fromisoformat(row[1]) for row in rows],
            "result": pl.Series(numbers, dtype=pl.Float64),
            "raw": pl.Series(numbers, dtype=pl.Float64),
            "sign": pl.Series(signs, dtype=pl.Int8),
        }
    )


def of_a_day(*results: str) -> pl.LazyFrame:
    return usable([("CT", f"2024-01-01 {hour:02d}:00", "A", result) for hour, result in enumerate(results)])
