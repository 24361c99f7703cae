"""The folder that the embedded stack keeps everything in (`.assay`), and small things that its parts share."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# Below those that a system gives to whoever asks for any, and so to another program before this one listens.
_PORTS = range(20_000, 32_000)


def default_home() -> Path:
    """Folder of the stack: ASSAY_HOME, or `.assay` beside pyproject.toml."""
    return Path(os.environ.get("ASSAY_HOME") or PROJECT / ".assay").resolve()


def make_private(folder: Path) -> Path:
    """Make the folder, if it is missing, so that only its owner can look into it; return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Else a port whose last connections are in TIME_WAIT would look taken after every restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port if nothing listens there, else any free one of the loopback address.

    Raises OSError where there is none.
    """
    if preferred and _is_free(preferred):
        return preferred
    for port in random.sample(_PORTS, len(_PORTS)):
        if _is_free(port):
            return port
    raise OSError("No port of the loopback address is free.")
