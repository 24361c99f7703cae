"""The local API gateway: an ASGI application that calls the functions like API Gateway and Lambda."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import JsonValue

from local.aws.gateway import Request, Response, to_event, to_response
from local.aws.lambda_context import LambdaContext
from local.aws.template import Handler, Route

MAX_BODY_BYTES = 6 * 1024 * 1024
JWKS_PATH = "/auth/v1/.well-known/jwks.json"

_Message = MutableMapping[str, Any]  # as ASGI defines it
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_log = logging.getLogger(__name__)


class Bridge:
    """Calls the function of each request's route, and serves the public key of local tokens.

    `handlers` are the functions by logical id; `touch` is called for each request.
    """

    def __init__(
        self,
        routes: list[Route],
        handlers: Mapping[str, Handler],
        jwks: Mapping[str, JsonValue],
        touch: Callable[[], None] = lambda: None,
    ) -> None:
        self._routes = routes
        self._handlers = handlers
        self._jwks = dict(jwks)
        self._touch = touch
        # A Lambda instance handles one request at a time. The event handler stores the current request in a class
        # variable, which all functions in this process share, so they share one thread.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lambda")

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve one HTTP request (ASGI)."""
        if scope["type"] != "http":
            raise ValueError(f"only HTTP is supported, not {scope['type']}")
        self._touch()
        request_id = str(uuid.uuid4())
        response = await self._answer(scope, receive, request_id)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        headers.append((b"apigw-requestid", request_id.encode()))
        if response.status == 413:
            headers.append((b"connection", b"close"))  # the rest of the body is unread
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: _Message, receive: _Receive, request_id: str) -> Response:
        method: str = scope["method"]
        raw_path: str = scope["raw_path"].decode("latin-1")
        if (method, raw_path) == ("GET", JWKS_PATH):
            return to_response(self._jwks)
        for route in self._routes:
            path_parameters = route.match(method, raw_path)
            if path_parameters is not None:
                break
        else:
            return Response.message(404, "Not Found")

        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        body = await _read(headers, receive)
        if body is None:
            return Response.message(413, "Request Entity Too Large")
        request = Request(
            method=method,
            raw_path=raw_path,
            query_string=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            client=scope["client"][0] if scope.get("client") else "127.0.0.1",
            http_version=scope["http_version"],
            request_id=request_id,
        )
        event = to_event(request, route, path_parameters)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._call, route, event)

    def _call(self, route: Route, event: dict[str, Any]) -> Response:
        try:
            return to_response(self._handlers[route.function.name](event, LambdaContext(route.function)))
        except Exception:  # noqa: BLE001  # after any error of a function, the gateway answers
            _log.exception("%s failed", route.function.name)
            return Response.message(500, "Internal Server Error")


async def _read(headers: list[tuple[str, str]], receive: _Receive) -> bytes | None:
    """Read the body. Return None as soon as it exceeds the gateway's limit."""
    announced = dict(headers).get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)
