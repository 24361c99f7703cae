"""How fast a table is profiled: `make bench-profile`.

100,000 and 5,000,000 rows of 19 columns (those of `transactions`), made by this script, as CSV. Each tool in a process
of its own, one after another, after a first run over few rows for all alike; seconds and the peak of memory are those
of that process, with its imports; at the smaller size those of the quickest of 3 runs.

- Assay: the whole pipeline `table` with all its outputs, and of it the part that makes the figures.
- ydata-profiling: `ProfileReport(minimal=True)` written as JSON, for 100,000 rows alone.
- DuckDB: `SUMMARIZE`, whose distinct and quantiles are estimates.
- pandas: what people write, vectorised: describe, value_counts, nunique, isna, duplicated, corr.
"""

# ruff: noqa: PLC0415 - each tool is imported by the process that measures it, and by no other
from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SIZES = (100_000, 5_000_000)
RUNS = {SIZES[0]: 3, SIZES[1]: 1}
SMALL_ALONE = ("ydata-profiling",)
PACKAGES = ("polars", "duckdb", "pandas", "ydata-profiling", "numpy")
# Each figure that has an aim: how many times faster or slower than what, and MB at the larger size.
LEAST_TIMES_YDATA = 15.0
MOST_TIMES_DUCKDB = 1.5
MOST_MB = 1600.0
_FIGURES = ("profiling the columns", "comparing the columns", "writing the profile")


@dataclass(frozen=True)
class Measured:
    """What one process took, and how its time was parted where it says so.

    CPU seconds are those of all its threads: what else the machine does adds little to them.
    """

    seconds: float
    cpu_seconds: float
    megabytes: float
    stages: dict[str, float]


