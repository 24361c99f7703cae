"""Errors of the service and of the object store."""

from __future__ import annotations

import re

import httpx
from pydantic import ValidationError

from assay.client.models import ProblemDetails


class Refused(Exception):
    """Assay or the object store refused a request; `problem` is the reason."""

    def __init__(self, problem: ProblemDetails) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refused(status: int, code: str, title: str, detail: str, suggestion: str) -> Refused:
    """Return an error of the client itself."""
    return Refused(ProblemDetails(title=title, status=status, detail=detail, code=code, suggestion=suggestion))


def service_refused(answer: httpx.Response) -> Refused:
    """Return the problem in a response. A gateway's error may have another format."""
    try:
        return Refused(ProblemDetails.model_validate_json(answer.content))
    except ValidationError:
        detail = f"{answer.request.method} {answer.url.path} failed: {answer.text[:500].strip() or '-'}"
        suggestion = "Check the URL and the token. If they are right, try again later."
        return refused(answer.status_code, "unexpected_answer", answer.reason_phrase or "Error", detail, suggestion)


def store_refused(answer: httpx.Response) -> Refused:
    """Return the error for a response of the object store."""
    code = re.search(r"<Code>(\w+)</Code>", answer.text)
    detail = f"The object store answered {answer.status_code} {code[1] if code else answer.reason_phrase}."
    suggestion = "Send the file again. A link is valid for a limited time and for one file."
    if answer.status_code == 413:
        suggestion = "Raise the file size limit of the object store's bucket, or send a smaller file."
    if answer.status_code == 507:
        suggestion = "Free space on the disk where this Assay keeps its objects, then send the file again."
    return refused(answer.status_code, "object_store_refused", answer.reason_phrase or "Error", detail, suggestion)


def unreachable(service: str, error: httpx.RequestError) -> Refused:
    """Return the error for a request without a response."""
    detail = f"{service} cannot be reached: {error or type(error).__name__}."
    return refused(503, "unreachable", "Service Unavailable", detail, "Check the URL and the network.")
