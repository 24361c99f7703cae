"""Ctrl-C at any moment ends a command without a traceback, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from local.home import PROJECT

_MAIN = "from assay.cli.main import main; main()"
_TELLS_AT_ONCE = f"from assay.cli.terminal import screen; screen.SILENCE_SECONDS = 0; {_MAIN}"
_INTERRUPTED = {130, -signal.SIGINT}


def interrupt(home: Path, python: list[str], word: str) -> tuple[subprocess.Popen[str], str, list[psutil.Process]]:
    """Start a command, and send it SIGINT once this word is on its stderr; return it, the rest, and its children."""
    process = subprocess.Popen(
        [sys.executable, *python],
        cwd=PROJECT,
        env={**os.environ, "ASSAY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert any(word in line for line in process.stderr), f"it never said {word}"
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        return process, process.communicate(timeout=60)[1], children
    finally:
        process.kill()


@pytest.mark.parametrize("module", ["typer", "rich.console", "pydantic", "assay.cli.terminal.reporting"])
def test_while_the_command_loads(tmp_path: Path, module: str) -> None:
    # Python says of each module that it has been loaded.
    process, rest, _ = interrupt(tmp_path, ["-X", "importtime", "-c", _MAIN, "types"], f"{module}\n")
    assert "Traceback" not in rest
    assert process.returncode in _INTERRUPTED


@pytest.mark.parametrize("module", ["psycopg", "botocore", "local.stack"])
def test_while_the_stack_loads(tmp_path: Path, module: str) -> None:
    process, rest, _ = interrupt(tmp_path, ["-X", "importtime", "-c", _MAIN, "up"], f"{module}\n")
    assert "Traceback" not in rest
    assert process.returncode in _INTERRUPTED


@pytest.mark.parametrize("step", ["Starting Postgres", "Starting MiniStack", "Starting the API"])
def test_while_the_stack_starts(tmp_path: Path, step: str) -> None:
    process, rest, children = interrupt(tmp_path, ["-c", _TELLS_AT_ONCE, "up"], step)
    assert "Traceback" not in rest
    assert process.returncode in _INTERRUPTED
    assert psutil.wait_procs(children, timeout=30)[1] == []
