"""The image of the command, as far as it can be proved with no Docker: its steps, taken one by one."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from local.home import PROJECT
from tests.deploy.dockerfile import copy, stages
from tests.deploy.packages import lambda_python

_DOCKERFILE = PROJECT / "Dockerfile"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file system that the first stage leaves behind."""
    root = tmp_path_factory.mktemp("root")
    folder = root
    for name, rest in stages(_DOCKERFILE)[0]:
        if name == "COPY":
            copy(rest, root)
        elif name == "WORKDIR":
            folder = root / rest.lstrip("/")
            folder.mkdir(parents=True)
        elif name == "RUN":
            for command in rest.split(" && "):
                words = [f"{root}{word}" if word.startswith("/") else word for word in shlex.split(command)]
                words[0] = lambda_python() if words[0] == "python" else words[0]
                subprocess.run(words, cwd=folder, check=True, capture_output=True)
        else:
            raise ValueError(f"{name} {rest}")
    return root


def test_the_project_is_installed_with_the_command_and_the_dashboards_script(root: Path) -> None:
    (packages,) = (root / "opt/assay/lib").glob("python3.13/site-packages")
    assert (packages / "assay/page/built/dashboard.js").is_file()
    assert not [name for name in ("functions", "local", "shared", "tests") if (packages / name).exists()]


def test_the_command_reads_a_file(root: Path) -> None:
    example = PROJECT / "examples/station_measurements.csv"
    command = [str(root / "opt/assay/bin/assay"), "read", "--json", str(example)]
    done = subprocess.run(command, cwd=root, env={"HOME": str(root)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] > 0


def test_the_image_runs_the_command_as_somebody_without_rights() -> None:
    _, last = stages(_DOCKERFILE)
    steps = dict(last)
    assert steps["COPY"] == "--from=build /opt/assay /opt/assay", "at the place that its scripts name"
    assert steps["USER"] == "65532:65532"
    assert json.loads(steps["ENTRYPOINT"]) == ["/opt/assay/bin/assay"]
