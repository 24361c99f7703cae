"""Ctrl-C where nothing can be cleaned up: it ends the process at once, without a traceback."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def end_at_once() -> bool:
    """Let Ctrl-C end the process by itself from now on; return whether it raised KeyboardInterrupt before.

    A signal that is ignored, as for a process in the background, stays ignored.
    """
    raised = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if raised:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return raised


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Do so while modules load: a KeyboardInterrupt among their imports may be lost in a callback that swallows it."""
    raised = end_at_once()
    try:
        yield
    finally:
        if raised:
            signal.signal(signal.SIGINT, signal.default_int_handler)
