"""Start and stop child processes of the stack, and find those that an earlier stack left behind."""

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
"""How long a part may take to start while its process is running: a busy machine may need minutes."""


class StackError(Exception):
    """The local stack or a part of it cannot run; the message is the reason and what to do."""


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
    """Start a process in its own process group, so that Ctrl-C does not reach it, with its output appended to `log`.

    `prefix` is a command that switches to another user and runs the command that follows.

    On Linux the process gets the signal `at_parents_death` when the starting thread ends for any reason. On other
    systems, the next start finds a leftover process by the file `record`.
    """
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", at_parents_death, *command]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*prefix, *command],  # in this order: the kernel clears the signal when the user changes
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
    """Return when `ready` is true. Raises StackError with the end of the log if the process ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"{name} did not start. The last lines of {log}:\n{tail(log)}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """Terminate a child and wait; kill it if it is still running after `seconds`."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def stop_strays(strays: Iterable[psutil.Process], how: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """Terminate processes that an earlier stack left behind; kill those that are still running after `seconds`."""
    strays = list(strays)
    for process in strays:
        _signal(process, how)
    for process in _alive_after(strays, seconds):
        _signal(process, signal.SIGKILL)
    _alive_after(strays, seconds)


def _alive_after(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until the processes have ended. Return those that are still running after `seconds`."""
    deadline = time.monotonic() + seconds
    # psutil's wait is not used, because it counts zombies as running.
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether the process is running. A zombie is not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, how: signal.Signals) -> None:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return  # it has already ended


def identity(pid: int) -> dict[str, JsonValue]:
    """Return an identity of the process that no later process with the same pid has; empty if it has ended."""
    try:
        return {"pid": pid, "create_time": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return {}


def recorded(record: Path) -> psutil.Process | None:
    """Return the process whose identity is in this file, or None if there is no such file or process."""
    kept = read_object(record)
    pid, create_time = kept.get("pid"), kept.get("create_time")
    if not isinstance(pid, int) or not isinstance(create_time, float):
        return None
    try:
        process = psutil.Process(pid)
        # Start times are computed from the boot time, which shifts slightly when the clock is set.
        return process if abs(process.create_time() - create_time) < 2 and is_alive(process) else None
    except psutil.NoSuchProcess:
        return None


def stop_recorded(record: Path) -> None:
    """End the process that an earlier stack recorded in this file, if it is still running."""
    process = recorded(record)
    if process is not None:
        stop_strays([process])
    record.unlink(missing_ok=True)


def tail(log: Path, lines: int = 15, *, since: int = 0) -> str:
    """Return the last lines of a log, for an error message, starting at byte `since` at the earliest."""
    try:
        text = log.read_bytes()[since:].decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
