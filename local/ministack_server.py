"""Runs MiniStack in its own environment, closed to every caller but Assay. Started by local/ministack.py.

MiniStack answers unsigned calls under `/_…` that list queued messages or wipe all data, for any program and any web
page that finds the port; only its readiness is left open. It verifies signed links, but of a signed request it reads no
more than the access key's id, and takes `test` as well: here the id must be the stack's own, which is random.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import ministack.app as ministack  # type: ignore[import-not-found]  # it lives in an environment of its own

_Message = MutableMapping[str, Any]  # as ASGI defines it
_CREDENTIAL = re.compile(rb"Credential=([A-Za-z0-9]*)", re.IGNORECASE)
_served = ministack.app
_key_id = os.environ.get("AWS_ACCESS_KEY_ID", "").encode()


def _allowed(scope: _Message) -> bool:
    path: str = scope["path"]
    if path.startswith("/_"):
        return path == "/_ministack/ready"
    signed = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    named = [found for text in (*signed, scope["query_string"]) for found in _CREDENTIAL.findall(text)]
    return bool(named) and all(name == _key_id for name in named)


async def _guarded(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    if scope["type"] == "http" and not _allowed(scope):
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    await _served(scope, receive, send)


if __name__ == "__main__":
    ministack.app = _guarded
    ministack.main()
