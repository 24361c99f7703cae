"""What the service, or the object store behind it, answers when it does not do what it was asked."""

from __future__ import annotations

import re

import httpx
from pydantic import ValidationError

from assay.client.models import ProblemDetails


class Refused(Exception):
    """Assay, or the object store behind it, did not do what it was asked; `problem` says why."""

    def __init__(self, problem: ProblemDetails) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def refused(status: int, code: str, title: str, detail: str, suggestion: str) -> Refused:
    """Make a refusal of the client's own."""
    return Refused(ProblemDetails(title=title, status=status, detail=detail, code=code, suggestion=suggestion))


def service_refused(answer: httpx.Response) -> Refused:
    """Return the problem that an answer states; a gateway in between may have stated it in its own way."""
    try:
        return Refused(ProblemDetails.model_validate_json(answer.content))
    except ValidationError:
        detail = f"{answer.request.method} {answer.url.path} was answered with: {answer.text[:500].strip() or '-'}"
        suggestion = "Look at the address and the token; if they are right, try again later."
        return refused(answer.status_code, "unexpected_answer", answer.reason_phrase or "Error", detail, suggestion)


def store_refused(answer: httpx.Response) -> Refused:
    """Say why the object store did not take or give a file."""
    code = re.search(r"<Code>(\w+)</Code>", answer.text)
    detail = f"The object store answered {answer.status_code} {code[1] if code else answer.reason_phrase}."
    suggestion = "Send the file again; a link is valid for a limited time, and for exactly the bytes it was made for."
    if answer.status_code == 413:
        suggestion = "Raise the file size limit of the object store's bucket, or send a smaller file."
    if answer.status_code == 507:
        suggestion = "Free space on the disk where this Assay keeps its objects, then send the file again."
    return refused(answer.status_code, "object_store_refused", answer.reason_phrase or "Error", detail, suggestion)


def unreachable(what: str, error: httpx.RequestError) -> Refused:
    """Say that nobody answered at all."""
    detail = f"{what} cannot be reached: {error or type(error).__name__}."
    return refused(503, "unreachable", "Service Unavailable", detail, "Look at the address and the network.")
