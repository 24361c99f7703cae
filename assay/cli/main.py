"""The entry point of `assay`. Ctrl-C ends it without a traceback, even during imports and exit."""

from __future__ import annotations

from assay.cli.terminal.interrupt import end_at_once, ends_at_once


def main() -> None:
    """Import the command and run it."""
    with ends_at_once():
        from assay.cli.app import app  # the slow import
    try:
        app()
    finally:
        end_at_once()


if __name__ == "__main__":
    main()
