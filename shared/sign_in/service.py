"""What the project's sign-in service says: an answer within seconds, and of a size that such an answer has."""

from __future__ import annotations

import time
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

from shared.errors import Transient

if TYPE_CHECKING:
    import httpx

_SECONDS = 3
# A user may put what they like into their own user_metadata, which is part of the answer about them.
_MAX_BYTES = 1_000_000


def ask(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """GET an address; return the HTTP status and the body. No redirect is followed.

    Raises Transient when there is no answer, one that is too large, or one whose body is not there after 3 seconds: the
    HTTP client's own timeouts hold for each read alone.
    """
    import httpx  # noqa: PLC0415  # takes long, and most requests need none of it

    deadline = time.monotonic() + _SECONDS
    body = b""
    try:
        with _client().stream("GET", url, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES or time.monotonic() > deadline:
                    raise Transient("the sign-in service does not answer as it should")
    except httpx.HTTPError as error:
        raise Transient("the sign-in service does not answer") from error
    return response.status_code, body


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    import httpx  # noqa: PLC0415  # see ask

    return httpx.Client(
        timeout=_SECONDS,
        # A connection kept over a freeze of the function would be dead.
        limits=httpx.Limits(max_keepalive_connections=0),
        # One client for all users: a cookie of a gateway's would go from one to the next.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )
