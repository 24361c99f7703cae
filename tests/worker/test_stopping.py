"""Jobs whose analysis misbehaves, on the real Postgres: how they end, how soon, and what the worker does next."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import Unprocessable
from functions.process.app import handler
from functions.process.sandbox.messages import Finished, NeedsType
from functions.process.sandbox.parent import Sandbox, limits_for
from functions.process.worker.attempt import Attempt, Claim
from shared.errors import JobCancelled, StaleAttempt
from shared.queue.events import RUN_HINT
from shared.sign_in.auth import User
from tests.api import Context
from tests.database.steps import Steps, Superuser, let_lease_run_out
from tests.metrics import metrics_in
from tests.sqs import failed, sqs_event, work
from tests.worker.child import LIMITS, LINUX, request_for
from tests.worker.jobs import MEASUREMENTS, stored_outputs, upload
from tests.worker.misbehaviour import let_it_misbehave

pytestmark = pytest.mark.usefixtures("aws")
BEAT_SECONDS = 2
FOR_EVER = 600


@pytest.fixture(autouse=True)
def _misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    let_it_misbehave(monkeypatch)


def wait_in_a_native_call(
    claimed: Claim, folder: Path, meanwhile: Callable[[], None], seconds: float = FOR_EVER
) -> Finished | NeedsType:
    """Run an attempt of so many seconds, whose child says that it begins, and then nothing more for ever."""
    request = request_for(folder, do="wait")
    with (
        Attempt(claimed, 3 * BEAT_SECONDS, time.monotonic() + seconds) as attempt,
        Sandbox(folder, LIMITS) as sandbox,
    ):
        return sandbox.analyse(request, lambda *_: meanwhile(), lambda _: None, attempt.check)


def test_a_cancel_takes_effect_within_one_heartbeat(steps: Steps, tmp_path: Path) -> None:
    job_id, _ = steps.queued()
    cancelled: list[float] = []

    def cancel() -> None:
        steps.cancel(job_id)
        cancelled.append(time.monotonic())

    with pytest.raises(JobCancelled):
        wait_in_a_native_call(Claim.model_validate(steps.claim(job_id)), tmp_path, cancel)
    assert time.monotonic() - cancelled[0] < 2 * BEAT_SECONDS


def test_an_attempt_that_is_overtaken_ends_within_one_heartbeat(
    steps: Steps, tmp_path: Path, superuser: Superuser
) -> None:
    job_id, _ = steps.queued()
    overtaken: list[float] = []

    def overtake() -> None:
        let_lease_run_out(superuser, job_id)
        steps.sweep()
        assert steps.claim(job_id, worker="second")["attempt"] == 2
        overtaken.append(time.monotonic())

    with pytest.raises(StaleAttempt):
        wait_in_a_native_call(Claim.model_validate(steps.claim(job_id)), tmp_path, overtake)
    assert time.monotonic() - overtaken[0] < 2 * BEAT_SECONDS
    assert steps.job(job_id)["status"] == "running"


def test_the_deadline_ends_what_goes_on_for_ever(steps: Steps, tmp_path: Path) -> None:
    job_id, _ = steps.queued()
    began = time.monotonic()
    with pytest.raises(Unprocessable) as caught:
        wait_in_a_native_call(Claim.model_validate(steps.claim(job_id)), tmp_path, lambda: None, seconds=3)
    assert caught.value.code == "took_too_long"
    assert 3 <= time.monotonic() - began < 30


def test_a_crash_is_a_failed_job_and_no_dead_worker(
    steps: Steps, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    crashing, key = upload(steps, MEASUREMENTS, parameters={"do": "segfault"})
    healthy, _ = upload(steps, MEASUREMENTS)
    work(key)
    job = steps.job(crashing)
    assert (job["status"], job["error"]["code"], len(job["attempts"])) == ("failed", "reader_crashed", 1)
    assert steps.job(healthy)["status"] == "done"
    assert not [name for name in stored_outputs(user) if crashing in name]
    assert metrics_in(capsys.readouterr().out)["InternalErrors"] == [1], "a crash is for us to look at"


@LINUX
def test_the_childs_memory_is_that_of_the_worker(steps: Steps) -> None:
    memory_bytes = limits_for(Context().memory_limit_in_mb, 0).memory_bytes
    parameters = {"do": "reach_the_limit_and_wait", "memory_bytes": memory_bytes}
    job_id, key = upload(steps, MEASUREMENTS, parameters=parameters)
    work(key)
    assert steps.job(job_id)["error"]["code"] == "out_of_memory"


def test_a_child_that_the_system_killed_is_tried_again(steps: Steps, superuser: Superuser) -> None:
    job_id, key = upload(steps, MEASUREMENTS, parameters={"do": "be_killed"})
    work(key)
    for _ in range(2):
        superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))
        assert failed(handler(sqs_event(RUN_HINT), Context())) == []
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "out_of_memory")
    assert [attempt["outcome"] for attempt in job["attempts"]] == ["retry", "retry", "failed"]


def test_the_deadline_is_that_of_the_invocation(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id, key = upload(steps, MEASUREMENTS, parameters={"do": "wait"})
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", staticmethod(lambda: 5_000))
    work(key)
    job = steps.job(job_id)
    assert (job["status"], job["error"]["code"], len(job["attempts"])) == ("failed", "took_too_long", 1)
