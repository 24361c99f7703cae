"""What workers do: take news, claim jobs, work at them, are lost, wake up again, and sweep."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.database.properties.model import STALE
from tests.database.properties.state import outputs_key, upload_key
from tests.database.properties.world import World, places
from tests.database.steps import OUTPUTS, Answer

STALE_ANSWER = {"accepted": False, "reason": STALE}

workers = st.sampled_from(["one", "two", "three"])
behind = st.sampled_from([0, 0, 1])
failures = st.sampled_from(
    [
        ("no_header", None),
        ("hash_mismatch", None),
        ("object_missing", None),
        ("took_too_long", 0),
        ("took_too_long", 1000),
    ]
)


class Workers(World):
    """Three workers; an attempt is its job's last one, or an older one."""

    @precondition(lambda self: self.news)
    @rule(place=places, again=st.booleans())
    def event(self, place: int, *, again: bool) -> None:
        """In any order, late, and twice. The worker passes over what is gone again."""
        place %= len(self.news)
        key = self.news[place] if again else self.news.pop(place)
        if upload_key(key) not in self.store:
            return

        def expect(answer: Answer) -> None:
            assert (answer["known"], set(answer["jobs"]), answer["queued"]) == self.model.object_created(key)

        self.both(lambda: self.steps[key[0]].arrive(key[1]), expect)

    @precondition(lambda self: self.jobs_that("queued", "running"))
    @rule(worker=workers)
    def claim_next(self, worker: str) -> None:
        def expect(answer: Answer) -> None:
            jobs = self.model.next_jobs(worker)
            assert answer["claimed"] == bool(jobs)
            if jobs:
                job_id = answer["job"]["job_id"]
                assert job_id in jobs
                self.started(job_id, worker, answer)

        self.both(lambda: self.worker.claim_next(worker), expect)

    def started(self, job_id: str, worker: str, answer: Answer) -> None:
        job = self.model.jobs[job_id]
        is_new = job.status == "queued"
        attempt = self.model.start(job_id, worker)
        assert (answer["attempt"], answer["owner"]) == (attempt, job.owner)
        assert answer["object_key"] == upload_key(job.key)
        limits = self.model.plans[self.model.owners[job.owner].plan]
        assert not is_new or self.model.running(job.owner) <= limits.running_jobs
        self.alive[job_id, attempt] = None

    def attempt_at(self, place: int, behind: int) -> tuple[str, int]:
        """A job's last attempt, or an older one."""
        job_id = self.job_at(place, "running")
        job = self.model.jobs.get(job_id)
        return job_id, max(len(job.attempts) - behind, 1) if job else 1

    @precondition(lambda self: self.jobs_that("running"))
    @rule(place=places, worker=workers, write=st.sampled_from(["finish", "fail", "report", "await_type", ""]))
    def take_over(self, place: int, worker: str, write: str) -> None:
        """A worker is not heard of for a lease, and its job waits for another; then it wakes up, or does not."""
        running = self.jobs_that("running")
        job_id, job = running[place % len(running)]
        if job.lease:
            self.let_lease_run_out(job_id)
        self.sweep()
        self.agree()
        self.claim_next(worker)
        self.agree()
        self.write(write, job_id, max(len(job.attempts) - 1, 1))

    @precondition(lambda self: any(job.cancel_requested for _, job in self.jobs_that("running")))
    @rule(write=st.sampled_from(["finish", "fail", "report", "await_type"]))
    def go_on_after_a_cancel(self, write: str) -> None:
        job_id, job = next(item for item in self.jobs_that("running") if item[1].cancel_requested)
        self.write(write, job_id, len(job.attempts))

    def write(self, write: str, job_id: str, attempt: int) -> None:
        if write == "finish":
            self.finish_attempt(job_id, attempt)
        elif write == "fail":
            self.fail_attempt(job_id, attempt, "no_header", 0)
        elif write == "report":
            self.report_attempt(job_id, attempt, None)
        elif write == "await_type":
            self.await_attempt(job_id, attempt)

    @precondition(lambda self: any(job.attempts for job in self.model.jobs.values()))
    @rule(place=places, behind=behind, max_attempts=st.sampled_from([None, None, 1, 5]))
    def report(self, place: int, behind: int, max_attempts: int | None) -> None:
        self.report_attempt(*self.attempt_at(place, behind), max_attempts)

    def report_attempt(self, job_id: str, attempt: int, max_attempts: int | None) -> None:
        def expect(answer: Answer) -> None:
            cancel = self.model.report(job_id, attempt, max_attempts)
            accepted = {"accepted": True, "cancel_requested": cancel}
            assert answer == (STALE_ANSWER if cancel is None else accepted)

        self.both(lambda: self.worker.report(job_id, attempt, max_attempts=max_attempts), expect)

    @precondition(lambda self: self.alive)
    @rule(place=places)
    def store_an_output(self, place: int) -> None:
        job_id, attempt = list(self.alive)[place % len(self.alive)]
        owner = self.owner_of[job_id]
        self.store.add(f"{outputs_key(owner, job_id, attempt)}{OUTPUTS[0]['name']}")

    @precondition(lambda self: any(job.attempts for job in self.model.jobs.values()))
    @rule(place=places, behind=behind)
    def finish(self, place: int, behind: int) -> None:
        self.finish_attempt(*self.attempt_at(place, behind))

    def finish_attempt(self, job_id: str, attempt: int) -> None:
        if (job_id, attempt) in self.alive:
            folder = outputs_key(self.owner_of[job_id], job_id, attempt)
            self.store |= {f"{folder}{output['name']}" for output in OUTPUTS}
        self.both(
            lambda: self.worker.finish(job_id, attempt), lambda answer: self.ended(answer, job_id, attempt, "done")
        )

    @precondition(lambda self: any(job.attempts for job in self.model.jobs.values()))
    @rule(place=places, behind=behind, failure=failures)
    def fail(self, place: int, behind: int, failure: tuple[str, int | None]) -> None:
        self.fail_attempt(*self.attempt_at(place, behind), *failure)

    def fail_attempt(self, job_id: str, attempt: int, code: str, delay: int | None) -> None:
        outcome = "failed" if delay is None else "retry"
        self.both(
            lambda: self.worker.fail(job_id, attempt, delay, code),
            lambda answer: self.ended(answer, job_id, attempt, outcome, code, due=not delay),
        )

    @precondition(lambda self: any(job.attempts for job in self.model.jobs.values()))
    @rule(place=places, behind=behind)
    def await_type(self, place: int, behind: int) -> None:
        self.await_attempt(*self.attempt_at(place, behind))

    def await_attempt(self, job_id: str, attempt: int) -> None:
        if (job_id, attempt) in self.alive:
            # It comes before the pipeline has run.
            self.delete_objects({outputs_key(self.owner_of[job_id], job_id, attempt)})
        self.both(
            lambda: self.worker.await_type(job_id, attempt),
            lambda answer: self.ended(answer, job_id, attempt, "needs_type"),
        )

    def ended(
        self, answer: Answer, job_id: str, attempt: int, outcome: str, code: str = "", *, due: bool = True
    ) -> None:
        was_live = self.model.live(job_id, attempt)
        status = self.model.end(job_id, attempt, outcome, code, due=due)
        self.alive.pop((job_id, attempt), None)
        if status == STALE:
            assert answer == STALE_ANSWER
            return
        more = self.model.more(self.model.jobs[job_id].owner)
        if status == "cancelled" and was_live:
            ending: Answer = {"accepted": False, "reason": "cancelled"}
        else:
            ending = {"accepted": True}
        assert answer == ending | {"status": status, "cost": answer["cost"], "more": more}

    @precondition(lambda self: self.jobs_that("queued") and len(self.jobs_that("done")) < 3)
    @rule(worker=workers)
    def run_a_job(self, worker: str) -> None:
        self.claim_next(worker)
        self.agree()
        for job_id, job in self.jobs_that("running"):
            if job.attempts[-1].worker == worker:
                self.finish_attempt(job_id, len(job.attempts))
                return

    @precondition(World.is_there_anything_to_sweep)
    @rule()
    def sweep(self) -> None:
        def expect(answer: Answer) -> None:
            swept = self.model.sweep()
            assert (answer["expired"], answer["lost"], answer["hints"]) == swept
            self.order(
                [
                    job_id
                    for job_id, job in self.jobs_that("queued")
                    if not job.quiet and job.due_since == self.model.now
                ]
            )
            waiting = [job.status for job in self.model.jobs.values()]
            assert answer["waiting"] == {status: waiting.count(status) for status in answer["waiting"]}

        self.both(self.worker.sweep, expect)

    def order(self, jobs: list[str]) -> None:
        """Jobs that are due since the same moment may be claimed in any order: let them be due one after the other."""
        for number, job_id in enumerate(jobs):
            self.model.jobs[job_id].due_since += number / 1000
            self.superuser.execute("update assay.jobs set run_after = clock_timestamp() where job_id = %s", (job_id,))
