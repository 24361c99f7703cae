"""Runs schemathesis as its users do, by its command line: all phases, all checks, and what it says at the end.

Source: https://schemathesis.readthedocs.io/en/stable/reference/configuration/
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.home import LOOPBACK, PROJECT

COMMAND = Path(sys.executable).with_name("schemathesis")

CONFIG = """
hooks = "tests.fuzz.differences"
continue-on-failure = true
# A redirect leads to the object store, which is no part of this API.
max-redirects = 0
request-timeout = 30
"""

SIGNED_IN = """
# Two users who must not see each other's things.
[auth.wfc]
path = "users.json"
peers = ["one", "other"]

# Ids that there are: few of those that are made up lead anywhere.
[dictionaries]
jobs = { from-file = "jobs.dict" }
outputs = { from-file = "outputs.dict" }
columns = { from-file = "columns.dict" }

[parameters]
"path.job_id" = { dictionary = "jobs", probability = 0.3 }
"path.output_id" = { dictionary = "outputs", probability = 0.8 }
"path.choice_id" = { dictionary = "columns", probability = 0.8 }
"""

Report = dict[str, Any]


@dataclass(frozen=True)
class Users:
    """Two users, and the ids of what they have. `tokens` are named `one` and `other`."""

    tokens: dict[str, str]
    jobs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write the files that the configuration names."""
        accounts = [
            {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
            for name, token in self.tokens.items()
        ]
        (folder / "users.json").write_text(json.dumps({"auth": accounts}))
        for name, ids in {"jobs": self.jobs, "outputs": self.outputs, "columns": self.columns}.items():
            (folder / f"{name}.dict").write_text("".join(f'"{one}"\n' for one in ids))


def fuzz(url: str, users: Users | None, folder: Path, *options: str) -> Report:
    """Run schemathesis against the API at `url`, as these users or as nobody, and return its report.

    Fails with what it found, and how to see it again.
    """
    if users is not None:
        users.write(folder)
    (folder / "schemathesis.toml").write_text(CONFIG + (SIGNED_IN if users else ""))
    report = folder / "report.json"
    done = subprocess.run(
        [
            *(str(COMMAND), "--config-file", "schemathesis.toml", "run", f"{url}/openapi.json", "--no-color", *options),
            *("--report", "json", "--report-json-path", str(report)),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found_out: Report = json.loads(report.read_bytes())
    return found_out


def reached(report: Report) -> set[str]:
    """Every operation of which a request that is as the document says was answered with 2xx, 3xx or 409."""
    return {
        operation
        for operation, phases in report["valid_rates"].items()
        if any(rate["accepted"] or rate["conflicts"] for rate in phases.values())
    }
