"""Answers what no route takes: an address that there is not, or a method that an address does not have."""

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
    """Return the OpenAPI document of the whole API, as JSON."""
    return Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")


def answer_otherwise(method: str, path: str) -> Response[str]:
    """Answer 404; 405 with `Allow` where the address takes other methods; to OPTIONS 204 with the same header."""
    methods = _methods(path)
    # Where the method is one of them, it is the id in the address that no route takes.
    if not methods or method in methods:
        return problem_answer(no_such_route())
    allow = ", ".join(methods)
    if method == "OPTIONS":
        return Response(status_code=204, body="", headers={"Allow": allow})
    answer = problem_answer(
        Problem(405, "method_not_allowed", "This address does not take the request's method.", f"Use one of: {allow}.")
    )
    answer.headers["Allow"] = allow
    return answer


def is_head(event: Mapping[str, Any]) -> bool:
    """Tell whether an event (payload format 2.0) is a HEAD request."""
    return bool(event["requestContext"]["http"]["method"] == "HEAD")


def as_get(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event of the GET request whose answer, without its body, is that of a HEAD request."""
    context = event["requestContext"]
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}


def _methods(path: str) -> list[str]:
    for pattern, methods in _routes():
        if pattern.fullmatch(path):
            return methods
    return []


@lru_cache(maxsize=1)
def _routes() -> list[tuple[re.Pattern[str], list[str]]]:
    """Every path of the whole API as a pattern, with its methods."""
    routes = []
    for path, operations in json.loads(openapi())["paths"].items():
        pattern = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))
        methods = sorted({method.upper() for method in operations} | ({"HEAD"} if "get" in operations else set()))
        routes.append((re.compile(pattern), methods))
    return routes
