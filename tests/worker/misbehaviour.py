"""The child with an analysis that misbehaves: `python -m tests.worker.misbehaviour START`.

The request's parameter `do` names one of the functions below; without it the analysis is the real one.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import polars as pl
import pytest

from assay import run as analysis
from assay.contract import Progress, Sources
from assay.errors import Unprocessable
from functions.process.sandbox import child, parent
from functions.process.sandbox.messages import Start

CELL = "a cell of the file"


def let_it_misbehave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the worker start this module in place of the child's own."""
    monkeypatch.setattr(parent, "_MODULE", __name__)


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def panic() -> None:
    raise pl.exceptions.PanicException(CELL)


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def be_terminated() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def exit_without_a_word() -> None:
    os._exit(3)


def have_a_bug() -> None:
    try:
        pl.Series([CELL]).cast(pl.Int64)
    except pl.exceptions.PolarsError as error:
        raise ValueError(CELL) from error


def allocate_at_once() -> None:
    bytearray(2 << 30)


def allocate_natively() -> None:
    pl.int_range(0, 1 << 37, eager=True)


def allocate_bit_by_bit() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def reach_the_limit_and_wait(memory_bytes: int) -> None:
    """Take a little more than the limit, and less than the hard one."""
    kept = []
    while (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE") < memory_bytes
    ):
        kept.append(bytearray(1 << 20))
    wait()


def write_too_much() -> None:
    """A byte behind a hole: the file is large, and the disk does not fill."""
    with Path("large").open("wb") as file:
        file.seek(6 << 30)
        file.write(b"x")


def write_too_much_natively() -> None:
    _numbers().sink_parquet("large.parquet", engine="streaming")


def fill_the_disk() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")


def fill_the_disk_natively() -> None:
    _numbers().sink_parquet("/dev/full", engine="streaming")


def open_too_many() -> None:
    kept: list[IO[str]] = []
    while len(kept) < 200:
        kept.append(Path(__file__).open(encoding="utf-8"))  # noqa: SIM115  # the point is not to close it


def spin() -> None:
    while True:
        pass


def wait() -> None:
    """Hold Python's lock for ever: nothing in this process gets to run."""
    ctypes.PyDLL(None).pause()


def crash_with_cells_on_stderr() -> None:
    for _ in range(10_000):
        os.write(2, f"{CELL}\n".encode())
    os.write(2, f"thread '<unnamed>' panicked at src/lib.rs:1:2:\n{CELL}\n".encode())
    segfault()


def print_much() -> None:
    """More than a pipe holds, as native code does it."""
    for _ in range(20):
        os.write(1, b'{"kind": "told"}\n' * 10_000)
    raise Unprocessable("printed", "printed", "printed")


def tell_nonsense() -> None:
    os.write(Start.model_validate_json(sys.argv[1]).answers_fd, f"{CELL}\n".encode())
    wait()


def tell_without_end() -> None:
    while True:
        os.write(Start.model_validate_json(sys.argv[1]).answers_fd, bytes(1 << 16))


def show_environment() -> None:
    raise Unprocessable("environment", json.dumps(dict(os.environ)), "none")


def start_a_child_and_wait() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    grandchild = subprocess.Popen(command)
    Path("grandchild").write_text(str(grandchild.pid), encoding="utf-8")
    wait()


def _numbers() -> pl.LazyFrame:
    return pl.LazyFrame({"number": range(3_000_000)}).with_columns(pl.col("number").cast(pl.String).alias("text"))


def _misbehave(
    sources: Sources,
    requested_dataset_type: str | None,
    parameters: Mapping[str, Any],
    folder: Path,
    progress: Progress,
    on_detection: Callable[[Any], None],
    remembered: Sequence[Any],
) -> object:
    given = dict(parameters)
    name = given.pop("do", None)
    if name is None:
        return _analyse(sources, requested_dataset_type, given, folder, progress, on_detection, remembered)
    os.chdir(folder)
    progress(0.5, "misbehaving")
    globals()[name](**given)
    raise AssertionError(f"{name} ended")


_analyse = analysis.analyse

if __name__ == "__main__":
    analysis.analyse = _misbehave  # type: ignore[assignment]  # what it does is not what that promises
    child.main()
