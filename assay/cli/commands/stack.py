"""`assay up` and `assay down`, for the local stack."""

from __future__ import annotations

import signal
import threading
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated
from urllib.parse import urlsplit

import typer

from assay.cli.commands.options import given_database
from assay.cli.terminal import screen
from assay.cli.terminal.installed import require_stack
from assay.cli.terminal.interrupt import ends_at_once
from assay.cli.terminal.reporting import reported


def up(
    port: Annotated[int | None, typer.Option(envvar="ASSAY_PORT", min=1, max=65535, help="Port of the API.")] = None,
    idle_stop: Annotated[float | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the local stack until Ctrl-C. If it runs already, print its address and a token."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    with reported(as_json=False), screen.steps() as tell:
        require_stack()
        if idle_stop is None:
            if _runs_already(port):
                return
            tell("Loading the stack")
        with ends_at_once():
            from local.home import default_home
            from local.processes import StackError
            from local.running import is_announced, write_step
            from local.stack import Stack

        stack = Stack(default_home(), port=port, database_url=given_database())
        # Until the stack is up, a signal aborts its start; afterwards it ends the wait below.
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGHUP, _interrupt)
        try:
            # In the background, the command that waits for the stack reports the error.
            stack.start(tell if idle_stop is None else partial(write_step, stack.home))
        except KeyboardInterrupt as error:
            raise typer.Exit(130) from error
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        if idle_stop is None:
            _welcome(stack.home, stack.url, "Ctrl-C")
        with reported(as_json=False):
            while not ended.wait(1):
                if not is_announced(stack.home) or (idle_stop is not None and stack.is_idle(idle_stop)):
                    break
                if (failure := stack.dead_part()) is not None:
                    raise StackError(
                        f"{failure} The stack is stopping; the next `assay up` or `assay run` starts it again."
                    )
    finally:
        stack.stop()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _runs_already(port: int | None) -> bool:
    """Print the address of the stack that runs, and a token, unless it should listen on another port."""
    from local.home import default_home
    from local.running import running_stack

    home = default_home()
    url = running_stack(home)
    if url is None or port not in {None, urlsplit(url).port}:
        return False
    screen.note("The stack runs already.")
    _welcome(home, url, "`assay down`")
    return True


def _welcome(home: Path, url: str, stop: str) -> None:
    from local.background import TOKEN_LIFETIME
    from local.tokens import Issuer, local_owner

    token = Issuer(home, url).issue_token(local_owner(home), TOKEN_LIFETIME)
    screen.result(f"Assay is running at {url}; {stop} stops it. Data and logs are in {home}.")
    screen.result(
        f"\nFor curl or another terminal (the token is valid for 24 hours):\n\n"
        f"export ASSAY_URL={url}\nexport ASSAY_TOKEN={token}\n\nFor example:\n"
    )
    screen.result(
        'curl "$ASSAY_URL/uploads?filename=station_measurements.csv" -H "Authorization: Bearer $ASSAY_TOKEN" \\\n'
        "  --data-binary @examples/station_measurements.csv\n"
        'curl "$ASSAY_URL/jobs" -H "Authorization: Bearer $ASSAY_TOKEN"'
    )


def down() -> None:
    """Stop the local stack, wherever it was started."""
    with reported(as_json=False):
        require_stack()
        from local.home import default_home
        from local.running import stop_running

        stopped = stop_running(default_home())
    screen.note("Stopped." if stopped else "No stack is running.")
