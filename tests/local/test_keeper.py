"""A process of the stack is started again when it ends, but not for ever."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from local.aws import keeper
from local.aws.keeper import Keeper
from local.stack import Stack

ENDS = [sys.executable, "-S", "-c", "raise SystemExit('no settings')"]


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_PAUSE_SECONDS", 0)


def kept(home: Path, command: list[str]) -> Keeper:
    (home / "logs").mkdir()
    return Keeper("poller", command, home, dict(os.environ))


def test_one_that_ends_soon_after_each_start_is_given_up(tmp_path: Path) -> None:
    poller = kept(tmp_path, ENDS)
    poller.start()
    poller._thread.join(30)
    assert (poller.ended, poller.gave_up, poller.pid) == (5, True, None)
    assert poller.log.read_text().count("no settings") == 5
    stack = Stack(tmp_path)
    stack._keepers.append(poller)
    assert stack.dead_part() == f"The process poller ended soon after each start; its log is {poller.log}."
    poller.stop()


def test_one_that_ends_now_and_then_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_SOON_SECONDS", 0)
    poller = kept(tmp_path, ENDS)
    poller.start()
    while poller.ended <= 5:
        assert not poller.gave_up
    poller.stop()
