"""Routes for queries: jobs, outputs, signed links, webhooks, the account, health."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Request, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.download import account, queries, webhooks
from functions.download.health import health
from functions.download.otherwise import answer_otherwise, as_get, is_head, openapi
from shared.catalog.dataset_types import DatasetTypes, all_dataset_types, example_of
from shared.http import INVALID, NOT_SIGNED_IN, UNAVAILABLE, SignedIn, answer, documented, new_api, respond
from shared.telemetry import logger, measure, metrics, tracer
from shared.wire.account import Account, AccountExport
from shared.wire.columns import RememberedColumnsList
from shared.wire.jobs import DownloadLink, JobPage, JobStatus, JobWithAttempts, OutputList
from shared.wire.service import Health
from shared.wire.webhooks import DeliveryPage, WebhookList

api = new_api()


@api.get(
    "/jobs",
    summary="List jobs, newest first",
    operation_id="list_jobs",
    responses=documented(
        (200, JobPage, "A page of jobs"), problems=[NOT_SIGNED_IN, (404, "No such cursor"), INVALID, UNAVAILABLE]
    ),
)
def get_jobs(
    user: SignedIn,
    status: Annotated[JobStatus | None, Query(description="only jobs with this status")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="jobs on a page")] = 20,
    cursor: Annotated[str | None, Query(description="next_cursor of the previous page")] = None,
) -> Response[str]:
    """List the caller's jobs."""
    return answer(200, queries.list_jobs(user, status, limit, cursor))


@api.get(
    "/jobs/<job_id>",
    summary="Show a job",
    operation_id="get_job",
    responses=documented(
        (200, JobWithAttempts, "The job"), problems=[NOT_SIGNED_IN, (404, "No such job"), UNAVAILABLE]
    ),
)
def get_job(job_id: UUID, user: SignedIn) -> Response[str]:
    """Show status, progress, detection, error and attempts of a job."""
    return answer(200, queries.get_job(user, job_id))


@api.get(
    "/jobs/<job_id>/outputs",
    summary="List a job's outputs",
    operation_id="list_outputs",
    responses=documented((200, OutputList, "The outputs"), problems=[NOT_SIGNED_IN, (404, "No such job"), UNAVAILABLE]),
)
def get_outputs(job_id: UUID, user: SignedIn) -> Response[str]:
    """List the outputs of a job. The list is empty until the job is done."""
    return answer(200, queries.list_outputs(user, job_id))


@api.get(
    "/outputs/<output_id>/download",
    summary="Get a signed link to an output",
    operation_id="download_output",
    responses=documented(
        (200, DownloadLink, "The link, for `Accept: application/json`"),
        problems=[NOT_SIGNED_IN, (404, "No such output"), UNAVAILABLE],
    )
    | {302: {"description": "Redirect to the signed link, which is valid for one hour"}},
)
def get_download(output_id: UUID, user: SignedIn, request: Request) -> Response[str]:
    """Redirect to a signed link. With `Accept: application/json`, return the link and when it expires."""
    link = queries.download_link(user, output_id)
    measure("DownloadLinks")
    if "application/json" in (request.headers.get("accept") or ""):
        return answer(200, link)
    return Response(status_code=302, body="", headers={"Location": link.url})


@api.get(
    "/columns",
    summary="List remembered columns, oldest first",
    operation_id="list_columns",
    responses=documented((200, RememberedColumnsList, "All of them"), problems=[NOT_SIGNED_IN, UNAVAILABLE]),
)
def get_columns(user: SignedIn) -> Response[str]:
    """List the columns that the caller confirmed: later files of the same type and header are read with them."""
    return answer(200, queries.list_columns(user))


@api.get(
    "/webhooks",
    summary="List webhooks, oldest first",
    operation_id="list_webhooks",
    responses=documented((200, WebhookList, "All webhooks"), problems=[NOT_SIGNED_IN, UNAVAILABLE]),
)
def get_webhooks(user: SignedIn) -> Response[str]:
    """List the caller's webhooks. A secret is shown only when its webhook is created."""
    return answer(200, webhooks.list_webhooks(user))


