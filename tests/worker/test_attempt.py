"""The heartbeat: it goes on whatever the database says to one of its beats."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from functions.process.worker.attempt import Attempt, Claim
from shared.database.data_api import DataApiRefused
from shared.database.psycopg_database import PsycopgDatabase
from shared.database.transport import Argument
from shared.errors import AssayError, JobCancelled, Transient
from shared.sign_in.auth import User
from tests.database.steps import Steps, Superuser

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


def test_a_cancel_is_known_within_one_heartbeat_however_silent_the_work_is(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, _ = steps.queued()
    claimed = Claim.model_validate(steps.claim(job_id))
    call, beaten = PsycopgDatabase.call, threading.Event()

    def beating(
        self: PsycopgDatabase, function: str, arguments: Mapping[str, Argument], as_user: User | None
    ) -> object:
        answer = call(self, function, arguments, as_user)
        if function == "report_progress" and isinstance(answer, dict) and answer["cancel_requested"]:
            beaten.set()
        return answer

    monkeypatch.setattr(PsycopgDatabase, "call", beating)
    with Attempt(claimed, 3, time.monotonic() + 600) as attempt:
        attempt.check()
        steps.cancel(job_id)
        assert beaten.wait(10)
    with pytest.raises(JobCancelled):
        attempt.check()


def test_every_report_tells_what_the_file_is_and_how_often_its_pipeline_may_try(
    steps: Steps, superuser: Superuser
) -> None:
    job_id, _ = steps.queued()
    attempt = Attempt(Claim.model_validate(steps.claim(job_id)), 60, time.monotonic() + 600)

    def allowed() -> object:
        row = superuser.execute("select max_attempts from assay.jobs where job_id = %s", (job_id,)).fetchone()
        assert row is not None
        return row[0]

    attempt.progress(0.1, "downloading")
    assert allowed() == 3, "the database's own, as long as nobody knows the pipeline"
    attempt.detected({"dataset_type": "table", "confidence": 0.9}, 5)
    assert (allowed(), steps.job(job_id)["detection"]["dataset_type"]) == (5, "table")
    attempt.progress(0.2, "reading")
    assert allowed() == 5


def test_more_may_wait_until_the_database_says_that_nothing_does(steps: Steps) -> None:
    job_id, _ = steps.queued()
    attempt = Attempt(Claim.model_validate(steps.claim(job_id)), 60, time.monotonic() + 600)
    attempt.progress(0.1, "downloading")
    assert attempt.more is True
    attempt.await_type({"confidence": 0.1})
    assert attempt.more is False
