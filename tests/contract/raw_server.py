"""A server below HTTP: what a connection, a proxy or a dying host does, byte by byte."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Final

from local.home import LOOPBACK

RESET: Final = b"\x00reset"  # reset the connection in place of an answer
HANG: Final = b"\x00hang"  # never answer


def http(
    status: int = 200,
    body: bytes = b"{}",
    *headers: str,
    length: int | None = None,
    media_type: str = "application/json",
) -> bytes:
    """Return an HTTP answer; `length` may tell another length than the body's."""
    lines = [
        f"HTTP/1.1 {status} Anything",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RawServer:
    """Gives each request, in order, the next of `answers`; the last one stands for all that follow.

    `connections` has, for each connection, the number of requests that came over it.
    """

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._open: set[socket.socket] = set()
        self.connections: list[int] = []
        self.requests: list[bytes] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._closed.set()
        socket.create_connection(self._listener.getsockname()).close()  # wakes the thread that waits for one
        self._threads[0].join()
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):  # closed by now
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closed.is_set():
                connection.close()
                return
            connection.settimeout(10)
            self.connections.append(0)
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection, len(self.connections) - 1), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            while request := _request(connection):
                with self._lock:
                    self.requests.append(request)
                    self.connections[number] += 1
                    answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                if answer == HANG:
                    self._closed.wait()
                    return
                if answer == RESET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                connection.sendall(answer)
                if not answer.startswith(b"HTTP/1.1 ") or b"Connection: close" in answer:
                    return


def _request(connection: socket.socket) -> bytes:
    """Read one request with its body; nothing where the other side is done."""
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            more = connection.recv(65536)
            if not more:
                return b""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += connection.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body
