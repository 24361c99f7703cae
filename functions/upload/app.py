"""Routes for commands: uploads, jobs, webhooks, the account, and Supabase's webhook (POST /events/storage)."""

from __future__ import annotations

import base64
from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import JsonValue
from pydantic_core import from_json

from functions.upload import account, columns, jobs, uploads, webhooks
from functions.upload.storage_hook import HEADER, take_hint
from shared.errors import Problem
from shared.http import (
    INVALID,
    NOT_SIGNED_IN,
    UNAVAILABLE,
    SignedIn,
    answer,
    documented,
    new_api,
    require_utf8,
    respond,
)
from shared.telemetry import follow, logger, measure, metrics, tracer
from shared.wire.account import Remaining
from shared.wire.columns import RememberedColumns
from shared.wire.jobs import Job
from shared.wire.service import HintTaken
from shared.wire.uploads import FILENAME_SCHEMA, OnDuplicate, UploadAnswer
from shared.wire.webhooks import NewWebhook, Webhook

api = new_api()


@api.post(
    "/uploads",
    summary="Upload a file, or register one to send to a signed link",
    operation_id="upload",
    responses=documented(
        (200, UploadAnswer, "An earlier job has the result; nothing needs to be sent"),
        (
            201,
            UploadAnswer,
            "A new job, and a link to PUT the file to (no link if the request contained the file)",
        ),
        problems=[
            NOT_SIGNED_IN,
            (409, "The size does not match the stored file with this SHA-256"),
            (413, "The file is too large"),
            (415, "The body is a form, not the file"),
            INVALID,
            UNAVAILABLE,
        ],
    ),
)
def post_uploads(
    user: SignedIn,
    filename: Annotated[
        str | None, Query(description="file name, if the body is the file", json_schema_extra=FILENAME_SCHEMA)
    ] = None,
    dataset_type: Annotated[
        str | None, Query(description="dataset type, if the body is the file; detected if omitted")
    ] = None,
    parameters: Annotated[str | None, Query(description="parameters as JSON, if the body is the file")] = None,
    on_duplicate: Annotated[
        OnDuplicate | None, Query(description="reuse or reprocess, if the body is the file")
    ] = None,
) -> Response[str]:
    """Send JSON that describes a file, or with `?filename=` the file itself (up to 6 MB)."""
    if filename is None:
        if (dataset_type, parameters, on_duplicate) != (None, None, None):
            raise Problem(
                422,
                "invalid_request",
                "Query parameters describe a file, but `filename` is missing.",
                "Add ?filename=river.csv if the body is the file. Otherwise put these values into the JSON.",
            )
        registered = uploads.register(uploads.parse_request(_body()), user)
    else:
        query: dict[str, JsonValue] = {"filename": filename, "parameters": _parameters(parameters)}
        query |= {"dataset_type": dataset_type} if dataset_type is not None else {}
        query |= {"on_duplicate": on_duplicate} if on_duplicate is not None else {}
        uploads.require_plain_body(api.current_event.headers.get("content-type"))
        require_utf8(api.current_event.raw_query_string)
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
        (202, Job, "The job is running; its cancellation was requested"),
        problems=[NOT_SIGNED_IN, (404, "No such job"), (409, "The job has already ended"), UNAVAILABLE],
    ),
)
def post_cancel(job_id: UUID, user: SignedIn) -> Response[str]:
    """Cancel a job. Answers 200 if it is cancelled, 202 if it is running and will stop."""
    job = jobs.cancel(job_id, user)
    logger.info("cancel requested", status=job.status)
    if job.status != "cancelled":
        return answer(202, job)
    # Repeated requests are counted again.
    measure("JobsCancelled")
    return answer(200, job)


@api.post(
    "/jobs/<job_id>/retry",
    summary="Retry a failed or cancelled job",
    operation_id="retry_job",
    responses=documented(
        (200, Job, "The job is queued, with as many attempts as a new job"),
        problems=[
            NOT_SIGNED_IN,
            (404, "No such job"),
            (409, "The job has not failed, its file was deleted, or another job does the same work"),
            UNAVAILABLE,
        ],
    ),
)
def post_retry(job_id: UUID, user: SignedIn) -> Response[str]:
    """Queue the job again with the same file, dataset type and parameters. Its error is cleared.

    Use it if the error's suggestion says so. A job that failed because of its file or parameters fails again.
    """
    job = jobs.retry(job_id, user)
    logger.info("retry requested")
    return answer(200, job)


@api.post(
    "/jobs/<job_id>/reprocess",
    summary="Process the file of a job again",
    operation_id="reprocess_job",
    responses=documented(
        (200, Job, "An existing job that already does this"),
        (201, Job, "A new job for the same upload"),
        problems=[NOT_SIGNED_IN, (404, "No such job"), (409, "The job's file was deleted"), UNAVAILABLE],
    ),
)
def post_reprocess(job_id: UUID, user: SignedIn) -> Response[str]:
    """Create a job with the same dataset type and parameters and the current pipeline. The old job does not change."""
    reprocessed = jobs.reprocess(job_id, user)
    logger.info("reprocess requested", new=reprocessed.new, new_job_id=str(reprocessed.job.job_id))
    return answer(201 if reprocessed.new else 200, reprocessed.job)


