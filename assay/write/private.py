"""Files that only their owner can read, written whole or not at all, and JSON objects in them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from assay.errors import InvalidInput

_OBJECT = TypeAdapter(dict[str, JsonValue])


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
    """Read a JSON object from a file; an empty one if there is no file. Raises InvalidInput for anything else."""
    try:
        return _OBJECT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        # Without its cause, which quotes what may be a password.
        raise InvalidInput(
            f"{path} is damaged: it holds no JSON object.", "Restore it from a backup, or delete it."
        ) from None


def write_object(path: Path, value: Mapping[str, JsonValue]) -> None:
    """Write a JSON object to a private file."""
    write_private(path, json.dumps(value, indent=2) + "\n")
