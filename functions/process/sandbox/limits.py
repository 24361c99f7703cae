"""What the child may use: imposed on itself, before it imports the engine."""

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

    RLIMIT_DATA and not RLIMIT_AS: the engine's allocator reserves address space by the gigabyte and maps the files that
    it reads; neither is memory. macOS takes RLIMIT_DATA and does not heed it for mmap, which is all that matters.
    """
    _limit(resource.RLIMIT_DATA, limits.hard_memory_bytes)
    # At the first there is SIGXCPU, which says what happened; at the second SIGKILL, which does not.
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + _CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CORE, 0)
    # Python ignores it, and each library then has a text of its own for a write that fails. A signal says it plainly.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # Where the memory of the whole machine runs out all the same, the child goes first. It is a wish alone: macOS has
    # no such file, and a container may not let it be written.
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000", encoding="ascii")


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit for good; one that is lower already stays."""
    _, most = resource.getrlimit(kind)
    lower = [value if most == resource.RLIM_INFINITY else min(value, most) for value in (soft, hard or soft)]
    resource.setrlimit(kind, (lower[0], lower[1]))
