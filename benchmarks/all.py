"""All benchmarks of the data engine, one after the other, into benchmarks/results.md: `make bench-all`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import described

RESULTS = Path(__file__).with_name("results.md")
# Module and the target of make that runs it alone.
MODULES = {
    "csv_files": "bench-csv",
    "profile_tables": "bench-profile",
    "stations": "bench-stations",
}


def main() -> None:
    """Run each module in a separate process and write its output. Raises CalledProcessError if one fails."""
    head = (
        f"Written by `make bench-all` on {described()}. Ratios are what counts: a table is of one run on one machine."
    )
    parts = ["# What the benchmarks found\n", head + "\n"]
    for module, target in MODULES.items():
        began = time.perf_counter()
        command = [sys.executable, "-m", f"benchmarks.{module}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        minutes = (time.perf_counter() - began) / 60
        parts.append(f"## `make {target}` ({minutes:.0f} min)\n\n{done.stdout.strip()}\n")
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
