"""One POST to a stranger: where it goes, what it believes, and when it ends, whatever the other side does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from functions.process.webhooks import sender
from functions.process.webhooks.sender import Try, post
from local.home import LOOPBACK, free_port
from tests.authority import Authority
from tests.receiver import Connection, answering, receiver

HOST = "hooks.example"
SECONDS = 0.5
# How late a try may end on a busy machine.
GRACE_SECONDS = 5


def try_to(url: str, seconds: float = 10, *, private: bool = True, body: bytes = b"{}") -> Try:
    return post(url, {"webhook-id": "one"}, body, seconds, private=private)


def code(ended: Try) -> str | None:
    return ended.error.code if ended.error else None


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Have the resolver answer with these addresses, a list for each look-up; return the names that it is asked for."""

    def answers(*addresses: list[str]) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
            asked.append(host)
            found = addresses[min(len(asked), len(addresses)) - 1]
            family = socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answers


# --- the request and the answer ---------------------------------------------------------------------------------------


def test_a_post_arrives_as_it_was_sent() -> None:
    with receiver() as receiving:
        ended = try_to(f"http://{LOOPBACK}:{receiving.port}/hooks/a?key=%20b", body=b'{"a": 1}')
        request = receiving.next()
    assert ended == Try(http_status=204)
    assert request.line == "POST /hooks/a?key=%20b HTTP/1.1"
    assert request.headers == {
        "host": f"{LOOPBACK}:{receiving.port}",
        "content-length": "8",
        "connection": "close",
        "webhook-id": "one",
    }
    assert request.body == b'{"a": 1}'


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, None), (202, None), (299, None), (400, "refused"), (410, "refused"), (500, "refused"), (503, "refused")],
)
def test_any_answer_from_200_to_299_is_taken_for_well(status: int, expected: str | None) -> None:
    with receiver(answering(status)) as receiving:
        ended = try_to(f"http://{LOOPBACK}:{receiving.port}/")
    assert (ended.http_status, code(ended)) == (status, expected)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with receiver() as elsewhere:
        there = answering(status, f"Location: http://{LOOPBACK}:{elsewhere.port}/")
        with receiver(there) as receiving:
            ended = try_to(f"http://{LOOPBACK}:{receiving.port}/")
    assert (ended.http_status, code(ended)) == (status, "redirected")
    assert (receiving.connections, elsewhere.connections) == (1, 0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 120", 120),
        ("retry-after:7 ", 7),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("X: 1", None),
    ],
)
def test_a_pause_that_the_receiver_asks_for_is_heard(header: str, seconds: int | None) -> None:
    with receiver(answering(429, header)) as receiving:
        assert try_to(f"http://{LOOPBACK}:{receiving.port}/").retry_after_seconds == seconds


def test_what_comes_before_the_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with receiver(lambda connection: connection.sendall(early + b"HTTP/1.0 204\r\n\r\n")) as receiving:
        assert try_to(f"http://{LOOPBACK}:{receiving.port}/") == Try(http_status=204)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n"],
)
def test_what_is_not_http_is_a_failure(answer: bytes) -> None:
    with receiver(lambda connection: connection.sendall(answer)) as receiving:
        assert code(try_to(f"http://{LOOPBACK}:{receiving.port}/")) == "no_http_answer"


def test_nobody_there_is_a_failure() -> None:
    assert code(try_to(f"http://{LOOPBACK}:{free_port(None)}/")) == "no_connection"


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as receiving:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{proxy.port}")
            monkeypatch.setenv(name.upper(), f"http://{LOOPBACK}:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        assert try_to(f"http://{LOOPBACK}:{receiving.port}/").error is None
    assert proxy.connections == 0


# --- the time limit ---------------------------------------------------------------------------------------------------


def forever(piece: bytes, pause: float = 0) -> Callable[[Connection], None]:
    """Send the same again and again, until the other side goes away."""

    def send(connection: Connection) -> None:
        stop = threading.Event()
        while not stop.wait(pause):
            connection.sendall(piece)

    return send


def after_head(behaviour: Callable[[Connection], None]) -> Callable[[Connection], None]:
    def answer(connection: Connection) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        behaviour(connection)

    return answer


def silent(connection: Connection) -> None:
    connection.recv(1)


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param(silent, "timed_out", id="nothing is answered"),
        pytest.param(forever(b"H", 0.05), "timed_out", id="a head byte by byte"),
        pytest.param(forever(b"HTTP/1.1 100 Continue\r\n\r\n"), "timed_out", id="one interim answer after the other"),
        pytest.param(forever(b"x" * 65536), "no_http_answer", id="an endless head"),
        pytest.param(after_head(silent), None, id="a body that does not come"),
        pytest.param(after_head(forever(b"x", 0.05)), None, id="a body byte by byte"),
        pytest.param(after_head(forever(b"x" * 65536)), None, id="an endless body"),
    ],
)
def test_no_receiver_keeps_us_waiting(behaviour: Callable[[Connection], None], expected: str | None) -> None:
    """Nor is its connection left open: the receiver's thread ends."""
    with receiver(behaviour) as receiving:
        began = time.monotonic()
        ended = try_to(f"http://{LOOPBACK}:{receiving.port}/", SECONDS)
        assert time.monotonic() - began < SECONDS + GRACE_SECONDS
    assert code(ended) == expected


