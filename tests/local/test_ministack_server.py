"""The access control in front of MiniStack, with a stand-in for MiniStack, which has a separate environment."""

import importlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import anyio
import pytest

MEGABYTE = 1024 * 1024
Ask = Callable[..., int]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Send a signed request while 100 MB are free; return the status."""

    async def served(_scope: Any, _receive: Any, send: Callable[[Any], Any]) -> None:
        await send({"type": "http.response.start", "status": 200})

    stand_in = ModuleType("ministack.app")
    stand_in.__dict__["app"] = served
    package = ModuleType("ministack")
    package.__dict__["app"] = stand_in
    monkeypatch.setitem(sys.modules, "ministack", package)
    monkeypatch.setitem(sys.modules, "ministack.app", stand_in)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("S3_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=100 * MEGABYTE))
    monkeypatch.delitem(sys.modules, "local.ministack.server", raising=False)
    guarded = importlib.import_module("local.ministack.server")._guarded

    def request(method: str, path: str, size: int, **headers: str) -> int:
        left, sent = [b"a", b"b"], []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        given = {"authorization": "Credential=KEY/x", "content-length": str(size), **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        }
        anyio.run(guarded, scope, receive, send)
        if sent[0]["status"] == 507:
            assert left == [], "the body is read"
        return int(sent[0]["status"])

    return request


def test_object_that_does_not_fit_is_refused(ask: Ask) -> None:
    assert ask("PUT", "/assay/uploads/x", 36 * MEGABYTE) == 200
    assert ask("PUT", "/assay/uploads/x", 36 * MEGABYTE + 1) == 507
    assert ask("POST", "/assay/uploads/x", 36 * MEGABYTE + 1) == 507


def test_full_disk_stops_neither_the_queue_nor_reading(ask: Ask) -> None:
    assert ask("POST", "/", 100 * MEGABYTE, x_amz_target="AmazonSQS.ReceiveMessage") == 200
    assert ask("GET", "/assay/uploads/x", 100 * MEGABYTE) == 200


def test_caller_without_the_key_is_refused(ask: Ask) -> None:
    assert ask("PUT", "/assay/uploads/x", 1, authorization="Credential=test/x") == 403
    assert ask("GET", "/_ministack/reset", 0) == 403
