"""An attempt at a job: its claim, its heartbeat, and its writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pydantic import BaseModel, JsonValue

from functions.process.sandbox.failures import OutOfTime
from functions.process.sandbox.messages import RememberedColumns
from shared.database import database
from shared.database.transport import Argument
from shared.errors import JobCancelled, StaleAttempt, Transient
from shared.telemetry import logger
from shared.wire.jobs import Cost

_REPORT_SECONDS = 1.0


@dataclass(frozen=True)
class Worker:
    """The worker of an attempt: one invocation, its memory, and the attempt's deadline.

    `deadline` is a time of `time.monotonic()` that leaves time to report the end.
    """

    name: str
    memory_mb: int
    deadline: float


class ClaimedJob(BaseModel):
    """What a worker needs to know about its job."""

    job_id: str
    filename: str
    sha256: str
    size_bytes: int
    requested_dataset_type: str | None
    parameters: dict[str, JsonValue]


class Claim(BaseModel):
    """A granted claim; `attempt` is the fencing token of every later write, the columns are those of the owner."""

    attempt: int
    owner: str
    object_key: str
    job: ClaimedJob
    remembered_columns: list[RememberedColumns] = []


class _Answer(BaseModel):
    claimed: bool = False
    accepted: bool = False
    reason: str | None = None
    status: str | None = None
    cancel_requested: bool = False
    cost: Cost | None = None
    more: bool | None = None


def claim(worker: Worker, lease_seconds: int) -> Claim | None:
    """Start an attempt at the next job; None if no job is due."""
    arguments: dict[str, Argument] = {
        "p_worker": worker.name,
        "p_lease_seconds": lease_seconds,
        "p_memory_mb": worker.memory_mb,
    }
    answer = database().call("claim_job", arguments, as_user=None)
    return Claim.model_validate(answer) if _Answer.model_validate(answer).claimed else None


class Attempt:
    """A claimed attempt.

    As a context manager, it sends heartbeats: a thread extends the lease every third of its length. `progress`,
    `detected` and `check` raise JobCancelled, StaleAttempt or OutOfTime (at `deadline`, a time of `time.monotonic()`)
    when the work must stop. After the attempt has ended, `cost` is the job's cost, and `more` is whether the owner may
    have another due job (true until the database says otherwise).
    """

    def __init__(self, claimed: Claim, lease_seconds: int, deadline: float) -> None:
        self.claim = claimed
        self.cost: Cost | None = None
        self.more = True
        self._lease_seconds = lease_seconds
        self._deadline = deadline
        self._fraction = 0.0
        self._stage = "starting"
        self._detection: JsonValue = None
        self._max_attempts: int | None = None
        self._stop_reason: type[JobCancelled | StaleAttempt] | None = None
        self._reported_at = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def progress(self, fraction: float, stage: str) -> None:
        """Report progress in [0, 1]; written at most once a second."""
        self._fraction, new_stage = fraction, stage != self._stage
        self._stage = stage
        if new_stage or time.monotonic() - self._reported_at >= _REPORT_SECONDS:
            self._report()
        self.check()

    def detected(self, detection: JsonValue, max_attempts: int | None) -> None:
        """Report the detection and the pipeline's number of attempts; written immediately."""
        self._detection, self._max_attempts = detection, max_attempts
        self._report()
        self.check()

    def check(self) -> None:
        """Raise JobCancelled, StaleAttempt or OutOfTime, from the last report and the clock, without a request."""
        if self._stop_reason:
            raise self._stop_reason
        if time.monotonic() >= self._deadline:
            raise OutOfTime

    def finish(self, result: Mapping[str, Argument]) -> None:
        """End as done, with the outputs. Raises JobCancelled or StaleAttempt if that happened first."""
        self._write("finish_job", result)

    def await_type(self, detection: JsonValue) -> None:
        """End with the status needs_type."""
        self._write("await_type", {"p_detection": detection})

    def fail(self, code: str, detail: str, suggestion: str, retry_after_seconds: int | None) -> str:
        """End as failed, or as queued if a delay is given and attempts are left. Return the job's new status."""
        error: dict[str, JsonValue] = {"code": code, "detail": detail, "suggestion": suggestion}
        answer = self._call("fail_job", {"p_error": error, "p_retry_after_seconds": retry_after_seconds})
        return answer.status or "stale_attempt"

    def _write(self, function: str, arguments: Mapping[str, Argument]) -> None:
        answer = self._call(function, arguments)
        if not answer.accepted:
            raise JobCancelled if answer.reason == "cancelled" else StaleAttempt

    def _call(self, function: str, arguments: Mapping[str, Argument]) -> _Answer:
        fence: dict[str, Argument] = {"p_job_id": self.claim.job.job_id, "p_attempt": self.claim.attempt}
        answer = _Answer.model_validate(database().call(function, fence | dict(arguments), as_user=None))
        self.cost = answer.cost or self.cost
        if answer.more is not None:
            self.more = answer.more
        return answer

    def _report(self) -> None:
        with self._lock:
            self._reported_at = time.monotonic()
            arguments: dict[str, Argument] = {
                "p_lease_seconds": self._lease_seconds,
                "p_progress": self._fraction,
                "p_stage": self._stage,
                "p_detection": self._detection,
                "p_max_attempts": self._max_attempts,
            }
            try:
                answer = self._call("report_progress", arguments)
            except Transient:
                # The lease outlasts two missed reports. If the database stays unreachable, the last write fails.
                logger.warning("progress not reported", exc_info=True)
                return
            if not answer.accepted:
                self._stop_reason = StaleAttempt
            elif answer.cancel_requested:
                self._stop_reason = JobCancelled

    def _beat(self) -> None:
        while not self._ended.wait(self._lease_seconds / 3):
            try:
                self._report()
            except Exception:  # noqa: BLE001  # the next write of the work raises it too, and fails the attempt
                logger.exception("heartbeat failed")
