"""A pytest plugin that fails the run if a log contains data that must not be logged.

It reads what this process logs and prints, test by test, and at the end the log files that the run left in its
temporary folders: of local stacks, Postgres, MiniStack, PostgREST. The cells of a file are known by CANARY, which the
files that tests send should hold somewhere.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.telemetry import logger
from shared.telemetry.log_format import LogFormat
from tests.issuer import SECRET

CANARY = "cell-7Qz0vXkW"

FORBIDDEN = {
    "a token": r"eyJ[\w-]{5,}\.eyJ[\w-]{5,}\.[\w-]*",
    "a secret key of a project": r"sb_secret_\w+",
    "the shared secret of a project": re.escape(SECRET),
    "the signature of a link or a request": r"Signature=[0-9a-fA-F%/+]{16,}",
    "a temporary key of AWS": r"X-Amz-Security-Token=\w+",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "the secret of a webhook": r"whsec_[\w+/=-]{16,}",
    "a password in an address": r"[a-z]://[^\s/:@'\"]+:[^\s/:@'\"]+@",
    "a cell of a file": re.escape(CANARY),
}
# Files in which a local stack keeps its secrets, and their names there.
_KEPT = {"postgres.json": ("postgres", "authenticator"), "object-store-key.json": ("secret",)}


class Finding(NamedTuple):
    """A line that should not be: where it was logged, what it holds, and the line up to there."""

    where: str
    what: str
    line: str


def look(text: str, where: str, secrets: Iterable[str] = ()) -> Iterator[Finding]:
    """Find what no log may hold: by its form, or as one of these secrets."""
    patterns = list(FORBIDDEN.items()) + [("a secret of a stack", re.escape(secret)) for secret in secrets]
    for what, pattern in patterns:
        for found in re.finditer(pattern, text):
            begin = text.rfind("\n", 0, found.start()) + 1
            # Not the rest of it: what is shown here is logged as well.
            yield Finding(where, what, f"{text[begin : found.start()][-300:]}{found.group()[:4]}...")


class Watch(logging.Handler):
    """What was found so far. As a handler of the root logger it sees lines that a test itself captures, too."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LogFormat())
        self.findings: dict[Finding, None] = {}
        self.where = "before the first test"
        self.folder: Path | None = None

    def _look(self, text: str, where: str, secrets: Iterable[str] = ()) -> None:
        self.findings |= dict.fromkeys(look(text, where, secrets))

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line of this process's, with the keys that the functions add to theirs."""
        ours = record.name == logger.name
        self._look(logger.registered_formatter.format(record) if ours else self.format(record), self.where)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note which test runs."""
        self.where = item.nodeid
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at all that a test printed, its fixtures included."""
        if report.when == "teardown":
            self._look(report.capstdout + report.capstderr, report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at the files, and fail the run if anything was found."""
        if self.folder is not None:
            self._look_at_files(self.folder)
        if self.findings and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was found."""
        if self.findings:
            terminalreporter.section("logged, and may not be", red=True)
        for finding in self.findings:
            terminalreporter.line(f"{finding.where}\n    {finding.what}: {finding.line}", red=True)

    def _look_at_files(self, folder: Path) -> None:
        files = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
        secrets = {secret for path in files if path.name in _KEPT for secret in _secrets(path)}
        for path in sorted(files):
            if path.suffix == ".log":
                self._look(path.read_text(errors="replace"), str(path.relative_to(folder)), secrets)


def _secrets(path: Path) -> list[str]:
    try:
        kept = json.loads(path.read_bytes())
        return [kept[name] for name in _KEPT[path.name]]
    except (ValueError, TypeError, KeyError):
        return []  # damaged by a test on purpose


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch."""
    watch = Watch()
    config.pluginmanager.register(watch, "log watch")
    logging.getLogger().addHandler(watch)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it."""
    logging.getLogger().removeHandler(_watch(config))


@pytest.fixture(scope="session", autouse=True)
def _folder_of_the_run(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    _watch(pytestconfig).folder = tmp_path_factory.getbasetemp()


def _watch(config: pytest.Config) -> Watch:
    watch = config.pluginmanager.get_plugin("log watch")
    assert isinstance(watch, Watch)
    return watch
