"""The commands, on uploads, jobs, webhooks and the account; and the webhook of Supabase's own, POST /events/storage."""

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
from shared.wire.jobs import FILENAME_SCHEMA, HintTaken, Job, OnDuplicate, UploadAnswer
from shared.wire.columns import RememberedColumns
from shared.wire.webhooks import NewWebhook, Webhook

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
        problems=[
            NOT_SIGNED_IN,
            (409, "The size is not that of the file with this SHA-256"),
            (413, "The file is too large"),
            (415, "The body is a form, not the file itself"),
            INVALID,
            UNAVAILABLE,
        ],
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
        if (dataset_type, parameters, on_duplicate) != (None, None, None):
            raise Problem(
                422,
                "invalid_request",
                "Query parameters describe a file, but `filename` is missing.",
                "Add ?filename=river.csv if the body is the file itself; else say it in the JSON.",
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
        (202, Job, "It runs, and was asked to stop"),
        problems=[NOT_SIGNED_IN, (404, "No such job"), (409, "It has already ended"), UNAVAILABLE],
    ),
)
def post_cancel(job_id: UUID, user: SignedIn) -> Response[str]:
    """Cancel a job that has not ended: 200 when it is cancelled, 202 when it runs and was asked to stop."""
    job = jobs.cancel(job_id, user)
    logger.info("cancel asked for", status=job.status)
    if job.status != "cancelled":
        return answer(202, job)
    # Counted again if it is asked again.
    measure("JobsCancelled")
    return answer(200, job)


@api.post(
    "/jobs/<job_id>/retry",
    summary="Try a failed or cancelled job again",
    operation_id="retry_job",
    responses=documented(
        (200, Job, "It is queued, with as many attempts as a new one has"),
        problems=[
            NOT_SIGNED_IN,
            (404, "No such job"),
            (409, "It has not failed, its bytes are gone, or another job does the same"),
            UNAVAILABLE,
        ],
    ),
)
def post_retry(job_id: UUID, user: SignedIn) -> Response[str]:
    """Queue the job again: the same file, dataset type and parameters; what it failed of is forgotten.

    That helps where the error's suggestion says so. A job that failed by its file or its parameters fails the same way.
    """
    job = jobs.retry(job_id, user)
    logger.info("retry asked for")
    return answer(200, job)


@api.post(
    "/jobs/<job_id>/reprocess",
    summary="Process the file of a job anew",
    operation_id="reprocess_job",
    responses=documented(
        (200, Job, "The job that does so already"),
        (201, Job, "A new job on the same upload"),
        problems=[NOT_SIGNED_IN, (404, "No such job"), (409, "Its bytes are gone"), UNAVAILABLE],
    ),
)
def post_reprocess(job_id: UUID, user: SignedIn) -> Response[str]:
    """Make a new job with the same dataset type and parameters and today's pipeline; the old one stays as it is."""
    reprocessed = jobs.reprocess(job_id, user)
    logger.info("reprocess asked for", new=reprocessed.new, new_job_id=str(reprocessed.job.job_id))
    return answer(201 if reprocessed.new else 200, reprocessed.job)


@api.patch(
    "/jobs/<job_id>",
    summary="Say what the file of a job is",
    operation_id="choose_type",
    responses=documented(
        (200, Job, "It is queued to run as that type, if it does not already"),
        problems=[
            NOT_SIGNED_IN,
            (404, "No such job"),
            (409, "Its bytes are gone, or another job is under way with the same file"),
            INVALID,
            UNAVAILABLE,
        ],
    ),
)
def patch_job(job_id: UUID, user: SignedIn) -> Response[str]:
    """Take JSON with a `dataset_type`, at any time: the job runs again as that type, in a new attempt.

    With `parameters` it runs with those instead of its own, with `columns` with those columns. The outputs that it has go at once; an attempt that runs is
    stopped. The job keeps who chose and when. The same choice again changes nothing, unless the job has failed or was
    cancelled.
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
    | {204: {"description": "Deleted with its outputs, and with its upload if no other job has that"}},
)
def delete_job(job_id: UUID, user: SignedIn) -> Response[str]:
    """Delete a job whatever its status: it is gone at once, its files within minutes; one that runs is stopped."""
    jobs.delete(job_id, user)
    logger.info("job deleted")
    return Response(status_code=204, body="")


@api.delete(
    "/me",
    summary="Delete all that the account has",
    operation_id="delete_account",
    responses=documented(
        (202, Remaining, "There is more than one request can delete: ask again"), problems=[NOT_SIGNED_IN, UNAVAILABLE]
    )
    | {204: {"description": "Nothing is left but the plan and what is used of its hourly limit"}},
)
def delete_me(user: SignedIn) -> Response[str]:
    """Delete jobs whatever their status, uploads, outputs, webhooks and deliveries; the files go within minutes.

    The plan and what is used of its uploads an hour stay. So does the sign-in, which is not this service's own. What
    arrives later by a link that was given out before is deleted within a day.
    """
    context: LambdaContext = api.lambda_context
    remaining = account.delete_account(user, context.get_remaining_time_in_millis)
    logger.info("account deleted", left=remaining.left)
    return answer(202, remaining) if remaining.left else Response(status_code=204, body="")


@api.post(
    "/webhooks",
    summary="Register a URL that is told when a job is done or has failed",
    operation_id="create_webhook",
    responses=documented(
        (
            200,
            Webhook,
            "You registered this URL before. Its secret is not shown again; to get another, delete it first",
        ),
        (201, NewWebhook, "The webhook, and the secret that its deliveries are signed with: shown this once"),
        problems=[NOT_SIGNED_IN, (409, "There are ten webhooks already"), INVALID, UNAVAILABLE],
    ),
)
def post_webhook(user: SignedIn) -> Response[str]:
    """Take the URL as JSON: https, a public address. Each job that ends from now on is told there, signed."""
    webhook = webhooks.create(webhooks.parse_request(_body()), user)
    logger.info("webhook registered", webhook_id=str(webhook.webhook_id))
    return answer(201 if isinstance(webhook, NewWebhook) else 200, webhook)


@api.put(
    "/columns/<choice_id>",
    summary="Change remembered columns",
    operation_id="edit_columns",
    responses=documented(
        (200, RememberedColumns, "What is remembered now"),
        problems=[NOT_SIGNED_IN, (404, "No such columns are remembered"), INVALID, UNAVAILABLE],
    ),
)
def put_columns(choice_id: UUID, user: SignedIn) -> Response[str]:
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
    """Tell the URL nothing more; what is being sent at this moment may still arrive."""
    webhooks.delete(webhook_id, user)
    logger.info("webhook deleted", webhook_id=str(webhook_id))
    return Response(status_code=204, body="")


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
