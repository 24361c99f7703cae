"""How an attempt at a job fails where the file is not at fault."""

from __future__ import annotations

from shared.errors import AssayError


class AttemptFailed(AssayError):
    """The attempt failed, and not by the file's fault: another one may do better. `detail` reaches the user."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class OutOfTime(AttemptFailed):
    """The worker's time was over before the attempt had ended."""

    def __init__(self) -> None:
        super().__init__("took_too_long", "The worker's time was over before the file was processed.")