@api.patch(
    "/jobs/<job_id>",
    summary="Choose the dataset type of a job",
    operation_id="choose_type",
    responses=documented(
        (200, Job, "The job is queued with this type, or already has it"),
        problems=[
            NOT_SIGNED_IN,
            (404, "No such job"),
            (409, "The job's file was deleted, or another job is processing it"),
            INVALID,
            UNAVAILABLE,
        ],
    ),
)
def patch_job(job_id: UUID, user: SignedIn) -> Response[str]:
    """Send JSON with a `dataset_type`, at any time. The job runs again with that type, in a new attempt.

    With `parameters` it runs with those instead of its own, with `columns` with those columns. Its outputs are deleted,
    and a running attempt is stopped. The job records who chose and when. Repeating the same choice changes nothing,
    unless the job has failed or was cancelled.
    """
    choice = jobs.parse_choice(_body())
    job = jobs.choose_type(job_id, choice, user)
    logger.info("type chosen", dataset_type=choice.dataset_type, status=job.status)
    return answer(200, job)


@api.delete(
    "/jobs/<job_id>",
    summary="Delete a job",
    operation_id="delete_job",
    responses=documented(problems=[NOT_SIGNED_IN, (404, "No such job"), UNAVAILABLE])
    | {204: {"description": "Deleted with its outputs, and with its upload unless another job uses it"}},
)
def delete_job(job_id: UUID, user: SignedIn) -> Response[str]:
    """Delete a job, whatever its status.

    A running job is stopped. The job is deleted immediately, its files within minutes.
    """
    jobs.delete(job_id, user)
    logger.info("job deleted")
    return Response(status_code=204, body="")


@api.delete(
    "/me",
    summary="Delete the account's data",
    operation_id="delete_account",
    responses=documented(
        (202, Remaining, "More remains than one request can delete; repeat it"), problems=[NOT_SIGNED_IN, UNAVAILABLE]
    )
    | {204: {"description": "All data is deleted, except the plan and its hourly usage"}},
)
def delete_me(user: SignedIn) -> Response[str]:
    """Delete all jobs, uploads, outputs, webhooks, deliveries and remembered columns. Files are deleted within minutes.

    The plan and its hourly usage stay, and so does the user's sign-in, which this service does not manage. Files that
    arrive later over an existing link are deleted within a day.
    """
    context: LambdaContext = api.lambda_context
    remaining = account.delete_account(user, context.get_remaining_time_in_millis)
    logger.info("account deleted", left=remaining.left)
    return answer(202, remaining) if remaining.left else Response(status_code=204, body="")


@api.post(
    "/webhooks",
    summary="Register a webhook for done and failed jobs",
    operation_id="create_webhook",
    responses=documented(
        (
            200,
            Webhook,
            "The URL is already registered. Its secret is not shown again; to get a new one, delete the webhook first",
        ),
        (201, NewWebhook, "The webhook, and the secret that signs its deliveries. The secret is shown only here"),
        problems=[NOT_SIGNED_IN, (409, "There are already ten webhooks"), INVALID, UNAVAILABLE],
    ),
)
def post_webhook(user: SignedIn) -> Response[str]:
    """Send JSON with the `url`: https, a public address. Jobs that end from now on are delivered there, signed."""
    webhook = webhooks.create(webhooks.parse_request(_body()), user)
    logger.info("webhook registered", webhook_id=str(webhook.webhook_id))
    return answer(201 if isinstance(webhook, NewWebhook) else 200, webhook)


@api.patch(
    "/columns/<choice_id>",
    summary="Change remembered columns",
    operation_id="edit_columns",
    responses=documented(
        (200, RememberedColumns, "What is remembered now"),
        problems=[NOT_SIGNED_IN, (404, "No such columns are remembered"), INVALID, UNAVAILABLE],
    ),
)
def patch_columns(choice_id: UUID, user: SignedIn) -> Response[str]:
    """Take JSON with all `columns` to remember, in place of those that are; jobs that have begun keep theirs."""
    return answer(200, columns.edit(choice_id, columns.parse_request(_body()), user))


@api.delete(
    "/columns/<choice_id>",
    summary="Forget remembered columns",
    operation_id="forget_columns",
    responses=documented(problems=[NOT_SIGNED_IN, (404, "No such columns are remembered"), UNAVAILABLE])
    | {204: {"description": "Forgotten"}},
)
def delete_columns(choice_id: UUID, user: SignedIn) -> Response[str]:
    """Take the columns of files with this header from their names again; jobs that have begun keep theirs."""
    columns.forget(choice_id, user)
    return Response(status_code=204, body="")


@api.delete(
    "/webhooks/<webhook_id>",
    summary="Delete a webhook",
    operation_id="delete_webhook",
    responses=documented(problems=[NOT_SIGNED_IN, (404, "No such webhook"), UNAVAILABLE])
    | {204: {"description": "Deleted, with its secret and its deliveries"}},
)
def delete_webhook(webhook_id: UUID, user: SignedIn) -> Response[str]:
    """Stop deliveries to the URL. One that is being sent may still arrive."""
    webhooks.delete(webhook_id, user)
    logger.info("webhook deleted", webhook_id=str(webhook_id))
    return Response(status_code=204, body="")


@api.post(
    "/events/storage",
    summary="Report new objects in Supabase Storage",
    operation_id="hint_storage",
    responses=documented(
        (202, HintTaken, "The outbox will be processed"),
        problems=[
            (401, "The hook's secret is missing or wrong"),
            (404, "No webhook is expected"),
            (503, "The queue does not answer; the sweep will find the objects within a minute"),
        ],
    ),
)
def post_storage_event() -> Response[str]:
    """Accept the hint of Supabase's webhook. The body is not read."""
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
