"""The queue's poller with functions/process in it, as local.aws.poller runs it, and a fault at one step of the way.

`python -m tests.faults.worker STEP kill` ends itself by SIGKILL when it comes to the step; `... pause` writes a line
and waits for one, so that the test may do something meanwhile; `... stop` stops by SIGSTOP, with all its threads. Each
happens once. `- none` is a worker like any other.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import botocore.auth
import botocore.compat

from functions.process.upkeep import sweeper as sweep
from functions.process.worker import arrivals as news
from functions.process.worker import job as work
from functions.process.worker.attempt import Attempt
from local.aws import poller
from shared.object_store import ObjectStore

_HOUR = 3600


def _once(happen: Callable[[], None], count: int = 1) -> Callable[[], None]:
    left = [count]

    def once() -> None:
        left[0] -= 1
        if left[0] == 0:
            happen()

    return once


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _pause() -> None:
    sys.stdout.write("paused\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _before(owner: Any, name: str, happen: Callable[[], None]) -> None:  # a module or a class
    original = getattr(owner, name)

    def replaced(*args: Any, **kwargs: Any) -> Any:
        happen()
        return original(*args, **kwargs)

    patch.object(owner, name, replaced).start()


def _after(owner: Any, name: str, happen: Callable[[], None]) -> None:  # a module or a class
    original = getattr(owner, name)

    def replaced(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        happen()
        return answer

    patch.object(owner, name, replaced).start()


def _mid_download(happen: Callable[[], None]) -> None:
    original = ObjectStore.download

    def download(self: ObjectStore, key: str, path: Path, received: Callable[[int], None]) -> str:
        def seen(count: int) -> None:
            happen()
            received(count)

        return original(self, key, path, seen)

    patch.object(ObjectStore, "download", download).start()


STEPS: dict[str, Callable[[Callable[[], None]], None]] = {
    "between the news and its hints": lambda happen: _before(news, "send_hint", happen),
    "after the claim": lambda happen: _before(work, "_run", happen),
    "in the midst of the download": _mid_download,
    "in the midst of the pipeline": lambda happen: _after(Attempt, "detected", happen),
    "between two outputs": lambda happen: _before(ObjectStore, "put_file", _once(happen, 2)),
    "before finish_job": lambda happen: _before(Attempt, "finish", happen),
    "after finish_job": lambda happen: _after(Attempt, "finish", happen),
    "between the sweep and its hints": lambda happen: _before(sweep, "send_hint", happen),
    "between deleting objects and saying so": lambda happen: _after(ObjectStore, "delete_prefix", happen),
}


def _disk_full() -> None:
    """Let the first file that is downloaded meet a full disk, which only a file system of one's own could show."""
    original = ObjectStore.download
    full = [True]

    def download(self: ObjectStore, key: str, path: Path, received: Callable[[int], None]) -> str:
        def seen(count: int) -> None:
            if full.pop() if full else False:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            received(count)

        return original(self, key, path, seen)

    patch.object(ObjectStore, "download", download).start()


def _skew(seconds: int) -> None:
    """Set the process's clocks off, as far as Python's time and the signatures of requests go by them."""
    now, time_now = botocore.compat.get_current_datetime, time.time

    def later(*args: Any, **kwargs: Any) -> Any:
        return now(*args, **kwargs) + timedelta(seconds=seconds)

    patch.object(botocore.compat, "get_current_datetime", later).start()
    patch.object(botocore.auth, "get_current_datetime", later).start()
    patch.object(time, "time", lambda: time_now() + seconds).start()


def main(step: str, what: str) -> None:
    """Poll with the fault in place."""
    if what == "disk full":
        _disk_full()
    elif what == "clock an hour fast":
        _skew(_HOUR)
    elif what == "clock an hour slow":
        _skew(-_HOUR)
    elif what != "none":
        STEPS[step](_once({"kill": _kill, "pause": _pause, "stop": _stop}[what]))
    poller.main()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
