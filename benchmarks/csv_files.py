"""How many polluted CSV files Assay and three other tools read correctly.

`make bench-csv`. The files are made from a seed; every reader gets the file and nothing else. A file is right if all
its rows are, the header first where there is one, in their order, cell by cell, blanks at a row's end aside. F1 is that
of the header's cells, of whole records and of cells, each as multisets. Needs clevercsv, duckdb and pandas beside.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from random import Random

import clevercsv
import duckdb
import pandas as pd

from assay.contract import Source
from assay.errors import Unprocessable
from assay.formats import open_table
from benchmarks.csv_layouts import LAYOUTS
from benchmarks.csv_pollution import POLLUTIONS
from benchmarks.csv_tables import clean_tables

_SEEDS = 2
_KINDS = POLLUTIONS | LAYOUTS
Rows = list[list[str]]
Reader = Callable[[Path], Rows]


def by_assay(path: Path) -> Rows:
    """Read as `assay read` does."""
    source = Source(path, path.name, "", path.stat().st_size)
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = open_table(source, lambda _names: 0.0, Path(folder), lambda _done: None)
        except Unprocessable as problem:
            if problem.code == "empty_file":
                return []
            raise
        rows = [[cell or "" for cell in row] for row in table.frame.drop("row", "fault").collect().rows()]
    header = [] if table.facts["header_line"] is None else [list(table.columns)]
    return header + [row for row in rows if any(cell.strip() for cell in row)]


def by_clevercsv(path: Path) -> Rows:
    """Read by the dialect that CleverCSV finds; it does not look for a header."""
    return [list(row) for row in clevercsv.read_table(str(path)) if any(cell.strip() for cell in row)]


def by_duckdb(path: Path) -> Rows:
    """Read by DuckDB's sniffer, as text and as leniently as it can."""
    found = duckdb.connect().execute(
        "SELECT * FROM read_csv(?, all_varchar=true, ignore_errors=true, null_padding=true, strict_mode=false)",
        [str(path)],
    )
    names = [column[0] for column in found.description or []]
    rows = [[cell or "" for cell in row] for row in found.fetchall()]
    header = [] if all(re.fullmatch(r"column\d+", name) for name in names) else [names]
    return header + [row for row in rows if any(cell.strip() for cell in row)]


def by_pandas(path: Path) -> Rows:
    """Read by pandas, which takes the delimiter from Python's sniffer."""
    frame = pd.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False, on_bad_lines="skip")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    rows = frame.to_numpy().tolist()
    return [[str(name) for name in frame.columns]] + [[str(cell) for cell in row] for row in rows]


READERS: dict[str, Reader] = {
    "Assay": by_assay, "CleverCSV": by_clevercsv, "DuckDB": by_duckdb, "pandas": by_pandas,
}  # fmt: skip


def _trimmed(rows: Rows) -> Rows:
    found = []
    for row in rows:
        cells = [cell.replace("\r\n", "\n") for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        found.append(cells)
    return found


def _f1(expected: Iterable[Hashable], found: Iterable[Hashable]) -> float:
    wanted, got = Counter(expected), Counter(found)
    if not wanted and not got:
        return 1.0
    return 2 * (wanted & got).total() / (wanted.total() + got.total())


def scores(expected: Rows, found: Rows) -> tuple[float, float, float, float]:
    """Right or not, and F1 of header, records and cells."""
    expected, found = _trimmed(expected), _trimmed(found)
    header = _f1(expected[0] if expected else [], found[0] if found else [])
    records = _f1(map(tuple, expected[1:]), map(tuple, found[1:]))
    cells = _f1((cell for row in expected for cell in row), (cell for row in found for cell in row))
    return float(expected == found), header, records, cells


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _mean(values: Sequence[Sequence[float]], at: int) -> float:
    return sum(one[at] for one in values) / len(values)


def main() -> None:
    """Make the files, read them, and print the shares."""
    warnings.simplefilter("ignore")
    found: dict[str, dict[str, list[tuple[float, float, float, float]]]] = {name: defaultdict(list) for name in READERS}
    seconds = dict.fromkeys(READERS, 0.0)
    files = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        for seed in range(_SEEDS):
            for table in clean_tables(seed):
                for name, pollute in _KINDS.items():
                    polluted = pollute(table, Random(f"{seed} {table.kind} {name}"))  # noqa: S311  # no secret
                    if polluted is None:
                        continue
                    files += 1
                    path.write_bytes(polluted.content)
                    for reader, read in READERS.items():
                        begun = time.perf_counter()
                        try:
                            rows = read(path)
                        except Exception:  # noqa: BLE001  # whatever a reader raises, it has not read the file
                            rows = [[]]
                        seconds[reader] += time.perf_counter() - begun
                        found[reader][name].append(scores(polluted.expected, rows))
    _report(found, files, seconds)


def _report(
    found: dict[str, dict[str, list[tuple[float, float, float, float]]]], files: int, seconds: dict[str, float]
) -> None:
    _say("```text")
    _say(f"{files:,} files; the share that is right, in %")
    _say(f"{'':34}" + "".join(f"{reader:>11}" for reader in READERS))
    for name in _KINDS:
        _say(f"{name:34}" + "".join(f"{100 * _mean(found[reader][name], 0):11.1f}" for reader in READERS))
    for at, what in enumerate(("right", "F1 of headers", "F1 of records", "F1 of cells")):
        every = {reader: [one for scored in found[reader].values() for one in scored] for reader in READERS}
        _say(f"{'all: ' + what:34}" + "".join(f"{100 * _mean(every[reader], at):11.1f}" for reader in READERS))
    _say(f"{'milliseconds a file':34}" + "".join(f"{1000 * seconds[reader] / files:11.1f}" for reader in READERS))
    _say("```")


if __name__ == "__main__":
    main()
