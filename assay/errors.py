"""Errors that reading and analysing a file raise on purpose."""

from __future__ import annotations


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
