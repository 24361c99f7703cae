"""The errors that cross from one module to another.

AssayError
├── Problem         a request that cannot be answered; becomes RFC 9457 problem details
├── Transient       anything outside that may be well again soon; the job is tried again
│   └── ObjectsStay objects that the store did not delete (shared/object_store)
├── SweepFailed     steps of the sweep failed (functions/process/upkeep/sweeper.py)
├── JobCancelled    the user cancelled the job while it ran
├── ObjectMissing   the object store has nothing under the key (shared/object_store/__init__.py)
├── DataApiRefused  the Data API refuses our key or address (shared/database/data_api.py)
├── AttemptFailed   no fault of the file's; the job is tried again (functions/process/sandbox/failures.py)
│   └── OutOfTime   the worker's time was over
├── UnknownUpload   an object under a key that is none of ours (functions/process/worker/arrivals.py)
└── StaleAttempt    a newer attempt has taken the job over; this one must stop and write nothing
"""

from __future__ import annotations

from collections.abc import Iterator


class AssayError(Exception):
    """Base of every error that Assay raises on purpose."""


class Problem(AssayError):
    """A request that cannot be answered, with the HTTP status that says so (RFC 9457).

    `code` is machine-readable; `detail` and `suggestion` are for people. `retry_after_seconds` is given where the same
    request may be answered later.
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
    """Something outside failed (database, object store, queue) and may work on another try.

    The text says what is wrong, such as "the database does not answer": it reaches the client. `retry_after_seconds` is
    what the other side asked for, 0 where it asked for nothing.
    """

    def __init__(self, what: str, retry_after_seconds: float = 0) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds


class JobCancelled(AssayError):
    """The user cancelled the job while it ran."""


class StaleAttempt(AssayError):
    """A newer attempt has taken the job over."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, what it came from, what that came from, and so on, each once.

    What `raise … from None` hides is among them: the reason may be there.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
