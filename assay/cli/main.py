"""The entry point of `assay`: Ctrl-C ends it without a traceback, also while it loads and after its end."""

from __future__ import annotations

import signal


def main() -> None:
    """Load the command and run it."""
    # Where nothing can be cleaned up yet, or any more, the signal just ends the process. One that is ignored stays so.
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from assay.cli.app import app  # this is what takes long

    try:
        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        app()
    finally:
        if heeded:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
