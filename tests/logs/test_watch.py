"""The watch over the logs of the whole run (tests/log_watch.py) sees what it is there for, and fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.home import PROJECT
from tests.issuer import Issuer
from tests.log_watch import CANARY, look

# Put together here, so that what this file prints when a test fails is none of it.
SIGNATURE = "X-Amz-Sig" + "nature=" + "0123456789abcdef" * 4
HOOK = "whsec" + "_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BAD = {
    "a token": "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "a secret key of a project": "sb_sec" + "ret_AbCdEf",
    "the signature of a link or a request": SIGNATURE,
    "the secret of a webhook": HOOK,
    "a password in an address": "postgresql:/" + "/authenticator:pa55@127.0.0.1/postgres",
    "a private key": "-----BEGIN " + "PRIVATE KEY-----",
    "a cell of a file": CANARY,
}
GOOD = [
    "a UUID 0b8a1d6f-43c1-44fa-8e65-4fd93369ad6b and a sha256 " + "0f" * 32,
    "postgresql://authenticator@127.0.0.1:5432/postgres",
    "https://example.org/hooks?mail=a@b.example",
    "eyJ alone, and whsec_ too",
]


@pytest.mark.parametrize("what", BAD)
def test_it_knows_what_no_log_may_hold(what: str) -> None:
    [finding] = look(f"fine\nbefore {BAD[what]} after\nfine", "here")
    assert (finding.where, finding.what) == ("here", what)
    assert finding.line.startswith("before ")
    assert BAD[what] not in finding.line


def test_it_knows_a_real_token(issuer: Issuer) -> None:
    assert [finding.what for finding in look(f"Bearer {issuer.token()}", "here")] == ["a token"]


@pytest.mark.parametrize("line", GOOD)
def test_it_takes_nothing_else_for_it(line: str) -> None:
    assert list(look(line, "here", ["p4ssw0rd"])) == []


def test_it_knows_a_stack_s_own_secrets() -> None:
    secrets = ["p4ssw0rd", "s3cr3t"]
    assert [finding.what for finding in look("by p4ssw0rd and s3cr3t", "here", secrets)] == ["a secret of a stack"] * 2


LOGGING = """
import json
import logging
from shared.telemetry import logger

BAD = {bad!r}

def test_a(): logger.info("a", extra={{"b": BAD}})
def test_b(): logging.getLogger("botocore").warning("to %s", BAD)
def test_c(): print(BAD)
def test_d(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "api.log").write_text(BAD)
def test_e(tmp_path):
    (tmp_path / "postgres.json").write_text(json.dumps({{"postgres": "p4ssw0rd", "authenticator": "s3cr3t"}}))
    (tmp_path / "server.log").write_text("by p4ssw0rd")
def test_f(capsys, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("urllib3").debug(BAD)
    capsys.readouterr()
def test_g():
    logger.append_keys(key=BAD)
    logger.info("a")
    logger.remove_keys(["key"])
def test_h(): logger.warning("all is well")
"""


def run(folder: Path, tests: str) -> tuple[int, str]:
    """Run these tests under the watch; return the exit status and what was said."""
    (folder / "test_it.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.log_watch", "-c", os.devnull, "--rootdir", folder, folder],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_run_that_logs_it_fails_and_says_where(tmp_path: Path) -> None:
    status, said = run(tmp_path, LOGGING.format(bad=SIGNATURE))
    assert (status, "8 passed" in said, SIGNATURE in said) == (1, True, False), said
    found = said.partition("logged, and may not be")[2]
    places = [line for line in found.splitlines() if line.startswith("test_")]
    assert places == [
        *(f"test_it.py::test_{letter}" for letter in "abcfg"),
        *("test_d0/logs/api.log", "test_e0/server.log"),
    ]


def test_a_run_that_logs_nothing_of_it_passes(tmp_path: Path) -> None:
    status, said = run(tmp_path, LOGGING.format(bad="nothing").replace("by p4ssw0rd", "by nobody"))
    assert status == 0, said
    assert "may not be" not in said
