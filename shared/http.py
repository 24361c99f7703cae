"""What both HTTP functions share: the resolver, sign-in, and the format of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar, cast
from urllib.parse import unquote_to_bytes

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Request, Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Problem, Transient
from shared.sign_in.auth import User, verifier
from shared.telemetry import follow, logger
from shared.wire.service import ProblemDetails

_Model = TypeVar("_Model", bound=BaseModel)

RETRY_AFTER_SECONDS = 5

# Sent with every response: HTTPS only, no type sniffing, no loading or framing, no referrer, no caching (a route may
# allow it).
# Source: https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def answer(status: int, body: BaseModel) -> Response[str]:
    """Return a response with a model as JSON."""
    return Response(status_code=status, content_type="application/json", body=body.model_dump_json())


def problem_answer(problem: Problem) -> Response[str]:
    """Return a response with problem details and the header that belongs to the problem."""
    details = ProblemDetails(
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        suggestion=problem.suggestion,
    )
    headers: dict[str, str | list[str]] = {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    return Response(
        status_code=problem.status,
        content_type="application/problem+json",
        body=details.model_dump_json(),
        headers=headers,
    )


def no_such_route() -> Problem:
    """Return the problem for an unknown path."""
    return Problem(404, "no_such_route", "There is no such path.", "See GET /openapi.json.")


def parse_json(model: type[_Model], body: bytes, suggestion: str) -> _Model:
    """Validate a request's body. `suggestion` is for a body that is not JSON. Raises Problem (422)."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        if errors[0]["type"] == "json_invalid":
            raise Problem(422, "invalid_request", "The body is not JSON.", suggestion) from error
        raise invalid_request(errors) from error


def invalid_request(errors: Sequence[ErrorDetails]) -> Problem:
    """Turn pydantic's errors into one problem. An error with its own code and suggestion takes precedence."""
    for error in errors:
        if error["loc"][:1] == ("path",):
            return Problem(404, "not_found", "There is nothing with this id.", "Ids are UUIDs. Get one from the list.")
        suggestion = error.get("ctx", {}).get("suggestion")
        if suggestion:
            status = 413 if error["type"] == "too_large" else 422
            return Problem(status, error["type"], error["msg"], suggestion)
    places = "; ".join(": ".join([".".join(map(str, error["loc"])) or "body", error["msg"]]) for error in errors)
    return Problem(422, "invalid_request", f"The request is not valid: {places}.", "Compare it with GET /openapi.json.")


def require_utf8(raw_query_string: str) -> None:
    """Raise Problem for query parameters that are not UTF-8, because a gateway replaces what it cannot decode."""
    try:
        unquote_to_bytes(raw_query_string).decode()
    except UnicodeDecodeError as error:
        raise Problem(
            422,
            "invalid_request",
            "The query string is not UTF-8.",
            "Percent-encode the file's name as UTF-8, or send JSON with its name, size and SHA-256.",
        ) from error


def _signed_in(request: Request) -> User:
    event = cast("APIGatewayProxyEventV2", request.resolved_event)
    return verifier().sign_in(request.headers.get("authorization"), event.request_context.http.source_ip)


SignedIn = Annotated[User, Depends(_signed_in)]


def _follow_job(
    api: APIGatewayHttpResolver, next_middleware: Callable[[APIGatewayHttpResolver], Response[str]]
) -> Response[str]:
    # Already validated as a UUID.
    job_id = api.request.path_parameters.get("job_id")
    if job_id is not None:
        follow(job_id)
    return next_middleware(api)


def new_api() -> APIGatewayHttpResolver:
    """Return a resolver that validates requests and answers every error with problem details."""
    api = APIGatewayHttpResolver(enable_validation=True)
    api.use([_follow_job])

    @api.exception_handler(Problem)
    def _problem(error: Problem) -> Response[str]:
        return problem_answer(error)

    @api.exception_handler(RequestValidationError)
    def _invalid(error: RequestValidationError) -> Response[str]:
        return problem_answer(invalid_request(error.errors()))

    @api.exception_handler(Transient)
    def _unavailable(error: Transient) -> Response[str]:
        logger.warning("unavailable", exc_info=error)
        suggestion = f"Try again in {RETRY_AFTER_SECONDS} seconds."
        return problem_answer(
            Problem(503, "unavailable", f"Temporary failure: {error}.", suggestion, RETRY_AFTER_SECONDS)
        )

    @api.exception_handler(Exception)
    def _bug(error: Exception) -> Response[str]:
        logger.error("unexpected error", exc_info=error)
        return problem_answer(
            Problem(
                500,
                "internal_error",
                "Internal error.",
                "Try again. If it keeps failing, report it with the apigw-requestid header of this response.",
            )
        )

    @api.not_found
    def _no_route(error: NotFoundError) -> Response[str]:  # noqa: ARG001  # the resolver hands it over
        return problem_answer(no_such_route())

    return api


def respond(api: APIGatewayHttpResolver, event: dict[str, object], context: LambdaContext) -> dict[str, object]:
    """Answer an API Gateway HTTP API event (payload format 2.0) and log the response.

    Every log line of a request has its `request_id` (the response header apigw-requestid) and, once known, the job's id
    as `correlation_id`.
    """
    request = APIGatewayProxyEventV2(event)
    logger.append_keys(request_id=request.request_context.request_id)
    answered: dict[str, object] = api.resolve(event, context)
    answered["headers"] = {**SECURITY_HEADERS, **cast("dict[str, object]", answered["headers"])}
    logger.info("answered", route=request.route_key, status=answered["statusCode"])
    return answered


def documented(
    *answers: tuple[int, type[BaseModel], str], problems: Sequence[tuple[int, str]]
) -> dict[int, OpenAPIResponse]:
    """Describe a route's responses and problems for the OpenAPI document.

    TOO_MANY is added to every route that requires sign-in (NOT_SIGNED_IN).
    """
    good: dict[int, OpenAPIResponse] = {
        status: {"description": text, "content": {"application/json": {"model": model}}}
        for status, model, text in answers
    }
    responses = dict([TOO_MANY, *problems] if NOT_SIGNED_IN in problems else problems)
    bad: dict[int, OpenAPIResponse] = {
        status: {"description": text, "content": {"application/problem+json": {"model": ProblemDetails}}}
        for status, text in responses.items()
    }
    return good | bad


UNAVAILABLE = (503, "The database, object store or sign-in service does not answer; retry after Retry-After seconds")
NOT_SIGNED_IN = (401, "The access token is missing or not valid")
TOO_MANY = (429, "A limit was exceeded, or too many access tokens were refused; retry after Retry-After seconds")
INVALID = (422, "The request is not valid")
