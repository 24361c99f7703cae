"""Every function of the database answers the same by either transport; a new one needs a line in FUNCTIONS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import uuid4

import pytest
from pydantic import JsonValue

from shared.auth import User
from shared.database import Database
from shared.transport import Argument
from tests.database.steps import ERROR, MANIFEST, OUTPUTS, Answer, Steps, Superuser, new_sha256


class Recorder:
    """A database that notes which functions were called."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.called: set[str] = set()

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        self.called.add(function)
        return self._db.call(function, arguments, as_user)

    def ping(self) -> None:
        self._db.ping()


def register_upload(steps: Steps) -> None:
    sha256 = new_sha256()
    first = steps.register(sha256, dataset_type="table", parameters={"aggregate": "median"})
    assert (first["cached"], first["job"]["status"]) == (False, "awaiting_upload")
    assert first["job"]["requested_dataset_type"] == "table"
    again = steps.register(sha256, dataset_type="table", parameters={"aggregate": "median"})
    assert again["job"]["job_id"] == first["job"]["job_id"]
    assert again["upload"]["times_used"] == 2


def object_created(steps: Steps) -> None:
    sha256 = new_sha256()
    assert steps.arrive(sha256) == {"known": False, "jobs": []}
    job_id = steps.register(sha256)["job"]["job_id"]
    assert steps.arrive(sha256) == {"known": True, "jobs": [job_id]}
    assert steps.arrive(sha256) == {"known": True, "jobs": [job_id]}


def claim_job(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    claim = steps.claim(job_id, memory_mb=512)
    assert (claim["claimed"], claim["attempt"], claim["owner"]) == (True, 1, str(steps.user.owner))
    assert claim["object_key"] == f"uploads/{steps.user.owner}/{sha256}"
    assert steps.claim(job_id, memory_mb=512) == claim
    assert steps.claim(job_id, "another worker")["reason"] == "leased"
    assert steps.claim(str(uuid4())) == {"claimed": False, "reason": "unknown_job"}


def report_progress(steps: Steps) -> None:
    job_id = steps.running()
    answer = steps.report(job_id, 1, 0.25, {"dataset_type": "table", "confidence": 0.5})
    assert answer == {"accepted": True, "cancel_requested": False}
    job = steps.job(job_id)
    assert (job["progress"], job["stage"], job["detection"]["confidence"]) == (0.25, "reading", 0.5)
    assert steps.report(job_id, 2) == {"accepted": False, "reason": "stale_attempt"}


def await_type(steps: Steps) -> None:
    job_id = steps.running()
    first = steps.await_type(job_id, 1)
    assert (first["accepted"], first["status"]) == (True, "needs_type")
    assert steps.await_type(job_id, 1) == first


def finish_job(steps: Steps) -> None:
    job_id, _ = steps.queued()
    first = steps.finish(job_id, steps.claim(job_id, memory_mb=1024)["attempt"])
    assert (first["accepted"], first["status"], first["cost"]["currency"]) == (True, "done", "USD")
    assert steps.finish(job_id, 1) == first
    job = steps.job(job_id)
    assert (job["summary"], job["manifest_sha256"], job["cost"]) == ({"rows_read": 1}, MANIFEST, first["cost"])


def fail_job(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.fail(job_id, 1, retry_after_seconds=0)["status"] == "queued"
    assert steps.claim(job_id, "second")["attempt"] == 2
    last = steps.fail(job_id, 2)
    assert (last["accepted"], last["status"]) == (True, "failed")
    assert steps.fail(job_id, 2) == last
    assert steps.job(job_id)["error"] == ERROR


def cancel_job(steps: Steps) -> None:
    job_id = steps.running()
    assert steps.cancel(job_id)["cancel_requested"] is True
    assert steps.report(job_id, 1)["cancel_requested"] is True
    assert steps.finish(job_id, 1)["reason"] == "cancelled"
    assert steps.cancel(job_id)["status"] == "cancelled"


def sweep_jobs(steps: Steps) -> None:
    answer = steps.sweep()
    assert set(answer) == {"expired", "lost", "failed", "keys", "waiting"}
    assert isinstance(answer["waiting"]["queued"], int)


def drain_outbox(steps: Steps) -> None:
    assert steps.drain() == []


def get_job(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    job = steps.job(job_id)
    assert (job["status"], job["sha256"], job["pipeline_version"]) == ("done", sha256, "1.0.0")
    (attempt,) = job["attempts"]
    assert (attempt["attempt"], attempt["worker"], attempt["outcome"]) == (1, "worker", "done")


def list_jobs(steps: Steps) -> None:
    assert steps.jobs() == []
    done, _ = steps.done()
    running = steps.running()
    assert [job["job_id"] for job in steps.jobs()] == [running, done]
    assert [job["job_id"] for job in steps.jobs(status="done")] == [done]
    assert [job["job_id"] for job in steps.jobs(limit=1)] == [running]


def list_outputs(steps: Steps) -> None:
    job_id, _ = steps.done()
    outputs = steps.outputs(job_id)
    assert [{name: output[name] for name in OUTPUTS[0]} for output in outputs] == OUTPUTS
    assert steps.outputs(steps.running()) == []


def get_output(steps: Steps) -> None:
    job_id, _ = steps.done()
    output: Answer = steps.outputs(job_id)[0]
    assert steps.output(output["output_id"]) == {
        **{name: output[name] for name in ("output_id", "name", "media_type", "sha256")},
        "object_key": f"outputs/{steps.user.owner}/{job_id}/1/CT_Analysis.csv",
    }


FUNCTIONS: dict[str, Callable[[Steps], None]] = {
    contract.__name__: contract
    for contract in (
        register_upload,
        object_created,
        claim_job,
        report_progress,
        await_type,
        finish_job,
        fail_job,
        cancel_job,
        sweep_jobs,
        drain_outbox,
        get_job,
        list_jobs,
        list_outputs,
        get_output,
    )
}


def test_every_function_of_the_database_has_its_contract(superuser: Superuser) -> None:
    rows = superuser.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    assert sorted(str(name) for (name,) in rows) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_function_keeps_its_contract(db: Database, user: User, function: str) -> None:
    recorder = Recorder(db)
    FUNCTIONS[function](Steps(recorder, user))
    assert function in recorder.called


def test_ping(db: Database) -> None:
    db.ping()
