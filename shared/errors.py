"""Errors that cross module boundaries.

AssayError
├── Problem         a request that cannot be answered; becomes RFC 9457 problem details
├── Transient       a dependency failed temporarily; the job is retried
│   └── ObjectsStay objects that the store did not delete (shared/object_store)
├── SweepFailed     steps of the sweep failed (functions/process/upkeep/sweeper.py)
├── JobCancelled    the user cancelled the job while it ran
├── ObjectMissing   the object store has no object under the key (shared/object_store/__init__.py)
├── DataApiRefused  the Data API refuses the configured key or URL (shared/database/data_api.py)
├── AttemptFailed   the file is not at fault; the job is retried (functions/process/sandbox/failures.py)
│   └── OutOfTime   the time limit was reached
├── UnknownUpload   an object under an unexpected key (functions/process/worker/arrivals.py)
└── StaleAttempt    a newer attempt has taken over the job; this one must stop and write nothing
"""

from __future__ import annotations

from collections.abc import Iterator


class AssayError(Exception):
    """Base of every error that Assay raises on purpose."""


class Problem(AssayError):
    """A request that cannot be answered, with its HTTP status (RFC 9457).

    `code` is machine-readable; `detail` and `suggestion` are for people. `retry_after_seconds` is set if the same
    request may succeed later.
    """

    def __init__(
        self, status: int, code: str, detail: str, suggestion: str, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.suggestion = suggestion
        self.retry_after_seconds = retry_after_seconds


class Transient(AssayError):
    """A dependency failed (database, object store, queue), and a retry may succeed.

    The client sees the message, such as "the database does not answer". `retry_after_seconds` is what the dependency
    asked for, or 0.
    """

    def __init__(self, message: str, retry_after_seconds: float = 0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class JobCancelled(AssayError):
    """The user cancelled the job while it ran."""


class StaleAttempt(AssayError):
    """A newer attempt has taken over the job."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its cause or context, and so on, each once.

    Includes what `raise … from None` hides, since the reason may be there.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
