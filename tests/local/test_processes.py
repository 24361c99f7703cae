"""Waiting for a child process: it answers, or it says why it does not."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from local import processes
from local.home import LOOPBACK, free_port


def test_a_process_that_ends_before_it_is_ready_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = processes.spawn([sys.executable, "-c", "raise SystemExit('no such port')"], log)
    with pytest.raises(processes.StackError, match=r"Part did not start.*\n.*no such port"):
        processes.wait_until(lambda: False, process, "Part", log)


def test_whoever_is_ready_is_waited_for_no_longer(tmp_path: Path) -> None:
    process = processes.spawn([sys.executable, "-c", "import signal; signal.pause()"], tmp_path / "log")
    try:
        processes.wait_until(iter([False, False, True]).__next__, process, "Part", tmp_path / "log")
    finally:
        processes.stop(process)


def test_a_free_port_is_none_that_the_system_gives_to_whoever_asks() -> None:
    with socket.socket() as asked:
        asked.bind((LOOPBACK, 0))
        given = asked.getsockname()[1]
    assert all(port < 32_768 <= given for port in (free_port() for _ in range(20)))
