"""The whole engine: users, workers, and clean-ups; and what must be so in the end."""

from __future__ import annotations

from hypothesis.stateful import precondition, rule

from tests.database.properties.invariants import look
from tests.database.properties.users import Users
from tests.database.properties.world import Batch, World, places
from tests.database.steps import Answer


class JobEngine(Users):
    """Everything that may happen, one call after another in any order."""

    @precondition(World.is_there_anything_to_clean_up)
    @rule()
    def clean_up(self) -> None:
        def expect(answer: Answer) -> None:
            assert (answer["removed"], set(answer["keys"])) == self.model.clean_up()
            if answer["keys"]:
                self.taken.append(Batch(set(answer["keys"])))

        self.both(self.worker.clean_up, expect)

    @precondition(lambda self: self.jobs_that("running"))
    @rule(place=places)
    def set_out_to_delete_wrong_bytes(self, place: int) -> None:
        running = self.jobs_that("running")
        job_id, job = running[place % len(running)]
        self.fail_attempt(job_id, len(job.attempts), "hash_mismatch", None)
        self.agree()
        self.clean_up()

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
