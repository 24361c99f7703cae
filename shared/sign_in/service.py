"""Requests to the project's sign-in service, with limits on time and size."""

from __future__ import annotations

import time
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

from shared.errors import Transient

if TYPE_CHECKING:
    import httpx

_SECONDS = 3
# The response about a user contains user_metadata, which users set themselves.
_MAX_BYTES = 1_000_000


def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """GET a URL and return the HTTP status and the body. Redirects are not followed.

    Raises Transient if there is no response, if it is too large, or if it is not complete after 3 seconds. The HTTP
    client's timeouts apply only to single reads.
    """
    import httpx  # noqa: PLC0415  # slow to import, and most requests don't need it

    deadline = time.monotonic() + _SECONDS
    body = b""
    try:
        with _client().stream("GET", url, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES or time.monotonic() > deadline:
                    raise Transient("the sign-in service's answer is not valid")
    except httpx.HTTPError as error:
        raise Transient("the sign-in service does not answer") from error
    return response.status_code, body


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    import httpx  # noqa: PLC0415  # see ask

    return httpx.Client(
        timeout=_SECONDS,
        # A kept connection would be dead after the function was frozen.
        limits=httpx.Limits(max_keepalive_connections=0),
        # All users share this client: a gateway's cookie must not reach another user.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
