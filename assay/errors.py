"""Errors that reading and analysing a file raise on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import ValidationError

# How Rust's std::io::Error prints errno.
_RUST_ERROR = re.compile(r"\(os error (\d+)\)|\bOs \{ code: (\d+)")


class InvalidInput(ValueError):
    """An argument, or a file that is no data, is not valid. Any other ValueError is a bug.

    `suggestion` is what to do about it.
    """

    def __init__(self, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.suggestion = suggestion


class FolderNotEmpty(FileExistsError):
    """A folder holds what is no output of an earlier run: outputs are never mixed with other files."""

    code = "folder_not_empty"
    suggestion = "Choose a new or empty folder with --out, or move the other files away."


class Unprocessable(Exception):
    """The file is at fault, and a retry would fail again.

    `code` is snake_case and stable, `detail` is the fault and its place, `suggestion` is what to do about it.
    """

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion


def errno_of(error: BaseException) -> int | None:
    """Return the error number of the system: that of an OSError, or the one in the words of a library in Rust."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    shown = _RUST_ERROR.search(str(error))
    return int(shown[1] or shown[2]) if shown else None


def in_words(error: ValidationError, kind: str = "parameter", place: Callable[[str], str] = str) -> str:
    """Say what is wrong with the values that a person gave.

    `kind` is what a name stands for. `place` words where a value stands, such as `reading.delimiter`.
    """
    return "; ".join(
        _problem(item["type"], ".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, "), kind, place)
        for item in error.errors(include_url=False, include_input=False)
    )


def _problem(code: str, where: str, message: str, kind: str, place: Callable[[str], str]) -> str:
    if code == "extra_forbidden":
        return f"there is no {kind} `{place(where)}`"
    return f"{place(where)}: {message}" if where else message
