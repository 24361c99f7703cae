"""Once a minute: end, queue again, tell of or remove what would otherwise wait for ever."""

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

# A link lives for an hour, and a large file may take hours to arrive by it.
_UPLOAD_SECONDS = 24 * 3600
# Of 200 jobs each; what is left then waits for the next minute.
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
    """Steps of the sweep failed; each is logged with its reason, and the others were done."""


def sweep() -> None:
    """Expire uploads that never came, settle jobs whose worker was lost, and send hints at work that waits.

    Then do what other hints are for, since those may be lost too: look into the outbox, clean up, and send webhooks.

    A step that fails stops no other. Raises SweepFailed at the end, so that Lambda counts an error and the alarm rings;
    the next minute makes up for it.
    """
    failed = [step.__name__ for step in _STEPS if not _done(step)]
    if failed:
        measure("SweepStepsFailed", len(failed))
        raise SweepFailed(f"steps of the sweep failed: {', '.join(failed)}")


def _done(step: Callable[[], None]) -> bool:
    try:
        step()
    except Exception:  # noqa: BLE001  # whatever it was, the other steps must be done
        logger.exception("a step of the sweep failed", step=step.__name__)
        return False
    return True


def settle_jobs() -> None:
    """Settle the jobs that no worker will, and count those that wait."""
    for _ in range(_CALLS):
        swept = _sweep_some()
        if not swept.full:
            break
    measure("JobsAwaitingUpload", swept.waiting.awaiting_upload)
    measure("JobsQueued", swept.waiting.queued)
    measure("JobsRunning", swept.waiting.running)
    measure("JobsNeedType", swept.waiting.needs_type)


def deliver_and_retry() -> None:
    """Send webhooks, also those whose last try failed."""
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
