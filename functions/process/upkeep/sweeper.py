"""Once a minute: end, queue again, tell of or remove what would otherwise wait for ever."""

from __future__ import annotations

from pydantic import BaseModel

from functions.process.upkeep.cleaner import clean_up
from functions.process.upkeep.outbox import tell_of_outbox
from functions.process.webhooks.deliveries import deliver
from functions.process.worker.job import count_ending
from shared.database import database
from shared.queue import queue
from shared.queue.events import RUN_HINT
from shared.telemetry import logger, measure
from shared.wire.jobs import Cost

# A link lives for an hour, and a large file may take hours to arrive by it.
_UPLOAD_SECONDS = 24 * 3600
# A queue that is merely long is no reason to tell of its jobs again.
_QUIET_SECONDS = 900
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


def sweep() -> None:
    """Expire uploads that never came, settle jobs whose worker was lost, and send hints at work that waits.

    Then do what other hints are for, since those may be lost too: look into the outbox, clean up, and send webhooks.

    Raises Transient where the database or the queue does not answer; the next minute makes up for it.
    """
    for _ in range(_CALLS):
        swept = _sweep_some()
        if not swept.full:
            break
    measure("JobsAwaitingUpload", swept.waiting.awaiting_upload)
    measure("JobsQueued", swept.waiting.queued)
    measure("JobsRunning", swept.waiting.running)
    measure("JobsNeedType", swept.waiting.needs_type)
    tell_of_outbox()
    clean_up()
    deliver(sweep=True)


def _sweep_some() -> _Swept:
    answer = database().call(
        "sweep_jobs", {"p_upload_seconds": _UPLOAD_SECONDS, "p_quiet_seconds": _QUIET_SECONDS}, as_user=None
    )
    swept = _Swept.model_validate(answer)
    queue().send_all([RUN_HINT] * swept.hints)
    measure("JobsExpired", swept.expired)
    if swept.lost:
        measure("InternalErrors", swept.lost)
    for cost in swept.failed:
        count_ending("JobsFailed", cost)
    if swept.expired or swept.lost or swept.hints:
        logger.info("swept", expired=swept.expired, lost=swept.lost, hints=swept.hints)
    return swept
