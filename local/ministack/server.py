"""Runs MiniStack in its own environment, accessible only to Assay. Started by local/ministack/ministack.py.

MiniStack has unsigned routes under `/_…` that list queued messages or delete all data, open to any program and web page
that finds the port; here only the readiness route is open. MiniStack verifies signed links, but of a signed request it
reads only the access key id, and it also accepts `test`; here the id must be the stack's, which is random.

On a full disk, MiniStack reports success and stores nothing; here such an object is refused.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import ministack.app as ministack  # type: ignore[import-not-found]  # in its own environment

_Message = MutableMapping[str, Any]  # as ASGI defines it
_CREDENTIAL = re.compile(rb"Credential=([A-Za-z0-9]*)", re.IGNORECASE)
_served = ministack.app
_SPARE_BYTES = 64 * 1024 * 1024  # reserve for the database, the logs and the queues
_FULL = b"<Error><Code>InsufficientStorage</Code><Message>The disk is full.</Message></Error>"
_key_id = os.environ.get("AWS_ACCESS_KEY_ID", "").encode()


def _allowed(scope: _Message) -> bool:
    path: str = scope["path"]
    if path.startswith("/_"):
        return path == "/_ministack/ready"
    signed = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    named = [match for text in (*signed, scope["query_string"]) for match in _CREDENTIAL.findall(text)]
    return bool(named) and all(name == _key_id for name in named)


def _fits(scope: _Message) -> bool:
    """Whether the request's body fits on the disk. Requests to the queue (with a target) always do."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    if scope["method"] not in {"PUT", "POST"} or b"x-amz-target" in headers:
        return True
    length = headers.get(b"content-length", b"0")
    free = shutil.disk_usage(os.environ["S3_DATA_DIR"]).free
    return length.isdigit() and free >= int(length) + _SPARE_BYTES


async def _guarded(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    if scope["type"] == "http" and not _allowed(scope):
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["type"] == "http" and not _fits(scope):
        # Read the whole body: a client whose connection is closed while it sends may not see the response.
        while (await receive()).get("more_body", False):
            pass
        headers = [(b"content-type", b"application/xml"), (b"content-length", str(len(_FULL)).encode())]
        await send({"type": "http.response.start", "status": 507, "headers": headers})
        await send({"type": "http.response.body", "body": _FULL})
        return
    await _served(scope, receive, send)


if __name__ == "__main__":
    ministack.app = _guarded
    ministack.main()
