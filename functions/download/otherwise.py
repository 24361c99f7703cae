"""Answers requests without a route: unknown paths, and methods that a path does not allow."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response

from shared.errors import Problem
from shared.http import no_such_route, problem_answer


@lru_cache(maxsize=1)
def openapi() -> str:
    """Return the OpenAPI document of the API, as JSON."""
    return Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")


def answer_otherwise(method: str, path: str) -> Response[str]:
    """Answer 404, or 405 with `Allow` if the path allows other methods; OPTIONS gets 204 with the same header."""
    methods = _methods(path)
    # If the method is allowed, then the id in the path is not valid.
    if not methods or method in methods:
        return problem_answer(no_such_route())
    allow = ", ".join(methods)
    if method == "OPTIONS":
        return Response(status_code=204, body="", headers={"Allow": allow})
    answer = problem_answer(
        Problem(405, "method_not_allowed", "This path does not allow the request's method.", f"Use one of: {allow}.")
    )
    answer.headers["Allow"] = allow
    return answer


def is_head(event: Mapping[str, Any]) -> bool:
    """Whether an event (payload format 2.0) is a HEAD request."""
    return bool(event["requestContext"]["http"]["method"] == "HEAD")


def as_get(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the GET event for a HEAD event; the response is the same without its body."""
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _methods(path: str) -> list[str]:
    for pattern, methods in _routes():
        if pattern.fullmatch(path):
            return methods
    return []


@lru_cache(maxsize=1)
def _routes() -> list[tuple[re.Pattern[str], list[str]]]:
    """Return every path of the API as a pattern, with its methods."""
    routes = []
    for path, operations in json.loads(openapi())["paths"].items():
        pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))
        methods = sorted({method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set()))
        routes.append((re.compile(pattern), methods))
    return routes
