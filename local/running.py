"""Which stack is running on a folder. Light to import, for commands that only call the stack's API."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from assay.write.private import read_object, write_object, write_private
from local import processes
from local.home import make_private

_STATE = "stack.json"
_STEP = "starting.txt"


def running_stack(home: Path) -> str | None:
    """Return the URL of the stack on this folder, or None if none is running."""
    state = home / _STATE
    url = read_object(state).get("url")
    return str(url) if url and processes.recorded(state) else None


def announce(home: Path, url: str, *, embedded_database: bool) -> None:
    """Record that this process is the folder's stack, and whether it uses the folder's database."""
    state = {**processes.identity(os.getpid()), "url": url, "embedded_database": embedded_database}
    write_object(home / _STATE, state)
    (home / _STEP).unlink(missing_ok=True)


def has_embedded_database(home: Path) -> bool:
    """Whether the stack on this folder uses the folder's database, instead of DATABASE_URL."""
    return read_object(home / _STATE).get("embedded_database") is True


def write_step(home: Path, step: str) -> None:
    """Record the current step of the stack that is starting on this folder."""
    write_private(home / _STEP, step)


def read_step(home: Path) -> str:
    """Return the current step of the stack that is starting on this folder; empty if none is."""
    try:
        return (home / _STEP).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def is_announced(home: Path) -> bool:
    """Whether this process is still recorded as the folder's stack."""
    return read_object(home / _STATE).get("pid") == os.getpid()


def withdraw(home: Path) -> None:
    """Remove the record if it is of this process."""
    if is_announced(home):
        (home / _STATE).unlink()


def stop_running(home: Path, seconds: float = 20) -> bool:
    """Stop the stack on this folder, whoever started it. Return whether there was one."""
    process = processes.recorded(home / _STATE)
    if process is None:
        return False
    processes.stop_strays([process], seconds=seconds)
    return True


def is_locked(home: Path) -> bool:
    """Whether a stack is running, starting or stopping on this folder."""
    try:
        lock(make_private(home)).close()
    except processes.StackError:
        return True
    return False


def lock(home: Path) -> IO[bytes]:
    """Lock the folder until the file is closed or the process ends. Raises StackError if another process has it."""
    file = (home / "lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise processes.StackError(
            f"A stack already runs on {home}: use it, stop it with `assay down`, or set ASSAY_HOME to another folder."
        ) from error
    return file
