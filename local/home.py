"""The folder of the local stack (`.assay`), and helpers for its files and ports."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# Below the ephemeral ports, which the system could assign to another program before this one listens.
_PORTS = range(20_000, 32_000)


def default_home() -> Path:
    """The stack's folder: ASSAY_HOME, or `.assay` next to pyproject.toml."""
    return Path(os.environ.get("ASSAY_HOME") or PROJECT / ".assay").resolve()


def make_private(folder: Path) -> Path:
    """Create the folder if necessary, accessible only to its owner, and return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Otherwise a port with connections in TIME_WAIT would seem taken after every restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port of the loopback address if it is free, otherwise any free port.

    Raises OSError if there is none.
    """
    if preferred and _is_free(preferred):
        return preferred
    for port in random.sample(_PORTS, len(_PORTS)):
        if _is_free(port):
            return port
    raise OSError("The loopback address has no free port.")
