"""Synthetic measurements in the 17-column format of loggers: every 15 minutes, most other columns blank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

STATIONS, CODES = 8, 12
COLUMNS = ["Station_ID", "Date_Time", "PCode", "Result", "LEW_Pct", "Depth_M", "Agency", "CCode", "LCode", "SCode"]
COLUMNS += ["QCode", "RCode", "Validated", "Create_Update", "Owner", "Track_ID", "Selected_By"]
_CHUNK = 1_000_000
_QUARTER = 15 * 60 * 1_000_000


def write(path: Path, rows: int) -> None:
    """Write `rows` rows in order of time, the same on every run.

    8 stations with 12 parameter codes each; of the results 0.5 % are blank, 0.05 % a word, 0.1 % far off; 0.1 % of the
    rows repeat the one before.
    """
    with path.open("wb") as file:
        for number, start in enumerate(range(0, rows, _CHUNK)):
            _chunk(start, min(start + _CHUNK, rows)).write_csv(file, include_header=number == 0)


def _chunk(start: int, stop: int) -> pl.DataFrame:
    dice = np.random.default_rng(start)
    at = np.arange(start, stop)
    again = dice.random(at.size) < 0.001
    again[0] = False
    at[again] -= 1
    code, station, quarter = at % CODES, at // CODES % STATIONS, at // (CODES * STATIONS)
    swing = np.sin(quarter / 96 * 2 * np.pi / 365) + 0.2 * np.sin(quarter / 96 * 2 * np.pi)
    value = np.round(3 * (code + 1) * (1 + 0.3 * swing) + dice.normal(0, 0.4, at.size), 3)
    value[dice.random(at.size) < 0.001] *= 6
    value[again] = value[np.flatnonzero(again) - 1]
    odd = dice.random(at.size)
    frame = pl.DataFrame({"code": code, "station": station, "quarter": quarter, "value": value, "odd": odd})
    column = pl.col
    made = {
        "Station_ID": pl.format("ST{}", (column("station") + 1).cast(pl.String).str.zfill(2)),
        "Date_Time": (pl.datetime(2020, 1, 1) + pl.duration(microseconds=column("quarter") * _QUARTER)).dt.to_string(
            "%Y-%m-%d %H:%M:%S"
        ),
        "PCode": pl.format("Data {}", column("code") + 1),
        "Result": pl.when(column("odd") < 0.005)
        .then(pl.lit(""))
        .when(column("odd") < 0.0055)
        .then(pl.lit("ND"))
        .otherwise(column("value").cast(pl.String)),
        "Depth_M": pl.when(column("code") == 0).then(pl.lit("0.5")),
        "Agency": pl.lit("FIELD"),
        "LCode": pl.lit("L1"),
        "Validated": pl.when(column("odd") < 0.8).then(pl.lit("Y")).otherwise(pl.lit("N")),
    }
    return frame.select(made.get(name, pl.lit(None, pl.String)).alias(name) for name in COLUMNS)
