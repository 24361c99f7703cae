"""Call a handler like API Gateway: events, context, and a signed-in client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

from aws_lambda_powertools.utilities.typing import LambdaContext

from tests.issuer import Issuer

UNKNOWN_ID = "6c1af6f1-d10f-4b65-8cac-683a7d62e716"
BUCKET = "assay"
QUEUE = "assay"
NEWS_QUEUE = "assay-news"
Handler = Callable[[dict[str, object], LambdaContext], Any]


class Context(LambdaContext):
    """What Lambda tells a handler of its invocation."""

    def __init__(self) -> None:
        self._function_name = "test"
        self._function_version = "$LATEST"
        self._invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:test"
        self._memory_limit_in_mb = 1024  # the least that template.yaml lets be
        self._aws_request_id = str(uuid4())
        self._log_group_name = "log"
        self._log_stream_name = "log"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:  # tests look into it freely
        return json.loads(self.body)

    def problem(self) -> tuple[int, str]:
        """Status and code, after a look at the shape that every error has."""
        assert self.headers["content-type"] == "application/problem+json"
        details = self.json()
        assert set(details) == {"type", "title", "status", "detail", "code", "suggestion"}
        assert details["status"] == self.status
        assert all(details.values())
        return self.status, details["code"]


def http_event(
    method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> dict[str, object]:
    """An event of payload format 2.0.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    url = urlsplit(target)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "queryStringParameters": dict(parse_qsl(url.query, keep_blank_values=True)),
        "headers": headers or {},
        "requestContext": {
            "http": {"method": method, "path": url.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": "request",
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


def answered(handler: Handler, event: dict[str, object]) -> Answer:
    """Call a handler with one of its events."""
    answer = handler(event, Context())
    headers = {name.lower(): str(value) for name, value in answer["headers"].items()}
    return Answer(answer["statusCode"], headers, answer.get("body") or "")


class Client:
    """Calls a handler as a signed-in user."""

    def __init__(self, handler: Handler, issuer: Issuer, owner: UUID) -> None:
        self._handler = handler
        self.token = issuer.token(sub=str(owner))

    def call(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        body: bytes | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        data = json.dumps(json_body).encode() if json_body is not None else body
        target = f"{path}?{urlencode(query)}" if query else path
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return answered(self._handler, http_event(method, target, data, sent | (headers or {})))
