"""What the functions should do, in Python: the rules of the job engine without SQL, locks or clocks.

Each method answers as the function of its name, or raises Refused with the problem's code, half done or not at all.
What a lease, a delay or a retention period comes to is a flag, which the test sets together with the database's.
"""

from __future__ import annotations

from typing import Final

from tests.database.properties.state import UNDER_WAY, Attempt, Key, Refused, State, Upload, outputs_key, upload_key

WRONG_BYTES: Final = ("hash_mismatch", "size_mismatch", "object_missing")
STALE: Final = "stale_attempt"


class Model(State):
    """The functions in `public`."""

    # What users do.

    def register(
        self, key: Key, size: int, parameters: int, *, reuse: bool, current: bool, job_id: str
    ) -> tuple[str, bool]:
        """Return the id of the job that answers (`job_id` if it is a new one) and whether that is `cached`."""
        upload = self.uploads.setdefault(key, Upload(size))
        if upload.size != size and any(job.is_size_compared or job.is_under_way for _, job in self.jobs_of(key)):
            raise Refused("size_mismatch")
        upload.silent = False
        upload.size = size
        if upload.stored_at is None:
            self._take_back(key)
        for other, job in self.jobs_of(key):
            if job.status == "running" and not job.lease and (job.cancel_requested or job.is_last_attempt):
                self.settle_lost(other, job)
        answers = [
            (job.status == "done", job.created_at, other)
            for other, job in self.jobs_of(key)
            if not job.cancel_requested
            and job.parameters == parameters
            and (job.status in UNDER_WAY or (job.status == "done" and reuse and current))
        ]
        if not answers:
            self.new_job(job_id, key, parameters, upload.size)
            return job_id, upload.stored_at is not None
        found = max(answers)[2]
        return found, self.jobs[found].status != "awaiting_upload"

    def _take_back(self, key: Key) -> None:
        deletion = self.deletions.get(upload_key(key))
        if deletion and deletion.taken:
            raise Refused("being_deleted")
        if deletion:
            del self.deletions[upload_key(key)]
            if deletion.reusable:
                self.store(key)

    def cancel(self, owner: str, job_id: str) -> None:
        job = self.own(owner, job_id)
        if job.status in ("done", "failed", "expired"):
            raise Refused("job_not_cancellable")
        if job.status == "running":
            job.cancel_requested = True
            if not job.lease:
                self.settle_lost(job_id, job)
        elif job.status != "cancelled":
            job.cancel_requested = True
            job.go("cancelled")

    def retry(self, owner: str, job_id: str) -> None:
        job = self.own(owner, job_id)
        if job.status not in ("failed", "cancelled"):
            raise Refused("job_not_retryable")
        self.require_stored(job.key)
        if self.same_under_way(job):
            raise Refused("already_under_way")
        job.cancel_requested, job.expired = False, False
        job.before, job.max_attempts = len(job.attempts), len(job.attempts) + 3
        self.queue(job)
        self.admit(owner)

    def reprocess(self, owner: str, job_id: str, new_id: str) -> tuple[bool, str]:
        """Return whether there is a new job, which is then `new_id`, and the id of the job that answers."""
        job = self.own(owner, job_id)
        if same := self.same_under_way(job):
            return False, same
        self.require_stored(job.key)
        self.new_job(new_id, job.key, job.parameters, job.size)
        self.jobs[new_id].chosen, self.jobs[new_id].chosen_parameters = job.chosen, job.chosen_parameters
        return True, new_id

    def choose_type(self, owner: str, job_id: str, dataset_type: str, parameters: int | None) -> None:
        job = self.own(owner, job_id)
        was = job.status
        before = job.parameters if job.chosen_parameters is None else job.chosen_parameters
        parameters = before if parameters is None else parameters
        if was == "expired":
            raise Refused("bytes_missing")
        same = (job.chosen, before) == (dataset_type, parameters)
        if same and was not in ("failed", "cancelled") and not job.cancel_requested:
            return
        if was != "awaiting_upload":
            self.require_stored(job.key)
        if self.same_under_way(job, but=job_id):
            raise Refused("already_under_way")
        job.events.append("type_chosen")
        if was == "running":
            self.end_attempt(job_id, job, "superseded")
        elif was == "done":
            self.delete_later(outputs_key(owner, job_id, len(job.attempts)), due=True)
        job.chosen, job.chosen_parameters = dataset_type, None if parameters == job.parameters else parameters
        job.before, job.max_attempts = len(job.attempts), len(job.attempts) + 3
        if was == "queued" and not job.due:
            job.due, job.due_since = True, self.now
        elif was not in ("queued", "awaiting_upload"):
            job.cancel_requested, job.expired = False, False
            self.wait(job, "queued") if was == "running" else self.queue(job)
            if was != "needs_type":
                self.admit(owner)

    def delete(self, owner: str, job_id: str) -> None:
        self.own(owner, job_id)
        self.remove(job_id)

    def set_plan(self, owner: str, plan: str) -> None:
        self.owners[owner].plan = plan
        self.owners[owner].uploads = min(self.owners[owner].uploads, self.plans[plan].uploads_per_hour)
        for job in self.jobs.values():
            if job.owner == owner:
                job.expired = False  # for another week

    # What the worker does.

    def object_created(self, key: Key) -> tuple[bool, set[str], int]:
        """Return whether the upload is known, which jobs are still to be done, and how many of them no worker has."""
        if key not in self.uploads:
            self.delete_later(upload_key(key), due=False, reusable=True)
            return False, set(), 0
        deletion = self.deletions.get(upload_key(key))
        if deletion and deletion.taken:
            self.delete_later(upload_key(key), due=True)
        else:
            self.deletions.pop(upload_key(key), None)
            self.store(key)
        left = {job_id: job for job_id, job in self.jobs_of(key) if job.status in ("queued", "running")}
        return True, set(left), sum(job.status == "queued" for job in left.values())

    def next_jobs(self, worker: str) -> set[str]:
        """Return the jobs one of which this worker is given."""
        own = {
            job_id for job_id, job in self.jobs.items() if job.status == "running" and job.attempts[-1].worker == worker
        }
        due = {
            job_id: (job.turn, job.due_since)
            for job_id, job in self.jobs.items()
            if job.status == "queued" and job.due and not self.busy(job.owner)
        }
        return own or {job_id for job_id, place in due.items() if place == min(due.values())}

    def start(self, job_id: str, worker: str) -> int:
        """Start an attempt, unless it is the worker's already; return its number."""
        job = self.jobs[job_id]
        if job.status == "queued":
            job.attempts.append(Attempt(worker, self.now))
            job.go("running")
        return len(job.attempts)

    def report(self, job_id: str, attempt: int, max_attempts: int | None) -> bool | None:
        """Return whether a cancel was asked for; None for an attempt that does not run."""
        job = self.live(job_id, attempt)
        if job is None:
            return None
        job.lease = True
        if max_attempts is not None:
            job.max_attempts = max(attempt, job.before + max_attempts)
        return job.cancel_requested

    def end(self, job_id: str, attempt: int, outcome: str, code: str = "", *, due: bool = True) -> str:
        """End an attempt as done, failed, needs_type or retry (`due` or not); return the job's status, or STALE."""
        job = self.live(job_id, attempt)
        if job is None:
            return self._repeated(job_id, attempt, outcome)
        if job.cancel_requested:
            self.end_attempt(job_id, job, "cancelled")
            job.go("cancelled")
        elif outcome == "retry" and not job.is_last_attempt:
            self.end_attempt(job_id, job, "retry")
            self.wait(job, "queued", due=due)
        else:
            outcome = "failed" if outcome == "retry" else outcome
            if outcome == "failed" and code in WRONG_BYTES:
                self._not_stored(job.key, job.attempts[-1], code)
            self.end_attempt(job_id, job, outcome)
            job.go(outcome)
        return job.status

    def _repeated(self, job_id: str, attempt: int, outcome: str) -> str:
        job = self.jobs.get(job_id)
        same = ("failed", "retry") if outcome in ("failed", "retry") else (outcome,)
        if job and attempt == len(job.attempts) > 0 and job.attempts[-1].outcome in same:
            return job.status
        return STALE

    def _not_stored(self, key: Key, attempt: Attempt, code: str) -> None:
        upload = self.uploads[key]
        if upload.stored_at is not None and upload.stored_at < attempt.started_at:
            upload.stored_at = None
            if code != "object_missing":
                self.delete_later(upload_key(key), due=True)

    def sweep(self) -> tuple[int, int, int]:
        """Return how many uploads expired, how many workers were lost, and how many hints are to be sent."""
        expired = [
            job for job in self.jobs.values() if job.status == "awaiting_upload" and self.uploads[job.key].silent
        ]
        for job in expired:
            job.go("expired")
        lost = [(job_id, job) for job_id, job in self.jobs.items() if job.status == "running" and not job.lease]
        for job_id, job in lost:
            self.settle_lost(job_id, job)
        quiet = [job for job in self.jobs.values() if job.status == "queued" and job.quiet and not self.busy(job.owner)]
        for job in quiet:
            job.quiet, job.due_since = False, self.now
        return len(expired), len(lost), len(lost) + len(quiet)

    def clean_up(self) -> tuple[int, set[str]]:
        """Return how many jobs were removed, and what is to be deleted."""
        expired = [job_id for job_id, job in self.jobs.items() if job.expired]
        for job_id in expired:
            self.remove(job_id)
        due = {key: one for key, one in self.deletions.items() if one.due and (not one.taken or one.quiet)}
        for deletion in due.values():
            deletion.taken, deletion.quiet, deletion.again = True, False, False
        return len(expired), set(due)

    def objects_deleted(self, keys: set[str]) -> int:
        """Return how many were forgotten."""
        taken = {key: self.deletions[key] for key in keys if key in self.deletions and self.deletions[key].taken}
        for key, deletion in taken.items():
            if deletion.again:
                deletion.taken, deletion.quiet, deletion.again = False, False, False
            else:
                del self.deletions[key]
        return sum(key not in self.deletions for key in taken)
