"""The README's curl examples do what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

from assay.client import Client
from local.stack import Stack
from shared.sign_in.auth import User
from tests.machine import require_curl

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README.split("## The API")[1].split("\n## ")[0], flags=re.DOTALL)


def test_every_curl_example_works(stack: Stack, client: Client, user: User, tmp_path: Path) -> None:
    require_curl()
    environment = {"ASSAY_URL": stack.url, "ASSAY_TOKEN": stack.token_for(user.owner), "PATH": "/usr/bin:/bin"}
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")

    def run(script: str, **more: str) -> str:
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    one_request, by_link, put, ask, download, again, types, account = BLOCKS
    job: dict[str, Any] = json.loads(run(one_request))["job"]
    assert client.wait(UUID(job["job_id"])).status == "done"

    assert json.loads(run(by_link))["put"] is None, "these bytes are there already"
    with (tmp_path / "examples" / "station_measurements.csv").open("a") as example:
        example.write("\n")
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

    anew = json.loads(run(again, JOB=str(median)))
    assert (anew["sha256"], anew["status"]) == (registered["upload"]["sha256"], "queued")
    assert str(median) not in {str(job.job_id) for job in client.jobs()}

    text = run(types, JOB=anew["job_id"])
    known, end = json.JSONDecoder().raw_decode(text)
    assert {one["dataset_type"] for one in known["dataset_types"]} >= {"table", "transactions"}
    assert json.loads(text[end:])["type_choice"]["dataset_type"] == "table"

    text = run(account)
    told, end = json.JSONDecoder().raw_decode(text)
    exported = json.loads(text[end:])
    assert told["owner"] == exported["account"]["owner"] == str(user.owner)
    assert anew["job_id"] in {job["job_id"] for job in exported["jobs"]}
