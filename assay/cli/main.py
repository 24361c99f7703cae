"""The entry point of `assay`. Ctrl-C ends it without a traceback, even during imports and exit."""

from __future__ import annotations

import sys
import traceback

from assay.cli.terminal.interrupt import end_at_once, ends_at_once

# Not 1: of `assay check` that says that a file does not pass.
_BUG = 2


def main() -> None:
    """Import the command and run it."""
    with ends_at_once():
        from assay.cli.app import app  # the slow import
        from assay.cli.terminal import screen
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # a panic of the data engine is no Exception
        place = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
        # Without its message, which may quote a cell of the file.
        screen.problem("This is a bug in Assay.", place, "internal_error", "Report it with the lines above.")
        sys.exit(_BUG)
    finally:
        end_at_once()


if __name__ == "__main__":
    main()
