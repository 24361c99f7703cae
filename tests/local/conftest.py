"""An Assay that gives fixed answers, and the command line that asks it."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assay.cli.app import app

JOB = "0a7b7f1e-51b5-4f0e-9d0c-0c5a3f4d8a11"
OUTPUT = "5b1f6f7e-51b5-4f0e-9d0c-0c5a3f4d8a22"
NOW = "2026-01-01T00:00:00Z"

Json = dict[str, Any]


def job(status: str = "done", **more: object) -> Json:
    names = (
        "requested_dataset_type type_choice dataset_type pipeline pipeline_version stage detection error summary "
        "manifest_sha256"
    )
    blank: Json = dict.fromkeys([*names.split(), "cost", "started_at", "finished_at", "expires_at"])
    known = {
        "job_id": JOB,
        "status": status,
        "filename": "a.csv",
        "sha256": "0" * 64,
        "size_bytes": 3,
        "parameters": {},
    }
    return {**blank, **known, "progress": 0.5, "cancel_requested": False, "created_at": NOW, "attempts": [], **more}


@dataclass
class Assay:
    """A server that gives fixed answers and keeps what it was asked."""

    answers: dict[tuple[str, str], tuple[int, Json | bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    # An answer that comes before those above, where it gives one.
    changed: Callable[[tuple[str, str]], tuple[int, Json | bytes] | None] = lambda _asked: None


@pytest.fixture
def assay() -> Iterator[Assay]:
    state = Assay()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            path = self.path.split("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.asked.append((self.command, self.path, headers, body))
            asked = self.command, path
            status, answer = state.changed(asked) or state.answers.get(asked) or (404, {"message": "Not Found"})
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    for name in ("ASSAY_URL", "ASSAY_TOKEN", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


Assayed = Callable[..., Result]


@pytest.fixture
def cli(assay: Assay) -> Assayed:
    def run(*arguments: object) -> Result:
        there = ["--url", assay.url, "--token", "T"]
        return CliRunner().invoke(app, [*there, *(str(argument) for argument in arguments)])

    return run


def will_answer(assay: Assay, found: Json, content: bytes = b"result", name: str = "out.csv", *, put: bool) -> None:
    link = {"url": f"{assay.url}/store/in", "method": "PUT", "headers": {"x-signed": "1"}, "expires_at": NOW}
    upload = {"sha256": "0" * 64, "size_bytes": 3, "filename": "a.csv", "first_seen": NOW, "last_used": NOW}
    output = {
        "output_id": OUTPUT,
        "name": name,
        "media_type": "text/csv",
        "size_bytes": len(content),
        "created_at": NOW,
    }
    assay.answers = {
        ("POST", "/uploads"): (
            201 if put else 200,
            {
                "cached": not put,
                "job": job("awaiting_upload") if put else found,
                "upload": {**upload, "times_used": 1, "jobs": []},
                "put": link if put else None,
            },
        ),
        ("PUT", "/store/in"): (200, b""),
        ("GET", f"/jobs/{JOB}"): (200, found),
        ("GET", f"/jobs/{JOB}/outputs"): (
            200,
            {"outputs": [{**output, "sha256": hashlib.sha256(b"result").hexdigest()}]},
        ),
        ("GET", f"/outputs/{OUTPUT}/download"): (200, {"url": f"{assay.url}/store/out", "expires_at": NOW}),
        ("GET", "/store/out"): (200, content),
    }