@api.get(
    "/webhooks/<webhook_id>/deliveries",
    summary="List the deliveries of a webhook, newest first",
    operation_id="list_deliveries",
    responses=documented(
        (200, DeliveryPage, "A page of deliveries"),
        problems=[NOT_SIGNED_IN, (404, "No such webhook, or no such cursor"), INVALID, UNAVAILABLE],
    ),
)
def get_deliveries(
    webhook_id: UUID,
    user: SignedIn,
    limit: Annotated[int, Query(ge=1, le=100, description="deliveries on a page")] = 20,
    cursor: Annotated[str | None, Query(description="next_cursor of the previous page")] = None,
) -> Response[str]:
    """List the deliveries of the last 30 days, with the result of each and when it is tried again."""
    return answer(200, webhooks.list_deliveries(user, webhook_id, limit, cursor))


@api.get(
    "/me",
    summary="Show the account: plan, limits and usage",
    operation_id="get_account",
    responses=documented((200, Account, "The account"), problems=[NOT_SIGNED_IN, UNAVAILABLE]),
)
def get_me(user: SignedIn) -> Response[str]:
    """Show the limits of the caller's plan and the current usage."""
    return answer(200, account.get_account(user))


@api.get(
    "/me/export",
    summary="Export the account's data",
    operation_id="export_account",
    responses=documented(
        (200, AccountExport, "A page"), problems=[NOT_SIGNED_IN, (404, "No such cursor"), INVALID, UNAVAILABLE]
    ),
)
def get_export(
    user: SignedIn,
    limit: Annotated[int, Query(ge=1, le=500, description="items on a page, in all lists together")] = 100,
    cursor: Annotated[str | None, Query(description="next_cursor of the previous page")] = None,
) -> Response[str]:
    """Return a page of the account's data. Each file has its SHA-256 and a link that is valid for one hour.

    Items that existed before the first page appear exactly once. Items created or deleted during the export may be
    missing.
    """
    return answer(200, account.export(user, limit, cursor))


@api.get(
    "/dataset-types",
    summary="List dataset types",
    operation_id="list_dataset_types",
    responses=documented((200, DatasetTypes, "The dataset types"), problems=[]),
)
def get_dataset_types() -> Response[str]:
    """List the dataset types, with their columns and the paths of their examples."""
    return answer(200, all_dataset_types())


@api.get(
    "/dataset-types/<dataset_type>/example",
    summary="Get an example file of a dataset type",
    operation_id="get_example",
    responses=documented(problems=[(404, "No such dataset type")])
    | {200: {"description": "The file", "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def get_example(dataset_type: str) -> Response[str]:
    """Return an example of a dataset type, as CSV."""
    text = example_of(dataset_type).read_text(encoding="utf-8")
    headers: dict[str, str | list[str]] = {"Content-Disposition": f'attachment; filename="{dataset_type}.csv"'}
    return Response(status_code=200, content_type="text/csv; charset=utf-8", body=text, headers=headers)


@api.get(
    "/health",
    summary="Check the service",
    operation_id="health",
    responses=documented(
        (200, Health, "All dependencies answer"), (503, Health, "At least one dependency is down"), problems=[]
    ),
)
def get_health() -> Response[str]:
    """Check database, object store and queue. Answers 200 if all answer, otherwise 503."""
    state = health()
    return answer(200 if state.status == "ok" else 503, state)


@api.get("/openapi.json", summary="Get the OpenAPI document", operation_id="openapi")
def get_openapi() -> Response[str]:
    """Return the OpenAPI document of the API."""
    return Response(status_code=200, content_type="application/json", body=openapi())


@api.not_found
def _no_route(error: NotFoundError) -> Response[str]:  # noqa: ARG001  # the resolver passes it
    return answer_otherwise(api.current_event.http_method, api.current_event.path)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Answer an API Gateway HTTP API event (payload format 2.0), including paths without a route."""
    if is_head(event):
        return {**respond(api, as_get(event), context), "body": ""}
    return respond(api, event, context)
