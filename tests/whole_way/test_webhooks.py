"""docs/webhooks.md does what it says, on the real stack: its commands, its receiver, its words."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import pytest

from assay.client import Client
from functions.process.webhooks import deliveries as webhooks
from functions.process.webhooks import sender
from local.home import LOOPBACK, PROJECT, free_port
from local.stack import Stack
from shared.sign_in.auth import User
from shared.wire.webhooks import EndedJob
from tests.machine import require
from tests.whole_way.sending import run

PAGE = (PROJECT / "docs" / "webhooks.md").read_text(encoding="utf-8")
[RECEIVER] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)


class Shell:
    """Runs the page's commands as the reader would; `webhook` is what the first of them made."""

    def __init__(self, stack: Stack, user: User) -> None:
        self.environment = {
            "ASSAY_URL": stack.url,
            "ASSAY_TOKEN": stack.token_for(user.owner),
            "PATH": os.environ["PATH"],
        }

    def run(self, script: str, **more: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=self.environment | more, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout


class Example:
    """The page's receiver, as a process of its own."""

    def __init__(self, secret: str, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}/hook"
        environment = {"ASSAY_WEBHOOK_SECRET": secret, "PORT": str(port)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", RECEIVER],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert self._process.poll() is None
            assert time.monotonic() < deadline

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def line(self) -> str:
        """Wait for what it prints of the next event."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@pytest.fixture
def shell(stack: Stack, user: User) -> Shell:
    require("curl")
    return Shell(stack, user)


def test_the_page_s_receiver_is_told_of_a_job(client: Client, shell: Shell, measurements: Path, tmp_path: Path) -> None:
    register, look, delete = COMMANDS
    port = free_port(None)
    made = json.loads(shell.run(register, RECEIVER_URL=f"http://{LOOPBACK}:{port}/hook"))
    with Example(made["secret"], port) as example:
        done = run(client, measurements)
        assert example.line() == f"job.done {done.job_id}"
        broken = tmp_path / "broken.xlsx"
        broken.write_bytes(b"PK\x03\x04" + os.urandom(2000))
        failed = run(client, broken)
        assert example.line() == f"job.failed {failed.job_id}"
    listed = shell.run(look, WEBHOOK=made["webhook_id"])
    assert made["secret"] not in listed
    webhooks_listed, deliveries = (json.loads(line) for line in re.sub(r"\}\{", "}\n{", listed).splitlines())
    assert [one["webhook_id"] for one in webhooks_listed["webhooks"]] == [made["webhook_id"]]
    ended = [(one["job_id"], one["http_status"]) for one in deliveries["deliveries"]]
    assert ended == [(str(failed.job_id), 204), (str(done.job_id), 204)]
    assert shell.run(delete, WEBHOOK=made["webhook_id"]) == ""
    assert json.loads(shell.run(look.splitlines()[0]))["webhooks"] == []


def test_the_page_s_receiver_believes_nothing_else() -> None:
    secret = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    body = json.dumps({"type": "job.done", "data": {"job_id": "job"}}).encode()

    def send(example: Example, *, late: int = 0, another: str = "", **changes: str) -> int:
        headers = webhooks.signed(secret, str(uuid4()), int(time.time()) + late, body)
        headers["webhook-signature"] = another + headers["webhook-signature"]
        changed = {f"webhook-{name}": value for name, value in changes.items()}
        return httpx.post(example.url, content=body, headers=headers | changed, trust_env=False).status_code

    with Example(secret, free_port(None)) as example:
        assert send(example) == 204
        assert send(example, another="v1,AAAA ") == 204
        assert send(example, id="another") == 401
        assert send(example, timestamp=str(int(time.time()) + 2)) == 401
        assert send(example, signature="v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=") == 401
        assert send(example, signature="") == 401
        assert send(example, late=-301) == send(example, late=310) == 401
        assert send(example) == 204
        assert [example.line() for _ in range(3)] == ["job.done job"] * 3, "of the genuine ones, and of no other"


def test_the_page_names_every_error_and_every_field() -> None:
    source = Path(sender.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'(?:_Failed\(|code=)\s*"(\w+)"', source)) | {"invalid_url", "sender_lost"}
    assert set(re.findall(r"`(\w+)`", PAGE.split("`error.code` |")[1].split("\n\n")[0])) == codes
    [line] = re.findall(r"^\{\"type\".*\}$", PAGE, flags=re.MULTILINE)
    example: dict[str, Any] = json.loads(line)
    assert set(example["data"]) == set(EndedJob.model_fields)
    assert webhooks._TRY_SECONDS == 10
    assert "from 200 to 299 within ten seconds" in " ".join(PAGE.split())
