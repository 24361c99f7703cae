"""The README's curl examples do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from assay.client import Client
from local.stack import Stack
from shared.sign_in.auth import User
from tests.machine import require

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README.split("## The API")[1].split("\n## ")[0], flags=re.DOTALL)


def test_the_lines_of_the_api_work_in_their_order(stack: Stack, client: Client, user: User, tmp_path: Path) -> None:
    require("curl", "jq")
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")
    environment = {"ASSAY_URL": stack.url, "ASSAY_TOKEN": stack.token_for(user.owner), "PATH": os.environ["PATH"]}
    script = "\n".join(BLOCKS) + '\nprintf "%s" "$PUT_URL" > put-url\n'
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert (tmp_path / "dashboard.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "put-url").read_text().startswith("http"), "the bytes were sent by the link"
    jobs = {job.filename: job for job in client.jobs()}
    assert jobs["station_measurements.csv"].status == "done"
    # The one that was made anew is deleted; the last one was said to be a table.
    choice = jobs["transactions.csv"].type_choice
    assert choice is not None
    assert (len(client.jobs()), choice.dataset_type) == (2, "table")
    assert f'"owner":"{user.owner}"' in done.stdout
