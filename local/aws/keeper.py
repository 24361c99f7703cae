"""Restarts a process of the stack whenever it ends, as Lambda starts a new instance."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from local import processes
from local.home import PROJECT

_PAUSE_SECONDS = 0.5
# A process that ends so soon after its start, so often in a row, would end again.
_SOON_SECONDS = 5
_MOST_SOON = 5


class Keeper:
    """Runs a command until `stop`, and counts in `ended` how often it ended unexpectedly.

    Gives up, and says so in `gave_up`, when the process has ended five times in a row within five seconds of its start.
    A thread that lives as long as the process starts it, because the process ends with that thread.
    """

    def __init__(self, name: str, command: Sequence[str], home: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self._command = command
        self._env = env
        self._record = home / f"{name}.process.json"
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.ended = 0
        self.gave_up = False
        self._thread = threading.Thread(target=self._keep, name=f"keeper-{name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Id of the running process."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """End a process that an earlier stack left behind, and start."""
        processes.stop_recorded(self._record)
        self._thread.start()

    def stop(self) -> None:
        """End the process and do not restart it."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            processes.stop(process)
        if self._thread.is_alive():
            self._thread.join()
        self._record.unlink(missing_ok=True)

    def _keep(self) -> None:
        soon = 0
        while True:
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = processes.spawn(
                    self._command, self.log, env=self._env, cwd=PROJECT, record=self._record
                )
            started = time.monotonic()
            self._process.wait()
            self.ended += 1
            soon = soon + 1 if time.monotonic() - started < _SOON_SECONDS else 0
            if soon == _MOST_SOON:
                self.gave_up = True
                return
            if self._stopping.wait(_PAUSE_SECONDS):
                return
