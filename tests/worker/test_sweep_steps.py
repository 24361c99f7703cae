"""No step of the sweep that fails stops the others, and the alarm rings."""

from __future__ import annotations

import json

import pytest

from functions.process.app import handler
from functions.process.upkeep import sweeper
from functions.process.upkeep.sweeper import SweepFailed
from shared.errors import Transient
from tests.api import Context
from tests.sqs import SWEEP

pytestmark = pytest.mark.usefixtures("aws")
STEPS = [step.__name__ for step in sweeper._STEPS]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were begun, in their order; each is done for true."""
    begun: list[str] = []

    def noted(step: object) -> object:
        def run() -> None:
            begun.append(step.__name__)  # type: ignore[attr-defined]  # a function
            step()  # type: ignore[operator]

        run.__name__ = step.__name__  # type: ignore[attr-defined]
        return run

    monkeypatch.setattr(sweeper, "_STEPS", tuple(noted(step) for step in sweeper._STEPS))
    return begun


@pytest.mark.parametrize("failing", STEPS)
@pytest.mark.parametrize("error", [Transient("the store does not answer"), ValueError("unforeseen")], ids=type)
def test_every_other_step_runs_and_the_sweep_fails_at_its_end(
    done: list[str],
    failing: str,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails() -> None:
        raise error

    fails.__name__ = failing
    steps = [fails if step.__name__ == failing else step for step in sweeper._STEPS]
    monkeypatch.setattr(sweeper, "_STEPS", tuple(steps))
    with pytest.raises(SweepFailed, match=f"failed: {failing}$"):
        handler(SWEEP, Context())
    assert done == [step for step in STEPS if step != failing]
    assert str(error) in caplog.text
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [line["SweepStepsFailed"] for line in metrics if "SweepStepsFailed" in line] == [[1.0]]


def test_a_sweep_whose_steps_are_all_done_ends_well(done: list[str]) -> None:
    assert handler(SWEEP, Context()) == {"batchItemFailures": []}
    assert done == STEPS
