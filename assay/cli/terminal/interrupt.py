"""Ctrl-C during imports and exit: end the process immediately, without a traceback."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def end_at_once() -> bool:
    """Make Ctrl-C end the process immediately from now on. Return whether it raised KeyboardInterrupt before.

    An ignored signal, as in a background process, stays ignored.
    """
    raised = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if raised:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return raised


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Apply this during imports, where a callback may swallow a KeyboardInterrupt."""
    raised = end_at_once()
    try:
        yield
    finally:
        if raised:
            signal.signal(signal.SIGINT, signal.default_int_handler)
