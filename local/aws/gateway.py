"""Convert between HTTP and events of API Gateway's HTTP API (payload format 2.0)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.aws.template import Route

_TEXT = ("text/", "application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Request:
    """A complete HTTP request. The path is percent-encoded, header names are in lower case."""

    method: str
    raw_path: str
    query_string: str
    headers: list[tuple[str, str]]
    body: bytes
    client: str
    http_version: str = "1.1"
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def message(cls, status: int, text: str) -> Response:
        """Return a response of the gateway itself, without the headers that functions add, as on AWS."""
        return cls(status, [("content-type", "application/json")], json.dumps({"message": text}).encode())


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Merge repeated names; their values are joined by commas."""
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def to_event(request: Request, route: Route, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the event for the function."""
    headers = _joined((name, value) for name, value in request.headers if name != "cookie")
    cookies = [part.strip() for name, value in request.headers if name == "cookie" for part in value.split(";")]
    path, now = unquote(request.raw_path), datetime.now(UTC)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.query_string,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": headers.get("host", "localhost"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": f"HTTP/{request.http_version}",
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query := _joined(parse_qsl(request.query_string, keep_blank_values=True)):
        event["queryStringParameters"] = query
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _encoded(request.body, headers.get("content-type", ""))
    return event


def _encoded(body: bytes, media_type: str) -> tuple[str, bool]:
    """Return the body as text if its content type and bytes are text, otherwise as base64, and whether it is base64."""
    if media_type.lower().startswith(_TEXT):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # not UTF-8, whatever the content type says
    return base64.b64encode(body).decode("ascii"), True


def to_response(result: object) -> Response:
    """Return the HTTP response for a function's result. Without `statusCode` the whole result is the body.

    Raises ValueError or TypeError for a result that API Gateway would reject.
    """
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(200, [("content-type", "application/json")], json.dumps(result).encode())
    headers = [(str(name).lower(), _header_text(value)) for name, value in (result.get("headers") or {}).items()]
    headers += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    body = result.get("body") or ""
    if not isinstance(body, str):
        raise TypeError(f"the body of an answer must be text, not {type(body).__name__}")
    raw = base64.b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode("utf-8")
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain;charset=UTF-8"))
    return Response(int(result["statusCode"]), headers, raw)


def _header_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
