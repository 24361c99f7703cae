"""Clients, workers, sweeps and clean-ups, one call after another in any order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.database.properties.invariants import look
from tests.database.properties.model import STALE
from tests.database.properties.state import outputs_key, upload_key
from tests.database.properties.world import Batch, World, hashes, places
from tests.database.steps import OUTPUTS, VERSIONS, Answer

STALE_ANSWER = {"accepted": False, "reason": STALE}

workers = st.sampled_from(["one", "two", "three"])
behind = st.sampled_from([0, 0, 1])
own = st.sampled_from([True, True, True, True, False])
parameters = st.integers(0, 1)


class JobEngine(World):
    """What the users, the worker and the schedule do."""

    # Users.

    @rule(
        place=places,
        sha256=hashes,
        size=st.sampled_from([10, 10, 20]),
        parameter=parameters,
        reuse=st.booleans(),
        current=st.booleans(),
    )
    def register(self, place: int, sha256: str, size: int, parameter: int, *, reuse: bool, current: bool) -> None:
        key = self.owner(place), sha256

        def expect(answer: Answer) -> None:
            job_id: str = answer["job"]["job_id"] if answer else "refused"
            known = job_id in self.model.jobs
            found, cached = self.model.register(
                key, size, parameter, reuse=reuse, current=current, job_id="new" if known else job_id
            )
            assert (found, cached) == (job_id, answer["cached"])
            if not cached:
                self.links[key] = None

        self.both(
            lambda: self.steps[key[0]].register(
                sha256,
                size_bytes=size,
                parameters={"number": parameter},
                on_duplicate="reuse" if reuse else "reprocess",
                versions=dict(VERSIONS) if current else {"station_measurements": "2.0.0"},
            ),
            expect,
        )

    @precondition(lambda self: self.links)
    @rule(place=places)
    def put(self, place: int) -> None:
        """Whoever has a link may send the bytes, long after the job is gone, too."""
        key = list(self.links)[place % len(self.links)]
        self.store.add(upload_key(key))
        self.news.append(key)

    @rule(place=places, sha256=hashes, parameter=parameters)
    def upload(self, place: int, sha256: str, parameter: int) -> None:
        key = self.owner(place), sha256
        self.register(place, sha256, 10, parameter, reuse=True, current=True)
        if key in self.links:
            self.put(list(self.links).index(key))
            self.agree()
            self.event(len(self.news) - 1, again=False)

    @precondition(lambda self: self.jobs_that("awaiting_upload", "queued", "running", "needs_type", "cancelled"))
    @rule(place=places, own=own)
    def cancel(self, place: int, *, own: bool) -> None:
        job_id = self.job_at(place, "awaiting_upload", "queued", "running", "needs_type")
        owner = self.asker(job_id, place, own=own)
        self.both(lambda: self.steps[owner].cancel(job_id), lambda _: self.model.cancel(owner, job_id))

    @precondition(lambda self: self.jobs_that("failed", "cancelled", "done"))
    @rule(place=places, own=own)
    def retry(self, place: int, *, own: bool) -> None:
        job_id = self.job_at(place, "failed", "cancelled")
        owner = self.asker(job_id, place, own=own)
        self.both(lambda: self.steps[owner].retry(job_id), lambda _: self.model.retry(owner, job_id))

    @precondition(lambda self: self.model.jobs)
    @rule(place=places, own=own)
    def reprocess(self, place: int, *, own: bool) -> None:
        job_id = self.job_at(place, "done", "failed")
        owner = self.asker(job_id, place, own=own)

        def expect(answer: Answer) -> None:
            answered: str = answer["job"]["job_id"] if answer else "refused"
            new = self.model.reprocess(owner, job_id, "new" if answered in self.model.jobs else answered)
            assert new == (answer["new"], answered)

        self.both(lambda: self.steps[owner].reprocess(job_id), expect)

    @precondition(lambda self: len(self.model.jobs) > 2)
    @rule(place=places, own=own)
    def delete(self, place: int, *, own: bool) -> None:
        job_id = self.job_at(place)
        owner = self.asker(job_id, place, own=own)
        self.both(lambda: self.steps[owner].delete(job_id), lambda _: self.model.delete(owner, job_id))

    def asker(self, job_id: str, place: int, *, own: bool) -> str:
        """The job's owner, or the other one."""
        job = self.model.jobs.get(job_id)
        return self.owner(list(self.steps).index(job.owner) + (not own)) if job else self.owner(place)

    @precondition(lambda self: self.jobs_that("running", "done"))
    @rule(place=places)
    def set_plan(self, place: int) -> None:
        owner = self.owner(place)
        plan = "pro" if self.model.owners[owner].plan == "free" else "free"
        self.both(lambda: self.steps[owner].set_plan(plan), lambda _: self.model.set_plan(owner, plan))

    # Workers.

    @precondition(lambda self: self.news)
    @rule(place=places, again=st.booleans())
    def event(self, place: int, *, again: bool) -> None:
        """In any order, late, and twice."""
        place %= len(self.news)
        key = self.news[place] if again else self.news.pop(place)

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
        assert not is_new or self.model.running(job.owner) <= self.model.plans["pro"].running_jobs
        self.alive[job_id, attempt] = None

    @precondition(lambda self: self.jobs_that("queued", "running"))
    @rule(place=places, worker=workers)
    def claim_named(self, place: int, worker: str) -> None:
        self.claim(self.job_at(place, "queued", "running"), worker)

    def claim(self, job_id: str, worker: str) -> None:
        def expect(answer: Answer) -> None:
            assert answer.get("reason", "") == self.model.claim(job_id, worker)
            if answer["claimed"]:
                assert answer["attempt"] == len(self.model.jobs[job_id].attempts)
                self.alive[job_id, answer["attempt"]] = None

        self.both(lambda: self.worker.claim(job_id, worker), expect)

    def attempt_at(self, place: int, behind: int) -> tuple[str, int]:
        """A job's last attempt, or an older one."""
        job_id = self.job_at(place, "running")
        job = self.model.jobs.get(job_id)
        return job_id, max(len(job.attempts) - behind, 1) if job else 1

    @precondition(lambda self: self.jobs_that("running"))
    @rule(place=places, worker=workers, wakes_up=st.sampled_from(["finish", "fail", "report", "await_type", ""]))
    def take_over(self, place: int, worker: str, wakes_up: str) -> None:
        """A worker is not heard of for a lease, and its job is given to another; then it wakes up, or does not."""
        running = self.jobs_that("running")
        job_id, job = running[place % len(running)]
        if job.lease:
            self.let_lease_run_out(job_id)
        self.sweep()
        self.agree()
        self.claim(job_id, worker)
        self.agree()
        attempt = max(len(job.attempts) - 1, 1)
        if wakes_up == "finish":
            self.finish_attempt(job_id, attempt)
        elif wakes_up == "fail":
            self.fail_attempt(job_id, attempt, 0, "no_header")
        elif wakes_up == "report":
            self.report_attempt(job_id, attempt, None)
        elif wakes_up == "await_type":
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
    @rule(
        place=places,
        behind=behind,
        delay=st.sampled_from([None, 0, 0, 1000]),
        code=st.sampled_from(["no_header", "no_header", "hash_mismatch", "object_missing"]),
    )
    def fail(self, place: int, behind: int, delay: int | None, code: str) -> None:
        self.fail_attempt(*self.attempt_at(place, behind), delay, code)

    def fail_attempt(self, job_id: str, attempt: int, delay: int | None, code: str) -> None:
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

    @precondition(lambda self: self.jobs_that("queued") and not self.jobs_that("done"))
    @rule(worker=workers)
    def run_a_job(self, worker: str) -> None:
        self.claim_next(worker)
        self.agree()
        for job_id, job in self.jobs_that("running"):
            if job.attempts[-1].worker == worker:
                self.finish_attempt(job_id, len(job.attempts))
                return

    # The schedule.

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

    @precondition(World.is_there_anything_to_clean_up)
    @rule()
    def clean_up(self) -> None:
        def expect(answer: Answer) -> None:
            assert (answer["removed"], set(answer["keys"])) == self.model.clean_up()
            if answer["keys"]:
                self.taken.append(Batch(set(answer["keys"])))

        self.both(self.worker.clean_up, expect)

    @precondition(lambda self: self.taken)
    @rule(place=places)
    def delete_what_was_taken(self, place: int) -> None:
        batch = self.taken[place % len(self.taken)]
        self.delete_objects(batch.keys)
        batch.deleted = True

    @precondition(lambda self: any(batch.deleted for batch in self.taken))
    @rule(place=places)
    def objects_deleted(self, place: int) -> None:
        deleted = [batch for batch in self.taken if batch.deleted]
        batch = deleted[place % len(deleted)]
        self.taken.remove(batch)

        def expect(answer: Answer) -> None:
            assert answer == {"forgotten": self.model.objects_deleted(batch.keys)}

        self.both(lambda: self.worker.objects_deleted(sorted(batch.keys)), expect)

    # In the end.

    def teardown(self) -> None:
        if self.sound:
            self.everything_ends()
            self.nothing_is_left_over()

    def everything_ends(self) -> None:
        """Every job that somebody wants to run, runs; and every object is one that a row speaks of."""
        while self.news:
            self.event(0, again=False)
            self.agree()
        while any(job.lease for job in self.model.jobs.values()):
            self.lease_runs_out(0)
        self.sweep()
        self.delays_end()
        self.agree()
        while self.model.next_jobs("the last"):
            self.run_a_job("the last")
            self.agree()
        assert self.jobs_that("queued", "running") == []
        while self.jobs_that("needs_type"):
            self.cancel(0, own=True)
        for place in range(len(self.model.uploads)):
            self.nobody_asks_for_an_upload(place)
        self.sweep()
        self.delete_all()
        seen = look(self.superuser)
        assert self.store <= seen.uploads.keys() | seen.outputs.keys()

    def nothing_is_left_over(self) -> None:
        """In the end everything expires."""
        for place in range(len(self.model.jobs)):
            self.retention_ends(place)
        self.delete_all()
        assert (self.model.jobs, self.model.uploads, self.store) == ({}, {}, set())
        assert self.superuser.execute("select sum(stored_bytes) from assay.owners").fetchone() == (0,)

    def delete_all(self) -> None:
        self.clean_up()
        while self.model.deletions:
            self.deletions_come_due()
            self.who_cleans_up_is_lost()
            self.clean_up()
            self.delete_what_was_taken(0)
            self.objects_deleted(0)
        self.agree()
