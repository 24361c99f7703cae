"""The heartbeat: it goes on whatever the database says to one of its beats."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from functions.process.attempt import Attempt, Claim
from shared.auth import User
from shared.data_api import DataApiRefused
from shared.errors import AssayError, Transient
from shared.psycopg_database import PsycopgDatabase
from shared.transport import Argument
from tests.database.steps import Steps

pytestmark = pytest.mark.usefixtures("aws")
BEATS = 3


@pytest.mark.parametrize(
    "fault", [Transient("the database does not answer"), DataApiRefused("the key was replaced")], ids=repr
)
def test_a_beat_that_fails_is_not_the_last(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: AssayError
) -> None:
    job_id, _ = steps.queued()
    claimed = Claim.model_validate(steps.claim(job_id))
    call, beats, enough = PsycopgDatabase.call, [0], threading.Event()

    def failing_once(
        self: PsycopgDatabase, function: str, arguments: Mapping[str, Argument], as_user: User | None
    ) -> object:
        beats[0] += 1
        if beats[0] == 1:
            raise fault
        answer = call(self, function, arguments, as_user)
        if beats[0] >= BEATS:
            enough.set()
        return answer

    with monkeypatch.context() as faulty, Attempt(claimed, 1, time.monotonic() + 600) as attempt:
        faulty.setattr(PsycopgDatabase, "call", failing_once)
        assert enough.wait(10)
    assert type(fault).__name__ in caplog.text
    attempt.await_type({"confidence": 0.1})
    assert steps.job(job_id)["status"] == "needs_type"