def make(path: Path, rows: int) -> None:
    """Write `rows` orders; seeded, so that every run has the same."""
    import numpy as np
    import polars as pl

    dice = np.random.default_rng(7)
    days = np.datetime64("2021-01-01") + dice.integers(0, 1400, rows).astype("timedelta64[D]")
    product, quantity = dice.integers(0, 2000, rows), dice.integers(1, 20, rows)
    price = np.round(dice.lognormal(3, 1, rows), 2)
    loan = np.where(dice.random(rows) < 0.3, np.nan, np.round(dice.lognormal(9, 0.8, rows), 2))

    def pick(*names: str) -> pl.Series:
        return pl.Series(names).gather(dice.integers(0, len(names), rows))

    categories = pl.Series(["Electronics", "Furniture", "Clothing", "Food", "Books"])
    number = pl.Series(product).cast(pl.String)
    pl.DataFrame(
        {
            "order_id": "ORD-" + pl.Series(np.arange(rows)).cast(pl.String).str.zfill(8),
            "order_date": days,
            "region": pick("North", "South", "East", "West"),
            "country": pick("Germany", "France", "Spain", "Italy", "Poland", "Sweden", "Norway", "Austria"),
            "product_category": categories.gather(product % 5),
            "product_subcategory": "Sub " + pl.Series(product % 40).cast(pl.String),
            "product_id": "P" + number,
            "product_name": "Product number " + number,
            "quantity": quantity,
            "unit_price": price,
            "revenue": np.round(quantity * price, 2),
            "currency": pick("EUR", "USD", "GBP"),
            "customer_id": "C" + pl.Series(dice.integers(0, rows // 10, rows)).cast(pl.String),
            "channel": pick("web", "store", "phone", "partner"),
            "interest_rate": np.round(dice.uniform(1, 9, rows), 3),
            "loan_amount": pl.Series(loan).fill_nan(None),
            "success_rate": np.round(dice.beta(8, 2, rows), 4),
            "transaction_fee": np.round(dice.exponential(2, rows), 2),
            "fraud_flag": (dice.random(rows) < 0.01).astype(int),
        }
    ).write_csv(path)


def assay(path: Path) -> dict[str, float]:
    """Run the pipeline; returns the seconds of each of its stages."""
    from assay.contract import Outputs, Source, Sources
    from assay.datasets.table import pipeline

    stages: dict[str, float] = {}
    last, since = "start", time.perf_counter()

    def progress(_done: float, stage: str) -> None:
        nonlocal last, since
        now = time.perf_counter()
        stages[last] = stages.get(last, 0.0) + now - since
        last, since = stage, now

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        outputs = Path(folder) / "outputs"
        outputs.mkdir()
        source = Source(path, path.name, "0" * 64, path.stat().st_size)
        pipeline.run(Sources((source,)), pipeline.Parameters(), Outputs(outputs), progress)
        progress(1.0, "end")
    return stages


def ydata(path: Path) -> dict[str, float]:
    """Make the minimal report, as JSON."""
    import pandas as pd
    from ydata_profiling import ProfileReport

    ProfileReport(pd.read_csv(path), minimal=True, progress_bar=False).to_json()
    return {}


def duckdb(path: Path) -> dict[str, float]:
    """Summarise straight from the file."""
    import duckdb as engine

    engine.execute("SUMMARIZE SELECT * FROM read_csv(?)", [str(path)]).fetchall()
    return {}


def pandas(path: Path) -> dict[str, float]:
    """What people write, each column at once."""
    import pandas as pd

    frame = pd.read_csv(path, parse_dates=["order_date"])
    frame.describe(include="all")
    for name in frame:
        frame[name].value_counts()
    frame.nunique()
    frame.isna().sum()
    frame.duplicated().sum()
    frame.corr(numeric_only=True)
    return {}


TOOLS: dict[str, Callable[[Path], dict[str, float]]] = {
    "Assay": assay,
    "DuckDB SUMMARIZE": duckdb,
    "pandas, vectorised": pandas,
    "ydata-profiling": ydata,
}


def measure(tool: str, path: Path) -> Measured | None:
    """Run one tool in a process of its own; None where it failed, with what it said on stderr."""
    # With compiled modules, as where a tool is installed for use: to compile them takes longer than the smaller table.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(path.parent / "compiled")
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.profile_tables", tool, str(path)],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        _print(f"{tool} failed: {done.stderr.strip().splitlines()[-1:]}")
        return None
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(seconds, said["cpu_seconds"], said["megabytes"], said["stages"])


def _least(tool: str, path: Path, runs: int) -> Measured | None:
    """The quickest of several runs: what else the machine does only ever adds to one."""
    found = [one for _ in range(runs) if (one := measure(tool, path)) is not None]
    return min(found, key=lambda one: one.seconds, default=None)


def _made(path: Path, rows: int) -> None:
    """Make a file in a process of its own, for a child's peak of memory begins with its parent's."""
    subprocess.run([sys.executable, "-m", "benchmarks.profile_tables", str(rows), str(path)], check=True)


def _in_child(tool: str, path: Path) -> None:
    stages = TOOLS[tool](path)
    used = resource.getrusage(resource.RUSAGE_SELF)
    megabytes = used.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    _print(json.dumps({"cpu_seconds": used.ru_utime + used.ru_stime, "megabytes": megabytes, "stages": stages}))


def _aim(what: str, value: float, bound: float, *, least: bool) -> None:
    met = value >= bound if least else value <= bound
    sign = "at least" if least else "at most"
    _print(f"- {what}: {value:,.2f} (aim: {sign} {bound:g}): {'met' if met else 'MISSED'}")


def _compare(rows: int, found: dict[str, Measured], small: dict[str, Measured]) -> None:
    """Print one size; `small` is what was measured at the smaller one."""
    own = found["Assay"]
    figures = sum(own.stages.get(stage, 0.0) for stage in _FIGURES)
    _print(f"\n## {rows:,} rows of 19 columns\n")
    _print("| tool | seconds | CPU seconds | MB | Assay takes | of CPU |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for tool, one in found.items():
        times, cpu = own.seconds / one.seconds, own.cpu_seconds / one.cpu_seconds
        measured = f"{one.seconds:.2f} | {one.cpu_seconds:.2f} | {one.megabytes:,.0f}"
        _print(f"| {tool} | {measured} | {times:.2f} x | {cpu:.2f} x |")
    _print(f"\nOf Assay's time {figures:.2f} s make the figures; the rest reads, tells the types and writes the table:")
    _print("; ".join(f"{stage} {seconds:.2f}" for stage, seconds in own.stages.items()) + "\n")
    if "ydata-profiling" in found:
        times = found["ydata-profiling"].seconds / own.seconds
        _aim("times ydata-profiling's rate, over as many rows", times, LEAST_TIMES_YDATA, least=True)
    if rows == SIZES[-1]:
        if "ydata-profiling" in small:
            times = rows / own.seconds / (SIZES[0] / small["ydata-profiling"].seconds)
            what = f"times ydata-profiling's rate, which is that of {SIZES[0]:,} rows"
            _aim(what, times, LEAST_TIMES_YDATA, least=True)
        if "DuckDB SUMMARIZE" in found:
            times = own.seconds / found["DuckDB SUMMARIZE"].seconds
            _aim("times SUMMARIZE's time", times, MOST_TIMES_DUCKDB, least=False)
        _aim("MB at the peak", own.megabytes, MOST_MB, least=False)


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure every tool at every size and print the table."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    _print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores; {versions}")
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "orders-few.csv"
        _made(few, 1_000)
        for tool in TOOLS:
            measure(tool, few)
        small: dict[str, Measured] = {}
        for rows in SIZES:
            path = Path(folder) / f"orders-{rows}.csv"
            _made(path, rows)
            tools = [tool for tool in TOOLS if rows == SIZES[0] or tool not in SMALL_ALONE]
            found = {tool: one for tool in tools if (one := _least(tool, path, RUNS[rows])) is not None}
            small = small or found
            _compare(rows, found, small)
            path.unlink()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [rows, path] if rows.isdigit():
            make(Path(path), int(rows))
        case [tool, path]:
            _in_child(tool, Path(path))
