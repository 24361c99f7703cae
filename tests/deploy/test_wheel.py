"""The wheel, installed alone into an empty environment: the command works, and nothing else of ours is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.home import PROJECT

UV = PROJECT / ".venv" / "bin" / "uv"
pytestmark = pytest.mark.builds


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it depends on, at the versions of requirements/local.txt."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(UV, "build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", folder, PROJECT, cwd=folder)  # fmt: skip  # noqa: E501
    assert built.returncode == 0, built.stderr
    assert run(UV, "venv", "--python", sys.executable, folder / "env", cwd=folder).returncode == 0
    install(folder / "env", "")
    return folder / "env"


def install(environment: Path, extra: str) -> None:
    wheel = next(environment.parent.glob("*.whl"))
    pins = environment.parent / "pins.txt"
    lines = (PROJECT / "requirements" / "local.txt").read_text(encoding="utf-8").splitlines()
    pins.write_text("\n".join(line.rstrip(" \\") for line in lines if "==" in line and line[0].isalnum()))
    python = environment / "bin" / "python"
    done = run(UV, "pip", "install", "--python", python, "-c", pins, f"{wheel}{extra}", cwd=environment)
    assert done.returncode == 0, done.stderr


def test_the_package_installs_alone(environment: Path) -> None:
    assay, folder = environment / "bin" / "assay", environment.parent
    example = PROJECT / "examples" / "transactions.csv"
    packages = next(environment.glob("lib/python*/site-packages"))
    assert [name for name in ("functions", "shared", "local", "tests", "tools") if (packages / name).exists()] == []
    listed = run(assay, "types", cwd=folder)
    assert "station_measurements" in listed.stdout, listed.stderr
    without_stack = run(assay, "jobs", cwd=folder)
    assert without_stack.returncode == 1
    assert "make setup" in without_stack.stderr
    without_engine = run(assay, "read", example, cwd=folder)
    assert without_engine.returncode == 1
    assert ".[analyse]" in without_engine.stderr
    install(environment, "[analyse]")
    read = run(assay, "read", example, cwd=folder)
    assert read.returncode == 0, read.stderr
    analysed = run(assay, "analyse", example, "--out", folder / "out", cwd=folder)
    assert analysed.returncode == 0, analysed.stderr
    assert (folder / "out" / "dashboard.html").exists()
