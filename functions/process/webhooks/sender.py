"""POST to a URL that a user registered: only to public addresses, without redirects, within a time limit.

One time limit covers a whole try, from resolving the host name to reading the response's head. The host name is
resolved once, all its addresses must be public, and the connection goes to one of those addresses, so a later change of
the name has no effect (DNS rebinding). The certificate must be valid for the name. No redirect is followed, no proxy is
used, and only the response's head is read.
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
_one_at_a_time = threading.Lock()  # loaded once, so that fifty threads do not each read the CA certificates
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r]")
_RETRY_AFTER = re.compile(rb"^retry-after:[ \t]*(\d{1,9})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Try:
    """The result of a try: successful if `error` is None.

    `http_status` is None without a response; `retry_after_seconds` is what the receiver asked for, if anything.
    """

    error: DeliveryError | None = None
    http_status: int | None = None
    retry_after_seconds: int | None = None


class _Failed(Exception):
    """The try failed. The owner sees the reason."""

    def __init__(self, code: str, detail: str, suggestion: str) -> None:
        super().__init__(detail)
        self.error = DeliveryError(code=code, detail=detail, suggestion=suggestion)


def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float, *, private: bool) -> Try:
    """POST once and return within `seconds`, whatever the receiver does. Safe to call from several threads.

    With `private` (local use) the URL may use http and private addresses. Error texts contain no addresses and nothing
    of the response, so that an owner cannot use webhooks to explore a network.
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
                    "The host name resolves to an address that is not public.",
                    "Let the name resolve to public addresses only.",
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
            f"There was no response within {seconds:g} seconds.",
            "Answer with 204 first, and process the event afterwards.",
        ) from error
    except socket.gaierror as error:
        raise _Failed(
            "host_not_found", "The host name does not resolve.", "Check the name and its DNS records."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise _Failed(
            "certificate_not_valid",
            f"The certificate is not valid: {error.verify_message}",
            "Use a certificate for this host name from a public authority, with the full chain.",
        ) from error
    except ssl.SSLError as error:
        raise _Failed("no_tls", "The TLS connection failed.", "Use TLS 1.2 or newer on this port.") from error
    except OSError as error:
        raise _Failed(
            "no_connection",
            "The connection was refused or closed.",
            "Check that the service runs and is reachable.",
        ) from error


async def _addresses(receiver: Receiver) -> list[str]:
    """Resolve the host name. Raises OSError.

    Runs in a thread that is abandoned if it takes too long, because a look-up cannot be cancelled.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str] | OSError] = loop.create_future()

    def tell(result: list[str] | OSError) -> None:
        if not future.done():
            future.set_result(result)

    def look_up() -> None:
        result: list[str] | OSError
        try:
            entries = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
            result = [str(entry[4][0]) for entry in entries]
        except OSError as error:
            result = error
        with suppress(RuntimeError):  # the loop is closed, so the result is no longer needed
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=look_up, name="host name", daemon=True).start()
    addresses = await future
    if isinstance(addresses, OSError):
        raise addresses
    return addresses


async def _connection(addresses: list[str], receiver: Receiver) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the first address that accepts. Raises the last OSError if none does."""
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
        while status < 200:  # interim responses: 100 Continue, 103 Early Hints
            head = await reader.readuntil(b"\r\n\r\n")
            status_line = _STATUS.match(head)
            if status_line is None:
                raise _no_http()
            status = int(status_line[1])
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise _no_http() from error
    retry_after = _RETRY_AFTER.search(head)
    return Try(_refusal(status), status, int(retry_after[1]) if retry_after else None)


def _no_http() -> _Failed:
    return _Failed("no_http_answer", "The response is not HTTP/1.1.", "Check what listens on this port.")


def _refusal(status: int) -> DeliveryError | None:
    if status < 300:
        return None
    if status < 400:
        return DeliveryError(
            code="redirected",
            detail=f"The receiver answered with HTTP {status}; redirects are not followed.",
            suggestion="Register the URL that it redirects to.",
        )
    return DeliveryError(
        code="refused", detail=f"The receiver answered with HTTP {status}.", suggestion="Answer with 200 to 299."
    )
