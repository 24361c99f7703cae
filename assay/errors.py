"""The errors that reading and analysing a file raise on purpose."""

from __future__ import annotations


class Unprocessable(Exception):
    """The file's own fault: trying again would end the same way.

    `code` is snake_case and stable, `detail` says what was found and where, `suggestion` what to do about it.
    """

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.suggestion = suggestion
