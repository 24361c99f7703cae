"""Errors that reading and analysing a file raise on purpose."""

from __future__ import annotations


class Unprocessable(Exception):
    """The file is at fault, and a retry would fail again.

    `code` is snake_case and stable, `detail` is the fault and its place, `suggestion` is what to do about it.
    """

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion
