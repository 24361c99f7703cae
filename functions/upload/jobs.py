"""Commands on existing jobs."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, JsonValue

from shared.catalog.dataset_types import require_dataset_type
from shared.catalog.parameters import require_parameters
from shared.database import database
from shared.errors import Problem
from shared.http import parse_json
from shared.queue.events import CLEAN_UP_HINT, RUN_HINT
from shared.queue.hints import send_hint
from shared.sign_in.auth import User
from shared.wire.jobs import Job, TypeChoiceRequest

_REPLACE_PARAMETERS = "Replace the job's parameters with PATCH /jobs/{job_id}; {} is none."


class Reprocessed(BaseModel):
    """The job that processes a file again, and whether it is new."""

    new: bool
    job: Job


def parse_choice(body: bytes) -> TypeChoiceRequest:
    """Return the choice in a JSON body. Raises Problem (422), also for an unknown dataset type."""
    choice = parse_json(TypeChoiceRequest, body, 'Send JSON such as {"dataset_type": "table"}.')
    require_dataset_type(choice.dataset_type, 422)
    return choice


def choose_type(job_id: UUID, choice: TypeChoiceRequest, user: User) -> Job:
    """Choose a job's dataset type. The job runs again with it, whatever its status.

    Raises Problem: 404; 422 if the type does not accept the parameters; 409 if the file was deleted or another job is
    processing it; 429.
    """
    job = Job.model_validate(database().call("get_job", {"p_job_id": job_id}, as_user=user))
    parameters = _current_parameters(job) if choice.parameters is None else choice.parameters
    if choice.columns is not None:
        parameters = {**parameters, "columns": {**choice.columns}}
    try:
        require_parameters(choice.dataset_type, parameters)
    except Problem as problem:
        if choice.parameters is None:
            problem.suggestion = f"{_REPLACE_PARAMETERS} {problem.suggestion}"
        raise
    # Those that the job has are named, too: another choice at this moment could replace them by some that do not fit.
    answer = database().call(
        "choose_type",
        {"p_job_id": job_id, "p_dataset_type": choice.dataset_type, "p_parameters": parameters},
        as_user=user,
    )
    job = Job.model_validate(answer)
    send_hint(RUN_HINT, may_be_lost=True)
    return job


def _current_parameters(job: Job) -> dict[str, JsonValue]:
    chosen = job.type_choice.parameters if job.type_choice else None
    return job.parameters if chosen is None else chosen


def cancel(job_id: UUID, user: User) -> Job:
    """Cancel a job, or ask a running one to stop. Raises Problem: 404; 409 if it has ended."""
    return Job.model_validate(database().call("cancel_job", {"p_job_id": job_id}, as_user=user))


def retry(job_id: UUID, user: User) -> Job:
    """Queue a failed or cancelled job again, with new attempts.

    Raises Problem: 404; 409 for any other status, a deleted file, or another job that does the same work; 429.
    """
    job = Job.model_validate(database().call("retry_job", {"p_job_id": job_id}, as_user=user))
    send_hint(RUN_HINT, may_be_lost=True)
    return job


def reprocess(job_id: UUID, user: User) -> Reprocessed:
    """Process the file of a job again, unless another job already does.

    Raises Problem: 404, 409 if the file was deleted, 429.
    """
    answer = database().call("reprocess_job", {"p_job_id": job_id}, as_user=user)
    reprocessed = Reprocessed.model_validate(answer)
    send_hint(RUN_HINT, may_be_lost=True)
    return reprocessed


def delete(job_id: UUID, user: User) -> None:
    """Delete a job, whatever its status: rows immediately, objects within minutes. Raises Problem (404)."""
    database().call("delete_job", {"p_job_id": job_id}, as_user=user)
    send_hint(CLEAN_UP_HINT, may_be_lost=True)
