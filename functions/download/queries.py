"""Queries, each run as the user: row level security applies."""

from __future__ import annotations

from uuid import UUID

from pydantic import TypeAdapter

from functions.download.cursor import ROW, Row, decoded, encoded
from shared.database import database
from shared.object_store import object_store
from shared.settings import settings
from shared.sign_in.auth import User
from shared.wire.columns import RememberedColumnsList
from shared.wire.jobs import DownloadLink, Job, JobPage, JobStatus, JobWithAttempts, Output, OutputList

_JOBS = TypeAdapter(list[Job])
_OUTPUTS = TypeAdapter(list[Output])
_STORED_OUTPUT = TypeAdapter(dict[str, str])


def list_jobs(user: User, status: JobStatus | None, limit: int, cursor: str | None) -> JobPage:
    """Return a page of the user's jobs, newest first. Raises Problem (404) for a cursor that is not the user's."""
    before = decoded(user, cursor, ROW) if cursor else None
    answer = database().call(
        "list_jobs",
        {
            "p_status": status,
            # One extra row tells whether there is another page.
            "p_limit": limit + 1,
            "p_before_created_at": before.at if before else None,
            "p_before_job_id": before.row_id if before else None,
        },
        as_user=user,
    )
    jobs = _JOBS.validate_python(answer)
    page, last = jobs[:limit], jobs[limit - 1] if len(jobs) > limit else None
    return JobPage(jobs=page, next_cursor=encoded(user, Row(at=last.created_at, row_id=last.job_id)) if last else None)


def list_columns(user: User) -> RememberedColumnsList:
    """All columns that the user confirmed, oldest first."""
    return RememberedColumnsList.model_validate(
        {"columns": database().call("list_remembered_columns", {}, as_user=user)}
    )


def get_job(user: User, job_id: UUID) -> JobWithAttempts:
    """Return a job with all its attempts. Raises Problem (404)."""
    return JobWithAttempts.model_validate(database().call("get_job", {"p_job_id": job_id}, as_user=user))


def list_outputs(user: User, job_id: UUID) -> OutputList:
    """Return the outputs of a job; none until it is done. Raises Problem (404)."""
    outputs = database().call("list_outputs", {"p_job_id": job_id}, as_user=user)
    return OutputList(outputs=_OUTPUTS.validate_python(outputs))


def download_link(user: User, output_id: UUID) -> DownloadLink:
    """Return a signed link to an output. Raises Problem (404)."""
    output = database().call("get_output", {"p_output_id": output_id}, as_user=user)
    stored = _STORED_OUTPUT.validate_python(output)
    link = object_store().get_link(
        stored["object_key"], stored["name"], stored["media_type"], settings().download_link_seconds
    )
    return DownloadLink(url=link.url, expires_at=link.expires_at)
