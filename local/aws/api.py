"""The process of the local HTTP API: `python -m local.aws.api`, started by local/stack.py."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import uvicorn

from local.aws.bridge import Bridge
from local.aws.template import Template
from local.home import LOOPBACK
from local.tokens import Issuer


def last_request_file(home: Path) -> Path:
    """A file whose modification time is the time of the last request."""
    return home / "last-request"


class _Touch:
    """Records the time of the last request, at most once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 1
            self._path.touch()


def main() -> None:
    """Serve until SIGTERM, configured by the environment from local/stack.py."""
    home, url = Path(os.environ["ASSAY_HOME"]), os.environ["SUPABASE_URL"]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    routes = Template.read().routes
    handlers = {function.name: function.load() for function in {route.function for route in routes}}
    bridge = Bridge(routes, handlers, Issuer(home, url).jwks(), _Touch(last_request_file(home)))
    uvicorn.run(
        bridge,
        host=LOOPBACK,
        port=int(url.rsplit(":", 1)[-1]),
        lifespan="off",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        log_config=None,
    )


if __name__ == "__main__":
    main()
