"""One POST to an address that a user chose: only to public addresses, never further, and never for long.

Everything about a try, from the host name to the head of the answer, happens within one time limit. The host name is
looked up once, every address that it has must be public, and the connection goes to one of those addresses, not to the
name: a name that leads elsewhere a moment later changes nothing. The certificate must be valid for the name. No
redirect is followed, no proxy asked, and nothing of the answer but its head is read.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from shared.errors import Problem
from shared.webhook_url import Receiver, is_public, receiver_of
from shared.wire.webhooks import DeliveryError

_HEAD_BYTES = 16 * 1024
_one_at_a_time = threading.Lock()  # or, at first, each of fifty threads would read the authorities' certificates
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r]")
_RETRY_AFTER = re.compile(rb"^retry-after:[ \t]*(\d{1,9})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Try:
    """How a try ended: well if there is no error.

    `http_status` is None where nobody answered; `retry_after_seconds` is what the receiver asked for, if it did.
    """

    error: DeliveryError | None = None
    http_status: int | None = None
    retry_after_seconds: int | None = None


class _Failed(Exception):
    """The try failed, for a reason that is told to the owner."""

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.error = DeliveryError(code=code, detail=detail, suggestion=suggestion)


def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float, *, private: bool) -> Try:
    """POST once; return within `seconds`, whatever the other side does. Threads may do so at the same time.

    With `private` (one's own machine) the URL may be http and lead to private addresses. What went wrong is said in
    words of our own: nothing that was found behind the name, no address and no answer, reaches the owner by it.
    """
    try:
        receiver = receiver_of(url, private=private)
        return asyncio.run(_post(receiver, headers, body, seconds, private=private))
    except Problem as refused:
        return Try(DeliveryError(code=refused.code, detail=str(refused), suggestion=refused.suggestion))
    except _Failed as failed:
        return Try(failed.error)


async def _post(receiver: Receiver, headers: Mapping[str, str], body: bytes, seconds: float, *, private: bool) -> Try:
    sent = {"Host": receiver.authority, "Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"POST {receiver.target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    try:
        async with asyncio.timeout(seconds):
            addresses = await _addresses(receiver)
            if not private and not all(is_public(ip_address(address)) for address in addresses):
                raise _Failed(
                    "address_not_public",
                    "The host name leads to an address that is not public.",
                    "Let the name lead to public addresses alone.",
                )
            reader, writer = await _connection(addresses, receiver)
            try:
                writer.write("\r\n".join(lines).encode("ascii") + body)
                return await _answer(reader)
            finally:
                writer.transport.abort()
    except TimeoutError as error:
        raise _Failed(
            "timed_out",
            f"There was no answer within {seconds:g} seconds.",
            "Answer first, with 204, and work on the event after that.",
        ) from error
    except socket.gaierror as error:
        raise _Failed(
            "host_not_found", "The host name leads to no address.", "Check the name and its records."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise _Failed(
            "certificate_not_valid",
            f"The certificate is not valid: {error.verify_message}",
            "Use a certificate for this host name by an authority that browsers know, with all of its chain.",
        ) from error
    except ssl.SSLError as error:
        raise _Failed("no_tls", "There was no TLS connection.", "Speak TLS 1.2 or newer under this port.") from error
    except OSError as error:
        raise _Failed(
            "no_connection",
            "The connection was refused or broken off.",
            "Check that the service runs and is reachable.",
        ) from error


async def _addresses(receiver: Receiver) -> list[str]:
    """Look the host up. Raises OSError.

    In a thread of its own, which is left behind if it takes too long: nothing else can end a look-up.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str] | OSError] = loop.create_future()

    def tell(result: list[str] | OSError) -> None:
        if not found.done():
            found.set_result(result)

    def look_up() -> None:
        result: list[str] | OSError
        try:
            entries = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
            result = [str(entry[4][0]) for entry in entries]
        except OSError as error:
            result = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=look_up, name="host name", daemon=True).start()
    addresses = await found
    if isinstance(addresses, OSError):
        raise addresses
    return addresses


async def _connection(addresses: list[str], receiver: Receiver) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that lets us. Raises OSError for the last one."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return await _connected(address, receiver)
    return await _connected(addresses[-1], receiver)


async def _connected(address: str, receiver: Receiver) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with _one_at_a_time:
        tls, name = (_tls(), receiver.host) if receiver.encrypted else (None, None)
    return await asyncio.open_connection(address, receiver.port, limit=_HEAD_BYTES, ssl=tls, server_hostname=name)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _answer(reader: asyncio.StreamReader) -> Try:
    status, head = 100, b""
    try:
        while status < 200:  # what comes before the answer: 100 Continue, 103 Early Hints
            head = await reader.readuntil(b"\r\n\r\n")
            found = _STATUS.match(head)
            if found is None:
                raise _no_http()
            status = int(found[1])
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise _no_http() from error
    asked = _RETRY_AFTER.search(head)
    return Try(_refusal(status), status, int(asked[1]) if asked else None)


def _no_http() -> _Failed:
    return _Failed("no_http_answer", "What was answered is not HTTP/1.1.", "Check what listens under this port.")


def _refusal(status: int) -> DeliveryError | None:
    if status < 300:
        return None
    if status < 400:
        return DeliveryError(
            code="redirected",
            detail=f"The receiver answered with HTTP {status}, which leads elsewhere; that is not followed.",
            suggestion="Register the address that it leads to.",
        )
    return DeliveryError(
        code="refused", detail=f"The receiver answered with HTTP {status}.", suggestion="Answer with 200 to 299."
    )
