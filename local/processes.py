"""Child processes of the stack: started, stopped, and recognised again when an earlier stack left them behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil
from pydantic import JsonValue

from assay.write.private import read_object, write_object

START_SECONDS = 300
"""How long a part may take to start while its process lives: a loaded machine needs minutes."""


class StackError(Exception):
    """The embedded stack, or a part of it, cannot run; the message says why and what to do."""


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    at_parents_death: str = "TERM",
    cwd: Path | None = None,
    record: Path | None = None,
    prefix: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start a process with its output appended to `log`, in a process group of its own (Ctrl-C is for us alone).

    `prefix` is a command that makes itself another user and then runs the command behind it.

    On Linux it gets the signal `at_parents_death` when the starting thread ends, however that happens. Elsewhere the
    next start finds by `record` (a file that is written then) what is left over.
    """
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", at_parents_death, *command]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*prefix, *command],  # in this order: the kernel forgets the signal when the user changes
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            process_group=0,
        )
    if record is not None:
        write_object(record, identity(process.pid))
    return process


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str, log: Path) -> None:
    """Return when `ready` is true. Raises StackError, with the log's end, if the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"{name} did not start. The last lines of {log}:\n{tail(log)}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """Ask a child to end and wait; kill it if it is still there after `seconds`."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stop_strays(strays: Iterable[psutil.Process], how: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """End processes that an earlier stack left behind; kill those that are still there after `seconds`."""
    found = list(strays)
    for process in found:
        _signal(process, how)
    for process in _alive_after(found, seconds):
        _signal(process, signal.SIGKILL)
    _alive_after(found, seconds)


def _alive_after(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until the processes have ended; return those that have not after `seconds`."""
    deadline = time.monotonic() + seconds
    # Not psutil's own wait: it takes a process for alive that ended and that its parent has not asked after yet.
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs; one that ended and that its parent has not asked after yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, how: signal.Signals) -> None:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return  # it ended by itself, which is what was wanted


def identity(pid: int) -> dict[str, JsonValue]:
    """Return what tells this process from a later one with the same pid, to be kept in a file; empty if it is gone."""
    try:
        return {"pid": pid, "create_time": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {}


def recorded(record: Path) -> psutil.Process | None:
    """Return the process whose identity this file keeps, or None if there is no such file or process."""
    kept = read_object(record)
    pid, create_time = kept.get("pid"), kept.get("create_time")
    if not isinstance(pid, int) or not isinstance(create_time, float):
        return None
    try:
        process = psutil.Process(pid)
        # Start times are reckoned from the boot time, which moves a little when the clock is set.
        return process if abs(process.create_time() - create_time) < 2 and is_alive(process) else None
    except psutil.NoSuchProcess:
        return None


def stop_recorded(record: Path) -> None:
    """End the process that an earlier stack recorded in this file and left behind, if it is there."""
    process = recorded(record)
    if process is not None:
        stop_strays([process])
    record.unlink(missing_ok=True)


def tail(log: Path, lines: int = 15, *, since: int = 0) -> str:
    """Last lines of a log, for an error message; none from before the byte `since`."""
    try:
        text = log.read_bytes()[since:].decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
