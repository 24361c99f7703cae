"""Resource limits, which the child sets on itself before it imports the engine."""

from __future__ import annotations

import contextlib
import resource
import signal
from pathlib import Path

from functions.process.sandbox.messages import Limits

_CPU_GRACE_SECONDS = 5
_OOM_SCORE = Path("/proc/self/oom_score_adj")


def impose(limits: Limits) -> None:
    """Set this process's limits.

    RLIMIT_DATA instead of RLIMIT_AS: the engine's allocator reserves gigabytes of address space and maps the files that
    it reads, and neither uses memory. macOS accepts RLIMIT_DATA but does not apply it to mmap, so there it has no
    effect.
    """
    _limit(resource.RLIMIT_DATA, limits.hard_memory_bytes)
    # The soft limit sends SIGXCPU, which identifies the cause; the hard limit sends SIGKILL, which does not.
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + _CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CORE, 0)
    # Python ignores this signal, and then each library reports the failed write differently. The signal identifies the
    # cause.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # If the machine runs out of memory, the child is killed first. Best effort: macOS does not have this file, and a
    # container may forbid writing it.
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit permanently, unless it is already lower."""
    _, current = resource.getrlimit(kind)
    lower = [value if current == resource.RLIM_INFINITY else min(value, current) for value in (soft, hard or soft)]
    resource.setrlimit(kind, (lower[0], lower[1]))
