"""A TCP proxy before a real server that can be made to fail the ways networks and servers do."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Literal

Mode = Literal["pass", "refuse", "reset", "hang", "slow", "503"]

_CHUNK = 16 * 1024
_SLOW_SECONDS = 0.005  # before each chunk: some 3 MB/s
_RESET_AFTER_BYTES = 600_000
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_SLOW_DOWN), _SLOW_DOWN)
)


class Proxy:
    """Listens on a port of its own and forwards to another; `mode` may change at any moment.

    refuse: connections are closed at once, and those that were open are reset. reset: the answer breaks off in its
    midst. hang: nothing comes back. slow: a few megabytes a second. 503: every request is answered so (for HTTP).
    `failed` counts the connections that were failed.
    """

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._mode: Mode = "pass"
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self.failed = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def mode(self) -> Mode:
        """How it treats what passes through it now."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            cut, self._open = (self._open, set()) if mode in {"refuse", "503", "hang"} else (set(), self._open)
            self._changed.notify_all()
        for connection in cut:
            _reset(connection)

    def wait_for_failure(self, count: int, seconds: float) -> None:
        """Wait until so many connections were failed. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.failed >= count, seconds):
                raise TimeoutError(f"only {self.failed} connections met the fault")

    def close(self) -> None:
        """Stop listening and cut what is open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.mode = "refuse"
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _fail(self) -> None:
        with self._changed:
            self.failed += 1
            self._changed.notify_all()

    def _handle(self, client: socket.socket) -> None:
        if self._mode == "refuse":
            _reset(client)
            self._fail()
            return
        if self._mode == "503":
            client.recv(_CHUNK)
            client.sendall(_UNAVAILABLE)
            client.close()
            self._fail()
            return
        if self._mode == "hang":
            self._fail()
            with self._changed:
                self._changed.wait_for(lambda: self._mode != "hang")
            _reset(client)
            return
        try:
            server = socket.create_connection(self._to)
        except OSError:
            _reset(client)
            return
        with self._changed:
            self._open |= {client, server}
        forth = threading.Thread(target=self._pump, args=(client, server), daemon=True)
        forth.start()
        self._pump(server, client, breaks=True)
        forth.join()
        with self._changed:
            self._open -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket, *, breaks: bool = False) -> None:
        passed = 0
        try:
            while data := source.recv(_CHUNK):
                passed += len(data)
                if self._mode == "slow":
                    threading.Event().wait(_SLOW_SECONDS)
                if breaks and self._mode == "reset" and passed > _RESET_AFTER_BYTES:
                    self._fail()
                    _reset(target)
                    _reset(source)
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(target)


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        connection.close()
