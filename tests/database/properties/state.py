"""The rows of the model, and the rules that its functions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

UNDER_WAY: Final = ("awaiting_upload", "queued", "running", "needs_type")
OUTPUT_BYTES: Final = 8
Key = tuple[str, str]
"""An owner and a SHA-256."""


class Refused(Exception):
    """The problem that a function raises."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Limits:
    """A plan."""

    running_jobs: int
    uploads_per_hour: int
    stored_bytes: int


@dataclass
class Owner:
    plan: str = "free"
    uploads: int = 0  # in this hour


@dataclass
class Upload:
    size: int
    stored_at: int | None = None
    silent: bool = False  # not asked for since a day


@dataclass
class Attempt:
    worker: str
    started_at: int
    outcome: str | None = None


@dataclass
class Job:
    key: Key
    parameters: int
    size: int
    created_at: int
    due_since: float
    status: str = ""
    due: bool = True
    quiet: bool = False  # due for a long time
    turn: int = 0
    lease: bool = False
    cancel_requested: bool = False
    chosen: str | None = None  # the dataset type
    chosen_parameters: int | None = None  # None: those of the upload
    before: int = 0  # attempts before the user asked for more
    max_attempts: int = 3
    expired: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.key[0]

    @property
    def is_last_attempt(self) -> bool:
        return len(self.attempts) >= self.max_attempts

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY and not self.cancel_requested

    @property
    def is_size_compared(self) -> bool:
        """Whether a worker has seen the bytes, and that they are as many."""
        return self.status == "done" or "needs_type" in self.events

    def go(self, status: str) -> None:
        self.status = status
        self.events.append(status)
        self.lease = status == "running"


@dataclass
class Deletion:
    due: bool
    reusable: bool
    taken: bool = False
    quiet: bool = False  # taken long ago
    again: bool = False


def upload_key(key: Key) -> str:
    return f"uploads/{key[0]}/{key[1]}"


def outputs_key(owner: str, job_id: str, attempt: int | None = None) -> str:
    return f"outputs/{owner}/{job_id}/" + (f"{attempt}/" if attempt else "")


class State:
    """All owners' uploads and jobs, and what is to be deleted; `now` counts the calls."""

    def __init__(self, plans: dict[str, Limits]) -> None:
        self.plans = plans
        self.now = 0
        self.owners: dict[str, Owner] = {}
        self.uploads: dict[Key, Upload] = {}
        self.jobs: dict[str, Job] = {}
        self.deletions: dict[str, Deletion] = {}

    def stored_bytes(self, owner: str) -> int:
        uploads = sum(upload.size for key, upload in self.uploads.items() if key[0] == owner)
        return uploads + OUTPUT_BYTES * sum(job.status == "done" and job.owner == owner for job in self.jobs.values())

    def running(self, owner: str) -> int:
        return sum(job.lease and job.owner == owner for job in self.jobs.values())

    def more(self, owner: str) -> bool:
        """Whether the owner has a job that could start now, other than one that this call itself queued."""
        return any(
            job.status == "queued" and job.due and job.due_since < self.now and job.owner == owner
            for job in self.jobs.values()
        )

    def busy(self, owner: str) -> bool:
        return self.running(owner) >= self.plans[self.owners[owner].plan].running_jobs

    def jobs_of(self, key: Key) -> list[tuple[str, Job]]:
        return [(job_id, job) for job_id, job in self.jobs.items() if job.key == key]

    def own(self, owner: str, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.owner != owner:
            raise Refused("job_not_found")
        return job

    def live(self, job_id: str, attempt: int) -> Job | None:
        """The job, if that is the attempt that runs it."""
        job = self.jobs.get(job_id)
        return job if job and job.status == "running" and len(job.attempts) == attempt else None

    def same_under_way(self, job: Job, but: str = "") -> str:
        """The id of the job (not `but`) that is under way with the same file and parameters, if there is one."""
        for job_id, other in self.jobs_of(job.key):
            if job_id != but and other.is_under_way and other.parameters == job.parameters:
                return job_id
        return ""

    def require_stored(self, key: Key) -> None:
        if self.uploads[key].stored_at is None:
            raise Refused("bytes_missing")

    def new_job(self, job_id: str, key: Key, parameters: int, size: int) -> None:
        self.jobs[job_id] = job = Job(key, parameters, size, self.now, self.now)
        if self.uploads[key].stored_at is None:
            job.go("awaiting_upload")
        else:
            self.queue(job)
        self.admit(key[0])

    def admit(self, owner: str) -> None:
        plan = self.plans[self.owners[owner].plan]
        if self.stored_bytes(owner) > plan.stored_bytes:
            raise Refused("storage_limit")
        if self.owners[owner].uploads >= plan.uploads_per_hour:
            raise Refused("uploads_limit")
        self.owners[owner].uploads += 1

    def store(self, key: Key) -> None:
        """The bytes are there: queue the jobs that waited for them."""
        self.uploads[key].stored_at = self.now
        for _, job in self.jobs_of(key):
            if job.status == "awaiting_upload":
                self.queue(job)

    def queue(self, job: Job) -> None:
        """The turn after the owner's last one, but not before the one that the queue has come to."""
        queued = [other for other in self.jobs.values() if other.status == "queued"]
        come_to = [other.turn for other in queued if other.due] or [other.turn for other in queued] or [0]
        job.turn = max([min(come_to), *(other.turn + 1 for other in queued if other.owner == job.owner)])
        self.wait(job, "queued")

    def wait(self, job: Job, status: str, *, due: bool = True) -> None:
        job.due, job.quiet, job.due_since = due, False, self.now
        job.go(status)

    def end_attempt(self, job_id: str, job: Job, outcome: str) -> None:
        job.attempts[-1].outcome = outcome
        if outcome in ("failed", "retry", "cancelled", "lost", "superseded"):
            due = outcome not in ("lost", "superseded")
            self.delete_later(outputs_key(job.owner, job_id, len(job.attempts)), due=due)

    def settle_lost(self, job_id: str, job: Job) -> None:
        self.end_attempt(job_id, job, "lost")
        self.wait(job, "cancelled" if job.cancel_requested else "failed" if job.is_last_attempt else "queued")

    def remove(self, job_id: str) -> None:
        job = self.jobs.pop(job_id)
        if job.attempts:
            self.delete_later(outputs_key(job.owner, job_id), due=job.status != "running")
        if not self.jobs_of(job.key):
            upload = self.uploads.pop(job.key)
            self.delete_later(upload_key(job.key), due=True, reusable=upload.stored_at is not None)

    def delete_later(self, key: str, *, due: bool, reusable: bool = False) -> None:
        deletion = self.deletions.get(key)
        if deletion and deletion.taken:
            deletion.again, deletion.reusable = True, False
        else:
            self.deletions[key] = Deletion(due, reusable)
