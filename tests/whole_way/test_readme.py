"""The README's curl examples do what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.client import Client
from local.stack import Stack
from shared.auth import User

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README.split("## The API")[1].split("\n## ")[0], flags=re.DOTALL)


def test_every_curl_example_works(stack: Stack, client: Client, user: User, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("NO CURL ON THIS MACHINE: the README's examples were not run")
    environment = {"ASSAY_URL": stack.url, "ASSAY_TOKEN": stack.token_for(user.owner), "PATH": "/usr/bin:/bin"}
    (tmp_path / "examples").symlink_to(PROJECT / "examples")

    def run(script: str, **more: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    one_request, by_link, put, ask, download = BLOCKS
    job: dict[str, Any] = json.loads(run(one_request))["job"]
    assert client.wait(UUID(job["job_id"])).status == "done"

    registered = json.loads(run(by_link))
    assert registered["job"]["parameters"] == {"aggregate": "median"}
    run(put, PUT_URL=registered["put"]["url"], CHECKSUM=registered["put"]["headers"]["x-amz-checksum-sha256"])
    median = UUID(registered["job"]["job_id"])
    assert client.wait(median).status == "done"

    assert str(median) in run(ask, JOB=str(median))
    output = client.outputs(median)[0]
    link = json.loads(run(download, OUTPUT=str(output.output_id)))
    assert set(link) == {"url", "expires_at"}
    assert (tmp_path / output.name).stat().st_size == output.size_bytes
