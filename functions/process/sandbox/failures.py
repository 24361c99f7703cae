"""Errors of an attempt for which the file is not at fault."""

from __future__ import annotations

from shared.errors import AssayError


class AttemptFailed(AssayError):
    """The attempt failed, the file is not at fault, and a retry may succeed. The user sees `detail`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class OutOfTime(AttemptFailed):
    """The time limit was reached before the attempt ended."""

    def __init__(self) -> None:
        super().__init__("took_too_long", "The time limit was reached before the file was processed.")
