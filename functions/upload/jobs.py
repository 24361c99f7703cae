"""The use cases around a job that is there already."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ValidationError

from shared.catalog.dataset_types import require_dataset_type
from shared.database import database
from shared.errors import Problem
from shared.http import invalid_request
from shared.queue.events import CLEAN_UP_HINT, RUN_HINT
from shared.queue.hints import send_hint
from shared.sign_in.auth import User
from shared.wire.jobs import Job, TypeChoiceRequest


class Reprocessed(BaseModel):
    """The job that processes a file anew, and whether it was made just now."""

    new: bool
    job: Job


def parse_choice(body: bytes) -> str:
    """Return the dataset type that a body of JSON names. Raises Problem (422) for one that there is not."""
    try:
        choice = TypeChoiceRequest.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        if errors[0]["type"] == "json_invalid":
            raise Problem(
                422, "invalid_request", "The body is not JSON.", 'Send JSON such as {"dataset_type": "table"}.'
            ) from error
        raise invalid_request(errors) from error
    return require_dataset_type(choice.dataset_type, 422).dataset_type


def choose_type(job_id: UUID, dataset_type: str, user: User) -> Job:
    """Say what the file of a job is: the job runs again as that, whatever its status.

    Raises Problem: 404; 409 where the bytes are gone or another job is under way with the same file; 429.
    """
    answer = database().call("choose_type", {"p_job_id": job_id, "p_dataset_type": dataset_type}, as_user=user)
    job = Job.model_validate(answer)
    send_hint(RUN_HINT, may_be_lost=True)
    return job


def cancel(job_id: UUID, user: User) -> Job:
    """Cancel a job, or ask a running one to stop. Raises Problem: 404; 409 for one that has ended."""
    return Job.model_validate(database().call("cancel_job", {"p_job_id": job_id}, as_user=user))


def retry(job_id: UUID, user: User) -> Job:
    """Queue a failed or cancelled job again, with new attempts.

    Raises Problem: 404; 409 for any other job, for one whose bytes are gone, and where another does the same; 429.
    """
    job = Job.model_validate(database().call("retry_job", {"p_job_id": job_id}, as_user=user))
    send_hint(RUN_HINT, may_be_lost=True)
    return job


def reprocess(job_id: UUID, user: User) -> Reprocessed:
    """Process the file of a job anew, unless that is under way.

    Raises Problem: 404, 409 where its bytes are gone, 429.
    """
    answer = database().call("reprocess_job", {"p_job_id": job_id}, as_user=user)
    reprocessed = Reprocessed.model_validate(answer)
    send_hint(RUN_HINT, may_be_lost=True)
    return reprocessed


def delete(job_id: UUID, user: User) -> None:
    """Delete a job whatever its status: its rows now, its objects within minutes. Raises Problem (404)."""
    database().call("delete_job", {"p_job_id": job_id}, as_user=user)
    send_hint(CLEAN_UP_HINT, may_be_lost=True)
