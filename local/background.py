"""Connects a command to the local stack: its URL, started in the background if necessary, and a token."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from assay.errors import InvalidInput
from assay.write.private import read_object, write_object
from local.home import PROJECT, make_private
from local.processes import START_SECONDS, StackError, tail
from local.running import is_locked, read_step, running_stack, write_step

IDLE_STOP_SECONDS = 3600
# Each part of the stack has a timeout, and the end of the stack is detected immediately.
_START_SECONDS = 4 * START_SECONDS

TOKEN_LIFETIME = timedelta(hours=24)


def sign_in(home: Path, url: str) -> str:
    """Return a token of the local user for the stack at `url`. It is reused until it expires."""
    path = home / "token.json"
    try:
        kept = read_object(path)
    except InvalidInput:
        kept = {}  # damaged: it is replaced
    expires = kept.get("expires_at")
    if (
        kept.get("url") == url
        and isinstance(expires, float)
        and expires > time.time() + TOKEN_LIFETIME.total_seconds() / 2
        and isinstance(token := kept.get("token"), str)
    ):
        return token
    from local.tokens import Issuer, local_owner  # noqa: PLC0415  # cryptography is slow to import

    token = Issuer(home, url).issue_token(local_owner(home), TOKEN_LIFETIME)
    write_object(path, {"url": url, "token": token, "expires_at": time.time() + TOKEN_LIFETIME.total_seconds()})
    return token


def ensure_stack(home: Path, tell: Callable[[str], None] = lambda _step: None) -> str:
    """Return the URL of the stack on this folder. Start one in the background if none is running.

    It keeps running, so that its signed links work, until an hour passes without a request. `tell` is called with the
    current step. Raises StackError with the last lines of its log.
    """
    deadline = time.monotonic() + _START_SECONDS
    # A stack may be starting, which is fine, or stopping, which keeps the folder locked for some seconds.
    while (url := running_stack(home)) is None and is_locked(home) and time.monotonic() < deadline:
        tell(read_step(home) or "Waiting for the previous stack to stop")
        time.sleep(0.05)
    if url is not None:
        return url
    log = make_private(make_private(home) / "logs") / "stack.log"
    write_step(home, "Loading the stack")
    command = [sys.executable, "-m", "assay.cli", "up", "--idle-stop", str(IDLE_STOP_SECONDS)]
    with log.open("ab") as output:
        since = output.tell()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "ASSAY_HOME": str(home)},
            cwd=PROJECT,
            start_new_session=True,
        )
    while True:
        url = running_stack(home)
        if url is not None:
            return url
        tell(read_step(home))
        # Another command may have started a stack at the same time: then this one was refused, and that one is used.
        if (process.poll() is not None and not is_locked(home)) or time.monotonic() > deadline:
            raise StackError(f"The stack did not start. The last lines of {log}:\n{tail(log, since=since)}")
        time.sleep(0.05)
