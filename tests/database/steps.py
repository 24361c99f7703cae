"""The state machine's functions, called as the handlers call them."""

from __future__ import annotations

import hashlib
from typing import Any, cast
from uuid import uuid4

import psycopg

from shared.catalog.registry import current_versions
from shared.database import Database
from shared.database.transport import Argument
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User

Answer = dict[str, Any]
Superuser = psycopg.Connection[tuple[object, ...]]
VERSIONS = current_versions()
MANIFEST = hashlib.sha256(b"manifest").hexdigest()
OUTPUTS = [
    {"name": "CT_Analysis.csv", "media_type": "text/csv", "size_bytes": 3, "sha256": "b" * 64},
    {"name": "manifest.json", "media_type": "application/json", "size_bytes": 5, "sha256": MANIFEST},
]
ERROR = {"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}


def new_sha256() -> str:
    return hashlib.sha256(uuid4().bytes).hexdigest()


def error(code: str) -> Answer:
    return ERROR | {"code": code}


def let_lease_run_out(superuser: Superuser, job_id: str) -> None:
    superuser.execute(
        "update assay.jobs set lease_expires_at = now() - interval '1 second' where job_id = %s", (job_id,)
    )


class Steps:
    """One owner's uploads and the worker that serves them."""

    def __init__(self, db: Database, user: User) -> None:
        self._db = db
        self.user = user

    def _call(self, function: str, user: User | None, **arguments: Argument) -> Answer:
        return cast("Answer", self._db.call(function, {f"p_{name}": value for name, value in arguments.items()}, user))

    def register(
        self,
        sha256: str,
        *,
        size_bytes: int = 10,
        filename: str = "a.csv",
        dataset_type: str | None = None,
        parameters: dict[str, Any] | None = None,
        on_duplicate: str = "reuse",
        versions: dict[str, Any] | None = None,
    ) -> Answer:
        return self._call(
            "register_upload",
            self.user,
            filename=filename,
            size_bytes=size_bytes,
            sha256=sha256,
            dataset_type=dataset_type,
            parameters=parameters or {},
            on_duplicate=on_duplicate,
            pipeline_versions=versions or dict(VERSIONS),
        )

    def arrive(self, sha256: str) -> Answer:
        return self._call("object_created", None, key=upload_key(self.user.owner, sha256))

    def claim(self, job_id: str, worker: str = "", lease_seconds: int = 60, memory_mb: int = 1024) -> Answer:
        """Claim this job, which must be the owner's next one. What other owners have left in the queue fails."""
        worker = worker or f"worker {uuid4()}"
        while (claim := self.claim_next(worker, lease_seconds, memory_mb))["claimed"]:
            if claim["owner"] == str(self.user.owner):
                assert claim["job"]["job_id"] == job_id, "another job of the owner's is next"
                break
            self.fail(claim["job"]["job_id"], claim["attempt"])
        return claim

    def claim_next(self, worker: str, lease_seconds: int = 60, memory_mb: int = 1024) -> Answer:
        """Claim whichever job is next, of any owner."""
        return self._call("claim_job", None, worker=worker, lease_seconds=lease_seconds, memory_mb=memory_mb)

    def report(
        self,
        job_id: str,
        attempt: int,
        progress: float = 0.5,
        detection: Answer | None = None,
        max_attempts: int | None = None,
    ) -> Answer:
        return self._call(
            "report_progress",
            None,
            job_id=job_id,
            attempt=attempt,
            lease_seconds=60,
            progress=progress,
            stage="reading",
            detection=detection,
            max_attempts=max_attempts,
        )

    def await_type(self, job_id: str, attempt: int) -> Answer:
        return self._call("await_type", None, job_id=job_id, attempt=attempt, detection={"confidence": 0.1})

    def remembered(self) -> list[Answer]:
        return cast("list[Answer]", self._call("list_remembered_columns", self.user))

    def edit_columns(self, choice_id: str, columns: Answer) -> Answer:
        return self._call("edit_remembered_columns", self.user, choice_id=choice_id, columns=columns)

    def forget_columns(self, choice_id: str) -> Answer:
        return self._call("forget_columns", self.user, choice_id=choice_id)

    def confirmed(self, header: str = "a" * 64, how: str = "given", column: str | None = "Value") -> str:
        """A job that is done with a column that a person named; return its id."""
        job_id = self.running()
        role = {"column": column, "position": 1, "how": how}
        named = {"station": {"column": "Site", "position": 2, "how": "named"}, "result": role}
        detection = {
            "dataset_type": "station_measurements",
            "likeliest": "station_measurements",
            "header_sha256": header or None,
            "columns": {"roles": named},
        }
        self.report(job_id, 1, detection=detection)
        self.finish(job_id, 1)
        return job_id

    def finish(self, job_id: str, attempt: int, version: str = VERSIONS["station_measurements"]) -> Answer:
        return self._call(
            "finish_job",
            None,
            job_id=job_id,
            attempt=attempt,
            dataset_type="station_measurements",
            pipeline="station_measurements",
            pipeline_version=version,
            summary={"rows_read": 1},
            manifest_sha256=MANIFEST,
            outputs=cast("Argument", OUTPUTS),
        )

    def fail(
        self, job_id: str, attempt: int, retry_after_seconds: int | None = None, code: str = "no_header"
    ) -> Answer:
        return self._call(
            "fail_job",
            None,
            job_id=job_id,
            attempt=attempt,
            error=error(code),
            retry_after_seconds=retry_after_seconds,
        )

    def cancel(self, job_id: str) -> Answer:
        return self._call("cancel_job", self.user, job_id=job_id)

    def retry(self, job_id: str) -> Answer:
        return self._call("retry_job", self.user, job_id=job_id)

    def reprocess(self, job_id: str) -> Answer:
        return self._call("reprocess_job", self.user, job_id=job_id)

    def choose_type(self, job_id: str, dataset_type: str = "table", parameters: dict[str, Any] | None = None) -> Answer:
        return self._call("choose_type", self.user, job_id=job_id, dataset_type=dataset_type, parameters=parameters)

    def delete(self, job_id: str) -> Answer:
        return self._call("delete_job", self.user, job_id=job_id)

    def set_plan(self, plan: str) -> Answer:
        return self._call("set_plan", None, owner=str(self.user.owner), plan=plan)

    def clean_up(self, quiet_seconds: int = 1200) -> Answer:
        return self._call("clean_up", None, quiet_seconds=quiet_seconds)

    def objects_deleted(self, keys: list[str]) -> Answer:
        return self._call("objects_deleted", None, keys=cast("Argument", keys))

    def sweep(self, upload_seconds: int = 3600, quiet_seconds: int = 900) -> Answer:
        return self._call("sweep_jobs", None, upload_seconds=upload_seconds, quiet_seconds=quiet_seconds)

    def drain(self, quiet_seconds: int = 900) -> list[str]:
        return cast("list[str]", self._call("drain_outbox", None, quiet_seconds=quiet_seconds)["keys"])

    def job(self, job_id: str) -> Answer:
        return self._call("get_job", self.user, job_id=job_id)

    def outputs(self, job_id: str) -> list[Answer]:
        return cast("list[Answer]", self._call("list_outputs", self.user, job_id=job_id))

    def output(self, output_id: str) -> Answer:
        return self._call("get_output", self.user, output_id=output_id)

    def jobs(self, status: str | None = None, limit: int = 100) -> list[Answer]:
        page = self._call(
            "list_jobs", self.user, status=status, limit=limit, before_created_at=None, before_job_id=None
        )
        return cast("list[Answer]", page)

    def account(self) -> Answer:
        return self._call("get_account", self.user)

    def export(self, limit: int = 500, after: Answer | None = None) -> Answer:
        return self._call("export_account", self.user, limit=limit, after=after)

    def delete_account(self, limit: int = 500) -> Answer:
        return self._call("delete_account", self.user, limit=limit)

    def queued(self) -> tuple[str, str]:
        """Register new bytes and let them arrive; return the job's id and the hash."""
        sha256 = new_sha256()
        job_id: str = self.register(sha256)["job"]["job_id"]
        self.arrive(sha256)
        return job_id, sha256

    def running(self) -> str:
        job_id, _ = self.queued()
        assert self.claim(job_id)["attempt"] == 1
        return job_id

    def done(self) -> tuple[str, str]:
        job_id, sha256 = self.queued()
        assert self.finish(job_id, self.claim(job_id)["attempt"])["accepted"]
        return job_id, sha256