def test_nor_does_one_that_never_says_hello_in_tls() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        began = time.monotonic()
        ended = try_to(f"https://{LOOPBACK}:{listener.getsockname()[1]}/", SECONDS)
        assert time.monotonic() - began < SECONDS + GRACE_SECONDS
    assert code(ended) == "timed_out"


def test_nor_does_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        answered.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    began = time.monotonic()
    ended = try_to(f"https://{HOST}/", SECONDS)
    assert time.monotonic() - began < SECONDS + GRACE_SECONDS
    assert code(ended) == "timed_out"
    answered.set()
    for thread in threading.enumerate():
        if thread.name == "host name":
            thread.join(20)


# --- where it may go --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fe80::1%1"],
        ["93.184.215.14", "127.0.0.1"],
        ["127.0.0.1", "93.184.215.14"],
    ],
    ids=" ".join,
)
def test_a_name_that_leads_to_an_address_that_is_not_public_is_not_called(
    resolve: Callable[..., list[str]], addresses: list[str]
) -> None:
    resolve(addresses)
    with receiver() as receiving:
        ended = try_to(f"https://{HOST}:{receiving.port}/", private=False)
    assert (code(ended), ended.http_status) == ("address_not_public", None)
    assert receiving.connections == 0
    assert not [address for address in addresses if address in str(ended)], "what is behind a name is not told"


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0"])
def test_nor_is_a_name_for_this_very_machine(host: str) -> None:
    with receiver() as receiving:
        ended = try_to(f"https://{host}:{receiving.port}/", private=False)
    assert code(ended) == "invalid_url"
    assert receiving.connections == 0


def test_a_url_that_got_past_the_registration_is_refused_here() -> None:
    with receiver() as receiving:
        for url in (f"http://{LOOPBACK}:{receiving.port}/", f"https://{LOOPBACK}:{receiving.port}/", "https://a@b/"):
            assert code(try_to(url, private=False)) == "invalid_url"
    assert receiving.connections == 0


def test_a_name_without_an_address_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert code(try_to(f"https://{HOST}/", private=False)) == "host_not_found"


def test_the_next_address_serves_where_one_does_not(resolve: Callable[..., list[str]]) -> None:
    resolve(["127.255.255.255", LOOPBACK])
    with receiver() as receiving:
        assert try_to(f"http://{HOST}:{receiving.port}/").error is None


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """The one authority that this machine knows, as far as OpenSSL is told."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    sender._tls.cache_clear()
    yield authority
    sender._tls.cache_clear()


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_called(
    authority: Authority, resolve: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: first the address of the receiver, which counts as public here, then one that is not."""
    asked = resolve([LOOPBACK], ["10.0.0.1"])
    monkeypatch.setattr(sender, "is_public", lambda address: str(address) == LOOPBACK)
    with receiver(tls=authority.server(HOST)) as receiving:
        ended = try_to(f"https://{HOST}:{receiving.port}/hook", private=False)
        request = receiving.next()
    assert ended == Try(http_status=204)
    assert request.headers["host"] == f"{HOST}:{receiving.port}"
    assert receiving.server_names == [HOST]
    assert asked == [HOST]
    with receiver(tls=authority.server(HOST)) as receiving:
        assert code(try_to(f"https://{HOST}:{receiving.port}/", private=False)) == "address_not_public"
    assert receiving.connections == 0


@pytest.mark.parametrize("fault", ["another host", "expired", "another authority"])
def test_a_certificate_that_is_not_valid_for_the_name_is_a_failure(
    authority: Authority, resolve: Callable[..., list[str]], tmp_path: Path, fault: str
) -> None:
    resolve([LOOPBACK])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    tls = {
        "another host": lambda: authority.server("other.example"),
        "expired": lambda: authority.server(HOST, days=-1),
        "another authority": lambda: Authority(elsewhere).server(HOST),
    }[fault]()
    with receiver(tls=tls) as receiving:
        ended = try_to(f"https://{HOST}:{receiving.port}/")
    assert code(ended) == "certificate_not_valid"
    assert receiving.received.empty(), "nothing was sent to whoever that is"


def test_a_receiver_that_speaks_no_tls_is_a_failure(resolve: Callable[..., list[str]]) -> None:
    resolve([LOOPBACK])
    with HTTPServer((LOOPBACK, 0), BaseHTTPRequestHandler) as server:
        answering_one = threading.Thread(target=server.handle_request)
        answering_one.start()
        ended = try_to(f"https://{HOST}:{server.server_port}/")
        answering_one.join()
    assert code(ended) == "no_tls"
