"""The worker's side: starts the child, reads its messages, and ends it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from assay.contract import Progress
from assay.errors import Unprocessable
from functions.process.sandbox import endings
from functions.process.sandbox.failures import OutOfTime
from functions.process.sandbox.messages import (
    ANSWER,
    Answer,
    Detected,
    Failed,
    Finished,
    Limits,
    NeedsType,
    Refused,
    Request,
    Start,
    Told,
)
from shared.settings import library_path

_MODULE = "functions.process.sandbox.child"
_ROOT = Path(__file__).resolve().parents[3]
# How often cancellation, deadline and memory are checked while the child is silent.
_TICK_SECONDS = 0.1
_CHUNK_BYTES = 1 << 16
_STDERR_BYTES = 1 << 14
_LINE_BYTES = 1 << 23
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# For the worker (80 MiB), the engine's code (75 MiB), and the system.
_RESERVED_MB = 256
# Half of /tmp on Lambda, which also has the upload; and the limit of one PUT to S3.
_FILE_BYTES = 5 << 30
_OPEN_FILES = 256


def limits_for(memory_mb: int, deadline: float) -> Limits:
    """Return the limits of the child, from the worker's memory and the deadline (of `time.monotonic()`)."""
    seconds = max(1, round(deadline - time.monotonic()))
    return Limits(
        memory_bytes=((memory_mb - _RESERVED_MB) << 20) * 8 // 9,
        # The worker enforces the deadline. This limit ends a child whose worker was stopped.
        cpu_seconds=seconds * (os.cpu_count() or 1),
        file_bytes=_FILE_BYTES,
        open_files=_OPEN_FILES,
    )


class Sandbox:
    """A child process for one analysis, as a context manager: started on entry, ended with its process group on exit.

    The child starts while the worker downloads the file. Its environment has no secrets, and its temporary files go
    into `folder`.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._said = b""

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            stdin, self._stdin = _pipe(theirs, ours)
            self._stderr, stderr = _pipe(ours, theirs)
            self._answers, answers = _pipe(ours, theirs)
            os.set_blocking(self._stdin, False)
            start = Start(answers_fd=answers, parent_pid=os.getpid(), limits=self._limits)
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, start.model_dump_json()],
                stdin=stdin,
                stdout=subprocess.DEVNULL,  # output of native code, not used
                stderr=stderr,
                pass_fds=(answers,),
                process_group=0,
                cwd=_ROOT,  # the first entry of sys.path under -m
                env={
                    **library_path(),
                    "PYTHONUTF8": "1",
                    "TZ": "UTC",
                    "TMPDIR": str(self._folder),
                    # Polars' allocator returns freed address space; otherwise it would count as used memory.
                    "_RJEM_MALLOC_CONF": "retain:false",
                    # NumPy's linear algebra reserves 40 MB per core, used or not.
                    "OPENBLAS_NUM_THREADS": "1",
                },
            )
            self._ours = ours.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The process group, because the child may have children. If the child has ended, there may be no group, which
        # macOS reports as a missing permission.
        with self._ours, contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def analyse(
        self,
        request: Request,
        progress: Progress,
        detected: Callable[[JsonValue], None],
        check: Callable[[], None],
    ) -> Finished | NeedsType:
        """Send the request to the child and return its final message.

        `check` is called many times a second. Raises Unprocessable, AttemptFailed, and what the callbacks raise.
        OutOfTime becomes Unprocessable if the file had most of the time.
        """
        began = time.monotonic()
        try:
            for answer in self._listen(request, check):
                match answer:
                    case Told():
                        progress(answer.fraction, answer.stage)
                    case Detected():
                        detected(answer.detection)
                    case Finished() | NeedsType():
                        return answer
                    case Refused():
                        raise Unprocessable(answer.code, answer.detail, answer.suggestion)
                    case Failed():
                        raise endings.of_failure(answer, self._said, self._limits)
        except OutOfTime as error:
            if time.monotonic() - began < began - self._started:
                raise
            raise endings.took_too_long() from error
        raise endings.of_exit(self._process.wait(), self._said, self._limits)

    def _listen(self, request: Request, check: Callable[[], None]) -> Iterator[Answer]:
        """Yield the child's messages until it has ended. Raises what `check` raises, and Unprocessable for memory."""
        unsent = request.model_dump_json().encode() + b"\n"
        unread = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stdin, selectors.EVENT_WRITE)
            selector.register(self._stderr, selectors.EVENT_READ)
            selector.register(self._answers, selectors.EVENT_READ)
            while True:
                check()
                self._check_memory()
                ready = {key.fd for key, _ in selector.select(_TICK_SECONDS)}
                if not ready and self._process.poll() is not None:
                    return
                if self._stdin in ready:
                    unsent = self._send(unsent)
                    if not unsent:
                        selector.unregister(self._stdin)
                # Read stderr first: a library writes its error before the child's final message.
                if self._stderr in ready:
                    chunk = os.read(self._stderr, _CHUNK_BYTES)
                    if not chunk:
                        selector.unregister(self._stderr)
                    self._said = (self._said + chunk)[-_STDERR_BYTES:]
                if self._answers in ready:
                    chunk = os.read(self._answers, _CHUNK_BYTES)
                    if not chunk:
                        selector.unregister(self._answers)
                    *lines, unread = (unread + chunk).split(b"\n")
                    if len(unread) > _LINE_BYTES:
                        raise ValueError(f"a message of the child has more than {_LINE_BYTES} bytes")
                    for line in lines:
                        yield ANSWER.validate_json(line)

    def _send(self, unsent: bytes) -> bytes:
        """Write what fits into the pipe and return the rest. Returns nothing if the child has ended."""
        try:
            return unsent[os.write(self._stdin, unsent) :]
        except BrokenPipeError:
            return b""

    def _check_memory(self) -> None:
        """Raise Unprocessable if the child uses more memory than its limit. Works on Linux only."""
        if sys.platform == "linux":
            # Source: proc_pid_statm(5). The sixth field, data and stack, is what RLIMIT_DATA counts plus one stack.
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_bytes().split()[5])
            if pages * _PAGE_BYTES > self._limits.memory_bytes:
                raise endings.out_of_memory(self._limits)


def _pipe(reading: contextlib.ExitStack, writing: contextlib.ExitStack) -> tuple[int, int]:
    """Create a pipe; each end goes to the stack that closes it."""
    read, write = os.pipe()
    reading.callback(os.close, read)
    writing.callback(os.close, write)
    return read, write
