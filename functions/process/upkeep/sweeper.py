"""The sweep: once a minute, end, requeue, announce or remove what would otherwise wait forever."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from functions.process.upkeep.cleaner import abort_old_uploads, clean_up
from functions.process.upkeep.outbox import tell_of_outbox
from functions.process.webhooks.deliveries import deliver
from functions.process.worker.job import count_ending
from shared.database import database
from shared.errors import AssayError
from shared.queue.events import RUN_HINT
from shared.queue.hints import send_hint
from shared.telemetry import logger, measure
from shared.wire.jobs import Cost
from shared.worker_time import WORKER_SECONDS

# A link is valid for an hour, and a large file may take hours to upload.
_UPLOAD_SECONDS = 24 * 3600
# Batches of 200 jobs. The rest waits for the next minute.
_CALLS = 50


class _Waiting(BaseModel):
    awaiting_upload: int
    queued: int
    running: int
    needs_type: int


class _Swept(BaseModel):
    expired: int
    lost: int
    failed: list[Cost | None]
    hints: int
    full: bool
    waiting: _Waiting


class SweepFailed(AssayError):
    """Steps of the sweep failed. Each is logged with its reason; the other steps succeeded."""


def sweep() -> None:
    """Expire uploads that never arrived, settle jobs whose worker was lost, and send hints for waiting work.

    Then do the work of the other hints, since hints may be lost: process the outbox, clean up, and send webhooks.

    A failed step does not stop the others. Raises SweepFailed at the end, so that Lambda counts an error and the alarm
    fires. The next sweep repeats the failed steps.
    """
    failed = [step.__name__ for step in _STEPS if not _done(step)]
    if failed:
        measure("SweepStepsFailed", len(failed))
        raise SweepFailed(f"steps of the sweep failed: {', '.join(failed)}")


def _done(step: Callable[[], None]) -> bool:
    try:
        step()
    except Exception:  # noqa: BLE001  # after any error, the other steps must run
        logger.exception("a step of the sweep failed", step=step.__name__)
        return False
    return True


def settle_jobs() -> None:
    """Settle jobs without a worker, and count waiting jobs."""
    for _ in range(_CALLS):
        swept = _sweep_some()
        if not swept.full:
            break
    measure("JobsAwaitingUpload", swept.waiting.awaiting_upload)
    measure("JobsQueued", swept.waiting.queued)
    measure("JobsRunning", swept.waiting.running)
    measure("JobsNeedType", swept.waiting.needs_type)


def deliver_and_retry() -> None:
    """Send webhooks, including those whose last try failed."""
    deliver(sweep=True)


def _sweep_some() -> _Swept:
    answer = database().call(
        "sweep_jobs", {"p_upload_seconds": _UPLOAD_SECONDS, "p_quiet_seconds": WORKER_SECONDS}, as_user=None
    )
    swept = _Swept.model_validate(answer)
    send_hint(RUN_HINT, count=swept.hints)
    measure("JobsExpired", swept.expired)
    if swept.lost:
        measure("InternalErrors", swept.lost)
    for cost in swept.failed:
        count_ending("JobsFailed", cost)
    if swept.expired or swept.lost or swept.hints:
        logger.info("swept", expired=swept.expired, lost=swept.lost, hints=swept.hints)
    return swept


_STEPS = (settle_jobs, tell_of_outbox, clean_up, abort_old_uploads, deliver_and_retry)
