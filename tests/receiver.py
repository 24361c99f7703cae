"""A receiver of webhooks: a server on the loopback address that records requests and gives configured responses."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.parser import BytesParser

from local.home import LOOPBACK

Connection = socket.socket
# Takes a connection whose request was read, and answers as it likes; it is closed afterwards.
Behaviour = Callable[[Connection], None]


@dataclass(frozen=True)
class Received:
    line: str
    headers: dict[str, str]
    body: bytes


def answering(status: int, *headers: str) -> Behaviour:
    """Answer with a status and headers, and with no body."""
    head = "\r\n".join([f"HTTP/1.1 {status} Status", *headers, "Content-Length: 0", "", ""])
    return lambda connection: connection.sendall(head.encode())


@dataclass
class Receiver:
    """`behaviours` are for the first requests, in their order; all later ones get the last of them."""

    port: int
    behaviours: list[Behaviour]
    received: queue.Queue[Received] = field(default_factory=queue.Queue)
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)

    def next(self) -> Received:
        """Wait for a request that nobody looked at yet."""
        return self.received.get(timeout=20)


@contextmanager
def receiver(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Listen until the block ends. With `tls`, `server_names` are the hosts that clients asked for."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        found = Receiver(listener.getsockname()[1], list(behaviours or [answering(204)]))
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: found.server_names.append(name)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return  # the listener was closed
                behaviour = found.behaviours[min(found.connections, len(found.behaviours) - 1)]
                found.connections += 1
                threads.append(threading.Thread(target=_serve, args=(connection, behaviour, found, tls), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield found
        finally:
            with suppress(OSError):  # macOS has no shutdown of a listener
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            for thread in [acceptor, *threads]:
                thread.join(20)
                assert not thread.is_alive(), "a connection was left open"


def _serve(connection: Connection, behaviour: Behaviour, found: Receiver, tls: ssl.SSLContext | None) -> None:
    # A client that goes away in the middle is what some of the tests are about.
    with suppress(OSError), connection:
        connection.settimeout(20)
        with tls.wrap_socket(connection, server_side=True) if tls else connection as stream:
            request = _read(stream)
            if request is not None:
                found.received.put(request)
                behaviour(stream)


def _read(connection: Connection) -> Received | None:
    with connection.makefile("rb") as file:
        line = file.readline()
        if not line.endswith(b"\r\n"):
            return None
        lines = []
        while (header := file.readline()) not in {b"\r\n", b""}:
            lines.append(header)
        headers = {name.lower(): value for name, value in BytesParser().parsebytes(b"".join(lines)).items()}
        return Received(line.decode().strip(), headers, file.read(int(headers["content-length"])))
