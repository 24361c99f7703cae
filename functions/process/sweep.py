"""Once a minute: end, queue again or tell again of what would otherwise wait for ever."""

from __future__ import annotations

from pydantic import BaseModel

from shared.database import database
from shared.events import created_message
from shared.queue import queue
from shared.telemetry import logger

# A link lives for an hour, and a large file may take hours to arrive by it.
_UPLOAD_SECONDS = 24 * 3600
# A queue that is merely long is no reason to tell of its jobs again.
_QUIET_SECONDS = 900


class _Swept(BaseModel):
    expired: int
    lost: int
    keys: list[str]


def sweep() -> None:
    """Expire uploads that never came, settle jobs whose worker was lost, and tell the queue of jobs that nobody took.

    Raises Transient where the database or the queue does not answer; the next minute makes up for it.
    """
    swept = _Swept.model_validate(
        database().call(
            "sweep_jobs", {"p_upload_seconds": _UPLOAD_SECONDS, "p_quiet_seconds": _QUIET_SECONDS}, as_user=None
        )
    )
    for key in sorted(set(swept.keys)):
        queue().send_later(created_message(key), 0)
    if swept.expired or swept.lost or swept.keys:
        logger.info("swept", expired=swept.expired, lost=swept.lost, told_again=len(swept.keys))
