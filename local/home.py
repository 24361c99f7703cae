"""The folder that the embedded stack keeps everything in (`.assay`), and small things that its parts share."""

from __future__ import annotations

import json
import os
import random
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

PROJECT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# Below those that a system gives to whoever asks for any, and so to another program before this one listens.
_PORTS = range(20_000, 32_000)

_OBJECT = TypeAdapter(dict[str, JsonValue])


def default_home() -> Path:
    """Folder of the stack: ASSAY_HOME, or `.assay` beside pyproject.toml."""
    return Path(os.environ.get("ASSAY_HOME") or PROJECT / ".assay").resolve()


def make_private(folder: Path) -> Path:
    """Make the folder, if it is missing, so that only its owner can look into it; return it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, over what may be there."""
    new = _written(path, text)
    try:
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write_private_once(path: Path, text: str) -> None:
    """Write a file as write_private does, unless it is there: of several at once, the first one's text stays."""
    new = _written(path, text)
    try:
        os.link(new, path)
    except FileExistsError:
        return
    finally:
        new.unlink(missing_ok=True)


def _written(path: Path, text: str) -> Path:
    """Write a private file beside `path` and return it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it mode 600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def read_object(path: Path) -> dict[str, JsonValue]:
    """Read a JSON object from a file; an empty one if there is no file. Raises ValueError for anything else."""
    try:
        return _OBJECT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        # Without its cause, which quotes what may be a password.
        raise ValueError(f"{path} is damaged: it holds no JSON object.") from None


def write_object(path: Path, value: Mapping[str, JsonValue]) -> None:
    """Write a JSON object to a private file."""
    write_private(path, json.dumps(value, indent=2) + "\n")


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
