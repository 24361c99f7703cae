"""The queries, each as the user who asks: row level security decides what they see."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from pydantic import TypeAdapter

from shared.auth import User
from shared.database import database
from shared.errors import Problem
from shared.models import DownloadLink, Job, JobPage, JobStatus, JobWithAttempts, Output, OutputList
from shared.object_store import object_store
from shared.settings import settings

_JOBS = TypeAdapter(list[Job])
_OUTPUTS = TypeAdapter(list[Output])
_STORED_OUTPUT = TypeAdapter(dict[str, str])


def list_jobs(user: User, status: JobStatus | None, limit: int, cursor: str | None) -> JobPage:
    """One page of the user's jobs, newest first."""
    created_at, job_id = _decoded(cursor) if cursor else (None, None)
    # One more than asked for tells whether there is another page.
    jobs = _JOBS.validate_python(
        database().call(
            "list_jobs",
            {"p_status": status, "p_limit": limit + 1, "p_before_created_at": created_at, "p_before_job_id": job_id},
            as_user=user,
        )
    )
    return JobPage(jobs=jobs[:limit], next_cursor=_encoded(jobs[limit - 1]) if len(jobs) > limit else None)


def get_job(user: User, job_id: UUID) -> JobWithAttempts:
    """One job with every try at it. Raises Problem (404)."""
    return JobWithAttempts.model_validate(database().call("get_job", {"p_job_id": job_id}, as_user=user))


def list_outputs(user: User, job_id: UUID) -> OutputList:
    """Every output of a job; none until it is done. Raises Problem (404)."""
    outputs = database().call("list_outputs", {"p_job_id": job_id}, as_user=user)
    return OutputList(outputs=_OUTPUTS.validate_python(outputs))


def download_link(user: User, output_id: UUID) -> DownloadLink:
    """Sign a link to one output. Raises Problem (404)."""
    output = database().call("get_output", {"p_output_id": output_id}, as_user=user)
    stored = _STORED_OUTPUT.validate_python(output)
    link = object_store().get_link(
        stored["object_key"], stored["name"], stored["media_type"], settings().download_link_seconds
    )
    return DownloadLink(url=link.url, expires_at=link.expires_at)


def _encoded(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.created_at.isoformat()} {job.job_id}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        created_at, job_id = text.split(" ")
        return datetime.fromisoformat(created_at).astimezone(UTC), UUID(job_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise Problem(
            422, "invalid_cursor", "The cursor is not one of ours.", "Send next_cursor of the page before, unchanged."
        ) from error
