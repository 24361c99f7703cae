"""The commands: POST /uploads, POST /jobs/{job_id}/cancel; and Supabase's webhook, POST /events/storage."""

from __future__ import annotations

import base64
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import JsonValue
from pydantic_core import from_json

from functions.upload import uploads
from functions.upload.storage_hook import HEADER, take_hint
from shared.api import INVALID, NOT_SIGNED_IN, UNAVAILABLE, SignedIn, answer, documented, new_api, respond
from shared.database import database
from shared.errors import Problem
from shared.models import FILENAME_SCHEMA, HintTaken, Job, OnDuplicate, UploadAnswer
from shared.telemetry import follow, logger, measure, metrics, tracer

api = new_api()


@api.post(
    "/uploads",
    summary="Upload a file, or register one to be sent by a signed link",
    operation_id="upload",
    responses=documented(
        (200, UploadAnswer, "Nothing needs to be sent: the job that answers this upload"),
        (
            201,
            UploadAnswer,
            "A job that waits for the bytes, and where to PUT them; no link if they came with the request",
        ),
        problems=[NOT_SIGNED_IN, (413, "The file is too large"), INVALID, UNAVAILABLE],
    ),
)
def post_uploads(
    user: SignedIn,
    filename: Annotated[
        str | None, Query(description="with a raw body: the file's name", json_schema_extra=FILENAME_SCHEMA)
    ] = None,
    dataset_type: Annotated[str | None, Query(description="with a raw body: what the file is")] = None,
    parameters: Annotated[str | None, Query(description="with a raw body: the parameters, as JSON")] = None,
    on_duplicate: Annotated[OnDuplicate | None, Query(description="with a raw body: reuse or reprocess")] = None,
) -> Response[str]:
    """Take JSON that describes a file, or with `?filename=` the file itself (up to 6 MB)."""
    if filename is None:
        registered = uploads.register(uploads.parse_request(_body()), user)
    else:
        query: dict[str, JsonValue] = {"filename": filename, "parameters": _parameters(parameters)}
        query |= {"dataset_type": dataset_type} if dataset_type else {}
        query |= {"on_duplicate": on_duplicate} if on_duplicate else {}
        registered = uploads.store(_body(), query, user)
    follow(registered.job.job_id)
    measure("UploadsCached" if registered.cached else "UploadsRegistered")
    logger.info("upload registered", cached=registered.cached)
    return answer(200 if registered.cached else 201, registered)


@api.post(
    "/jobs/<job_id>/cancel",
    summary="Cancel a job",
    operation_id="cancel_job",
    responses=documented(
        (200, Job, "Cancelled"),
        (202, Job, "It runs, and was asked to stop"),
        problems=[NOT_SIGNED_IN, (404, "No such job"), (409, "It has already ended"), UNAVAILABLE],
    ),
)
def post_cancel(job_id: UUID, user: SignedIn) -> Response[str]:
    """Cancel a job that has not ended: 200 when it is cancelled, 202 when it runs and was asked to stop."""
    job = Job.model_validate(database().call("cancel_job", {"p_job_id": job_id}, as_user=user))
    logger.info("cancel asked for", status=job.status)
    if job.status != "cancelled":
        return answer(202, job)
    # Counted again if it is asked again.
    measure("JobsCancelled")
    return answer(200, job)


@api.post(
    "/events/storage",
    summary="Hint that Supabase Storage holds new objects",
    operation_id="hint_storage",
    responses=documented(
        (202, HintTaken, "The outbox will be looked into"),
        problems=[
            (401, "The hook's secret is missing or wrong"),
            (404, "No webhook is expected"),
            (503, "The queue does not answer; the sweep finds in a minute what this hint was about"),
        ],
    ),
)
def post_storage_event() -> Response[str]:
    """Take the hint of Supabase's webhook; its body says nothing that is believed, and is not read."""
    take_hint(api.current_event.headers.get(HEADER))
    return answer(202, HintTaken())


def _body() -> bytes:
    event = api.current_event
    body = event.body or ""
    return base64.b64decode(body) if event.is_base64_encoded else body.encode()


def _parameters(text: str | None) -> JsonValue:
    if text is None:
        return {}
    try:
        value: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise Problem(
            422, "invalid_parameters", "The parameters are not JSON.", 'Send an object such as {"aggregate": "median"}.'
        ) from error
    return value


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Answer an API Gateway HTTP API event (payload format 2.0)."""
    return respond(api, event, context)
