"""A handler under the real Lambda runtime: awslambdaric below AWS's runtime interface emulator, with no container."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil
import pytest

from local import processes
from local.home import LOOPBACK, PROJECT, free_port


def require_emulator() -> Path:
    """Return the emulator, which comes with the SAM CLI; skips the test, and says so, where there is none."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        pytest.skip(f"NOT TESTED HERE: the Lambda runtime. It is there for Linux alone, not for {platform.platform()}.")
    found = list((PROJECT / ".tools" / "sam").glob(f"lib/python*/site-packages/samcli/local/rapid/*-rie-{machine}"))
    if not found:
        pytest.fail("The Lambda runtime interface emulator is missing: run `make .tools/sam/ready`.")
    return found[0]


@dataclass(frozen=True)
class Code:
    """The functions below `root`, the command that starts a Python for them, and a folder that it also imports from."""

    root: Path
    python: tuple[str, ...]
    path: str = ""


SOURCES = Code(PROJECT, (sys.executable,))


class Emulator:
    """One function; as a context manager it runs, and ends with the runtime that it started.

    `invoke` makes the runtime start at the first call, and anew after a timeout, as Lambda does.
    """

    def __init__(
        self, handler: str, code: Code, environment: Mapping[str, str], log: Path, timeout_seconds: int
    ) -> None:
        self.log = log
        self._root = code.root
        self._url = f"http://{LOOPBACK}:{free_port()}"
        self._command = [
            str(require_emulator()),
            "--log-level=info",
            f"--runtime-interface-emulator-address={self._url.removeprefix('http://')}",
            f"--runtime-api-address={LOOPBACK}:{free_port()}",
            *(*code.python, "-m", "awslambdaric", handler),
        ]
        self._environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_FUNCTION_NAME": handler,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "LAMBDA_TASK_ROOT": str(code.root),
            "PYTHONPATH": code.path,
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = processes.spawn(self._command, self.log, env=self._environment, cwd=self._root)
        try:
            processes.wait_until(self._listens, self._process, "The runtime interface emulator", self.log)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the emulator and its runtime."""
        if self._process is not None:
            runtimes = (
                psutil.Process(self._process.pid).children(recursive=True) if self._process.poll() is None else []
            )
            processes.stop(self._process)
            processes.stop_strays(runtimes)
            self._process = None

    def invoke(self, event: Mapping[str, object]) -> str:
        """Return what the runtime answers, as it stands."""
        # Sixty seconds are more than any timeout here.
        return httpx.post(
            f"{self._url}/2015-03-31/functions/function/invocations", json=event, trust_env=False, timeout=60
        ).text

    def call(self, event: Mapping[str, object]) -> Any:
        """Return the handler's answer."""
        answer = self.invoke(event)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise AssertionError(f"{answer}\n{processes.tail(self.log, lines=40)}") from error

    def _listens(self) -> bool:
        # There is no path that it answers without an invocation.
        try:
            httpx.get(self._url, trust_env=False, timeout=5)
        except httpx.TransportError:
            return False
        return True
