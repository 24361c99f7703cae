"""How fast the pipeline of station measurements is: `make bench-stations`.

1M and 10M rows of the 17-column form through the whole pipeline with all its outputs, beside (a) a pandas script that
hashes the rows in a loop, as people write it, on 100,000 rows and scaled; (b) pandas by columns; (c) DuckDB; (d) the
bare job in Polars. Of all outputs (a) to (d) write the tables as CSV, the lineage as CSV, and hash the file: see
stations_jobs.py. Each runs in a process of its own, one after the other.

Aims for the whole pipeline: 60 times as fast as (a), faster than (c), within 1.5 times (d); 10M rows in under 1.5 GB
of RSS; time that grows no more than linearly.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stations_data
from benchmarks.machine import described

LOOPED = 100_000
SIZES = (1_000_000, 10_000_000)
RUNS = {1_000_000: 3, 10_000_000: 1}
NAMES = {
    "assay": "Assay, all outputs",
    "pandas_rows": "(a) pandas with iterrows",
    "pandas_vectors": "(b) pandas by columns",
    "duckdb_sql": "(c) DuckDB",
    "polars_bare": "(d) bare Polars",
}
# It needs about 6 GB for 10M rows, and what it does with them is no question of this benchmark.
_ONLY_SMALL = "pandas_vectors"
_MOST_RSS_MB = 1500


@dataclass(frozen=True)
class Took:
    """What one job took: seconds by the clock, seconds of CPU, and the peak of RSS in MB, of the fastest run."""

    seconds: float
    cpu: float
    rss_mb: float


def measure(job: str, file: Path, runs: int) -> Took:
    """Run a job so many times, each in a process and a folder of its own."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            outputs = Path(folder) / "outputs"
            outputs.mkdir()
            command = [sys.executable, "-m", "benchmarks.stations_jobs", job, str(file), str(outputs)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(Took(**json.loads(done.stdout)))
    return min(found, key=lambda took: took.seconds)


def main() -> None:
    """Print the table of all jobs and sizes, and how each aim was met, as Markdown."""
    measured: dict[tuple[str, int], Took] = {}
    with tempfile.TemporaryDirectory() as folder:
        looped = Path(folder) / "looped.csv"
        stations_data.write(looped, LOOPED)
        once = measure("pandas_rows", looped, 1)
        for rows in SIZES:
            file = Path(folder) / f"{rows}.csv"
            stations_data.write(file, rows)
            scale = rows / LOOPED
            measured["pandas_rows", rows] = Took(once.seconds * scale, once.cpu * scale, once.rss_mb)
            for job in NAMES:
                if job != "pandas_rows" and (job != _ONLY_SMALL or rows == SIZES[0]):
                    measured[job, rows] = measure(job, file, RUNS[rows])
            file.unlink()
    sys.stdout.write(
        f"{described('polars', 'polars-hash', 'pandas', 'duckdb')}\n\n{_table(measured)}\n{_aims(measured)}"
    )


def _table(measured: dict[tuple[str, int], Took]) -> str:
    lines = ["| job | rows | s | CPU s | peak RSS, MB | Assay's time to its |", "| --- | --- | --- | --- | --- | --- |"]
    for rows in SIZES:
        ours = measured["assay", rows].seconds
        for job, name in NAMES.items():
            if took := measured.get((job, rows)):
                scaled = f" ({LOOPED:,} scaled)" if job == "pandas_rows" else ""
                rss = "" if job == "pandas_rows" else f"{took.rss_mb:,.0f}"
                ratio = "" if job == "assay" else f"{ours / took.seconds:.3g}"
                lines.append(f"| {name}{scaled} | {rows:,} | {took.seconds:.2f} | {took.cpu:.2f} | {rss} | {ratio} |")
    return "\n".join(lines) + "\n"


def _aims(measured: dict[tuple[str, int], Took]) -> str:
    lines = ["| aim | found | met |", "| --- | --- | --- |"]

    def add(aim: str, found: str, *, met: bool) -> None:
        lines.append(f"| {aim} | {found} | {'yes' if met else 'no'} |")

    for rows in SIZES:
        ours, million = measured["assay", rows], f"{rows // 1_000_000}M rows"
        ratio = {job: measured[job, rows].seconds / ours.seconds for job in NAMES if (job, rows) in measured}
        rate = ratio["pandas_rows"]
        add(f"{million}: 60 times as fast as (a)", f"{rate:.1f} times", met=rate >= 60)
        add(f"{million}: faster than (c)", f"{1 / ratio['duckdb_sql']:.2f} of its time", met=ratio["duckdb_sql"] > 1)
        bare = 1 / ratio["polars_bare"]
        add(f"{million}: within 1.5 times (d)", f"{bare:.2f} times", met=bare <= 1.5)
    small, large = (measured["assay", rows] for rows in SIZES)
    growth = large.seconds / small.seconds
    add(f"10M rows in under {_MOST_RSS_MB:,} MB", f"{large.rss_mb:,.0f} MB", met=large.rss_mb < _MOST_RSS_MB)
    add("10 times the rows in at most 10 times the time", f"{growth:.1f} times", met=growth <= SIZES[1] / SIZES[0])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
