"""The GitHub Action that checks data files: what it runs, and what it says of files that cannot be read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.check_files import error_command

from .conftest import ROOT


@pytest.fixture(scope="module")
def steps() -> list[dict[str, Any]]:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    found: list[dict[str, Any]] = action["runs"]["steps"]
    return found


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner's folder for temporary files, where this environment stands for the one that was installed."""
    (tmp_path / "assay").symlink_to(Path(sys.executable).parents[1])
    return tmp_path


def check(steps: list[dict[str, Any]], runner: Path, folder: Path, files: str) -> tuple[int, list[str]]:
    """Run the last step as GitHub does; return its status and its lines, without those about commands."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(runner),
        "RUNNER_TEMP": str(runner),
        "GITHUB_ACTION_PATH": str(ROOT),
        "FILES": files,
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[-1]["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    first, *lines = done.stdout.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert first != token
    assert f"::{token}::" in lines
    return done.returncode, lines


def test_no_input_is_part_of_a_script(steps: list[dict[str, Any]]) -> None:
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
    assert steps[-1]["env"] == {"FILES": "${{ inputs.files }}"}


def test_the_project_itself_is_installed_with_all_that_reading_needs(steps: list[dict[str, Any]]) -> None:
    assert re.search(r'pip" install .*"\$GITHUB_ACTION_PATH\[analyse\]"$', steps[1]["run"].strip())


def test_files_that_can_be_read_pass(steps: list[dict[str, Any]], runner: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/a.csv").write_text("a,b\n1,2\n")
    status, lines = check(steps, runner, folder, "**/*.csv\n\n")
    assert (status, lines[0]) == (0, "can be read:   deep/er/a.csv")


def test_a_file_that_cannot_is_named_whatever_its_name(
    steps: list[dict[str, Any]], runner: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    name = "--out=$(touch pwned);`touch pwned`,\n::warning::x.csv"
    (folder / name).write_bytes(b"")
    status, lines = check(steps, runner, folder, "*.csv\n$(touch pwned).txt")
    assert status == 1
    missing, unreadable = (line for line in lines if line.startswith("::error"))
    assert missing == "::error::No file matches $(touch pwned).txt"
    place = "--out=$(touch pwned);`touch pwned`%2C%0A%3A%3Awarning%3A%3Ax.csv"
    assert unreadable.startswith(f"::error file={place}::The file is empty")
    assert "(empty_file)" in unreadable
    assert [path.name for path in folder.iterdir()] == [name]


def test_a_message_cannot_end_its_line() -> None:
    assert error_command("100%\n::warning::", "a") == "::error file=a::100%25%0A::warning::"
