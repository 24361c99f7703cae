"""Once a minute: end, queue again or tell again of what would otherwise wait for ever."""

from __future__ import annotations

from pydantic import BaseModel

from functions.process.outbox import tell_of_outbox
from functions.process.work import count_ending
from shared.database import database
from shared.events import created_message
from shared.models import Cost
from shared.queue import queue
from shared.telemetry import logger, measure

# A link lives for an hour, and a large file may take hours to arrive by it.
_UPLOAD_SECONDS = 24 * 3600
# A queue that is merely long is no reason to tell of its jobs again.
_QUIET_SECONDS = 900


class _Waiting(BaseModel):
    awaiting_upload: int
    queued: int
    running: int
    needs_type: int


class _Swept(BaseModel):
    expired: int
    lost: int
    failed: list[Cost | None]
    keys: list[str]
    waiting: _Waiting


def sweep() -> None:
    """Expire uploads that never came, settle jobs whose worker was lost, and tell the queue of jobs that nobody took.

    So too of what lies in the outbox: a webhook may have been lost.

    Raises Transient where the database or the queue does not answer; the next minute makes up for it.
    """
    swept = _Swept.model_validate(
        database().call(
            "sweep_jobs", {"p_upload_seconds": _UPLOAD_SECONDS, "p_quiet_seconds": _QUIET_SECONDS}, as_user=None
        )
    )
    queue().send_all([created_message(key) for key in sorted(set(swept.keys))])
    measure("JobsAwaitingUpload", swept.waiting.awaiting_upload)
    measure("JobsQueued", swept.waiting.queued)
    measure("JobsRunning", swept.waiting.running)
    measure("JobsNeedType", swept.waiting.needs_type)
    measure("JobsExpired", swept.expired)
    if swept.lost:
        measure("InternalErrors", swept.lost)
    for cost in swept.failed:
        count_ending("JobsFailed", cost)
    if swept.expired or swept.lost or swept.keys:
        logger.info("swept", expired=swept.expired, lost=swept.lost, told_again=len(swept.keys))
    tell_of_outbox()
