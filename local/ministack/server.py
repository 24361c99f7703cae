"""Runs MiniStack in its own environment, closed to every caller but Assay. Started by local/ministack/ministack.py.

MiniStack answers unsigned calls under `/_…` that list queued messages or wipe all data, for any program and any web
page that finds the port; only its readiness is left open. It verifies signed links, but of a signed request it reads no
more than the access key's id, and takes `test` as well: here the id must be the stack's own, which is random.

It also answers that an object is kept when the disk is full and it kept nothing: here such an object is refused first.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import ministack.app as ministack  # type: ignore[import-not-found]  # it lives in an environment of its own

_Message = MutableMapping[str, Any]  # as ASGI defines it
_CREDENTIAL = re.compile(rb"Credential=([A-Za-z0-9]*)", re.IGNORECASE)
_served = ministack.app
_SPARE_BYTES = 64 * 1024 * 1024  # for the database, the logs and the queues beside the objects
_FULL = b"<Error><Code>InsufficientStorage</Code><Message>The disk is full.</Message></Error>"
_key_id = os.environ.get("AWS_ACCESS_KEY_ID", "").encode()


def _allowed(scope: _Message) -> bool:
    path: str = scope["path"]
    if path.startswith("/_"):
        return path == "/_ministack/ready"
    signed = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    named = [found for text in (*signed, scope["query_string"]) for found in _CREDENTIAL.findall(text)]
    return bool(named) and all(name == _key_id for name in named)


def _fits(scope: _Message) -> bool:
    """Whether what the request brings fits on the disk; a call of the queue (it has a target) always does."""
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
        # Read to its end: a caller that is cut off while it sends may never see the answer.
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
