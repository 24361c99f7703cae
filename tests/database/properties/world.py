"""The database and the model side by side; the object store; and time, which passes in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.errors import Problem
from tests.database.own import EMPTY, OwnDatabase
from tests.database.properties import invariants
from tests.database.properties.model import Model
from tests.database.properties.state import Job, Key, Limits, Owner, Refused, upload_key
from tests.database.steps import Answer

# Small, so that they are reached.
PLANS = {"free": Limits(1, 6, 60), "pro": Limits(2, 12, 200)}
HASHES = ["a" * 64, "b" * 64]
NOBODY_S = "00000000-0000-4000-8000-000000000000"

places = st.integers(0, 7)
hashes = st.sampled_from(HASHES)


@dataclass
class Batch:
    """What a worker that cleans up was handed out, and whether it has deleted it."""

    keys: set[str]
    deleted: bool = False


class World(RuleBasedStateMachine):
    """Two owners. Every step happens in the database and in the model, which then agree, and every invariant holds.

    `store` is what lies in the object store, `news` the events that it sent and nobody took yet, `links` the uploads
    for which somebody has a link, `alive` the attempts whose worker may still store something, `taken` the batches of
    workers that clean up.
    """

    own: OwnDatabase

    def __init__(self) -> None:
        super().__init__()
        self.superuser = self.own.superuser
        self.superuser.execute(EMPTY)
        self.model = Model(PLANS)
        self.steps = {str(steps.user.owner): steps for steps in (self.own.owner(), self.own.owner())}
        self.model.owners = {owner: Owner() for owner in self.steps}
        self.worker = next(iter(self.steps.values()))
        self.store: set[str] = set()
        self.news: list[Key] = []
        self.links: dict[Key, None] = {}
        self.alive: dict[tuple[str, int], None] = {}
        self.owner_of: dict[str, str] = {}
        self.gone: list[str] = []
        self.taken: list[Batch] = []
        self.outputs: dict[str, str] = {}
        self.sound = True

    def owner(self, place: int) -> str:
        return list(self.steps)[place % 2]

    def job_at(self, place: int, *statuses: str) -> str:
        """Mostly a job of these statuses; else any, one that was removed, or one that never was."""
        fitting = [job_id for job_id, job in self.model.jobs.items() if not statuses or job.status in statuses]
        jobs = fitting if fitting and place < 6 else [*self.model.jobs, *self.gone[-1:], NOBODY_S]
        return jobs[place % len(jobs)]

    def jobs_that(self, *statuses: str) -> list[tuple[str, Job]]:
        return [(job_id, job) for job_id, job in self.model.jobs.items() if job.status in statuses]

    def is_there_anything_to_sweep(self) -> bool:
        silent = {key for key, upload in self.model.uploads.items() if upload.silent}
        return any(
            {"awaiting_upload": job.key in silent, "running": not job.lease, "queued": job.quiet}.get(job.status)
            for job in self.model.jobs.values()
        )

    def is_there_anything_to_clean_up(self) -> bool:
        due = any(deletion.due and not deletion.taken for deletion in self.model.deletions.values())
        return due or any(job.expired for job in self.model.jobs.values())

    def both(self, call: Callable[[], Answer], expect: Callable[[Answer], None]) -> None:
        """Call the function; `expect` compares its answer with the model's, unless both refuse for the same reason."""
        self.sound = False
        self.model.now += 1
        before = deepcopy(self.model)
        try:
            answer, refused = call(), ""
        except Problem as problem:
            answer, refused = {}, problem.code
        if refused:
            with pytest.raises(Refused, match=f"^{refused}$"):
                expect(answer)
            self.model = before
            return
        try:
            expect(answer)
        except AssertionError as error:
            error.add_note(f"answer: {answer}\nthe model before: {before.jobs}")
            raise
        self.gone += [job_id for job_id in before.jobs if job_id not in self.model.jobs]
        self.owner_of |= {job_id: job.owner for job_id, job in self.model.jobs.items()}

    def delete_objects(self, keys: set[str]) -> None:
        self.store = {name for name in self.store if not name.startswith(tuple(keys))}

    @invariant()
    def agree(self) -> None:
        """Every invariant holds; the database is as the model says; what a row speaks of lies in the store."""
        seen = invariants.look(self.superuser)
        assert seen.offenders == []
        for key, digest in seen.outputs.items():
            assert self.outputs.setdefault(key, digest) == digest
        self._settle_turns(seen.jobs)
        assert seen.jobs == {
            job_id: {
                "status": job.status,
                "cancel_requested": job.cancel_requested,
                "chosen": job.chosen,
                "chosen_parameters": None if job.chosen_parameters is None else str(job.chosen_parameters),
                "before": job.before,
                "max_attempts": job.max_attempts,
                "size": job.size,
                "turn": job.turn if job.status == "queued" else None,
                "due": job.due or job.status != "queued",
                "lease": job.lease,
                "events": job.events,
                "attempts": [[attempt.worker, attempt.outcome] for attempt in job.attempts],
            }
            for job_id, job in self.model.jobs.items()
        }
        stored = {upload_key(key): upload.stored_at is not None for key, upload in self.model.uploads.items()}
        assert seen.uploads == {
            upload_key(key): [upload.size, stored[upload_key(key)]] for key, upload in self.model.uploads.items()
        }
        assert seen.deletions == {
            key: [one.due, one.reusable, one.taken, one.again] for key, one in self.model.deletions.items()
        }
        assert seen.owners == {
            owner: [one.plan, self.model.stored_bytes(owner), one.uploads] for owner, one in self.model.owners.items()
        }
        assert seen.outputs.keys() | {key for key, is_stored in stored.items() if is_stored} <= self.store
        self.sound = True

    def _settle_turns(self, jobs: dict[str, dict[str, Any]]) -> None:
        """Jobs of one upload that are queued by one call get their turns in any order: make it the model's.

        Otherwise the same steps would not lead to the same state each time.
        """
        queued = sorted(self.jobs_that("queued"), key=lambda item: (item[1].key, item[1].due_since))
        for _, group in groupby(queued, key=lambda item: (item[1].key, item[1].due_since)):
            same = dict(group)
            if sorted(jobs[job_id]["turn"] for job_id in same) == sorted(job.turn for job in same.values()):
                for job_id, job in same.items():
                    if jobs[job_id]["turn"] != job.turn:
                        self.superuser.execute("update assay.jobs set turn = %s where job_id = %s", (job.turn, job_id))
                        jobs[job_id]["turn"] = job.turn

    # Time.

    @contextmanager
    def moved(self, statement: str, *values: object) -> Iterator[None]:
        """Move something in the database into the past; the body does it in the model."""
        self.sound = False
        self.model.now += 1
        self.superuser.execute(statement.encode(), values)
        yield

    @precondition(lambda self: any(job.lease for job in self.model.jobs.values()))
    @rule(place=places)
    def lease_runs_out(self, place: int) -> None:
        leased = [(job_id, job) for job_id, job in self.jobs_that("running") if job.lease]
        self.let_lease_run_out(leased[place % len(leased)][0])

    def let_lease_run_out(self, job_id: str) -> None:
        with self.moved(
            "update assay.jobs set lease_expires_at = now() - interval '1 second' where job_id = %s", job_id
        ):
            self.model.jobs[job_id].lease = False

    @precondition(lambda self: any(not job.due for _, job in self.jobs_that("queued")))
    @rule()
    def delays_end(self) -> None:
        with self.moved("update assay.jobs set run_after = now() where status = 'queued' and run_after > now()"):
            for _, job in self.jobs_that("queued"):
                if not job.due:
                    job.due, job.due_since = True, self.model.now

    @precondition(lambda self: self.jobs_that("queued"))
    @rule(place=places)
    def a_job_waits_for_an_hour(self, place: int) -> None:
        queued = self.jobs_that("queued")
        job_id, job = queued[place % len(queued)]
        with self.moved("update assay.jobs set run_after = now() - interval '1 hour' where job_id = %s", job_id):
            job.due, job.quiet, job.due_since = True, True, self.model.now - 10**6

    @precondition(lambda self: self.model.uploads)
    @rule(place=places)
    def nobody_asks_for_an_upload(self, place: int) -> None:
        key = list(self.model.uploads)[place % len(self.model.uploads)]
        with self.moved(
            "with upload as (update assay.uploads set last_used = now() - interval '2 days' "
            "where owner = %s and sha256 = %s returning upload_id) "
            "update assay.jobs j set created_at = now() - interval '2 days' from upload "
            "where j.upload_id = upload.upload_id and j.status = 'awaiting_upload'",
            *key,
        ):
            self.model.uploads[key].silent = True

    @precondition(lambda self: any(owner.uploads for owner in self.model.owners.values()))
    @rule(place=places)
    def an_hour_passes_without_uploads(self, place: int) -> None:
        owner = self.owner(place)
        with self.moved("update assay.owners set uploads_until = '-infinity' where owner = %s", owner):
            self.model.owners[owner].uploads = 0

    @precondition(lambda self: self.jobs_that("done", "failed", "cancelled", "expired"))
    @rule(place=places)
    def retention_ends(self, place: int) -> None:
        ended = self.jobs_that("done", "failed", "cancelled", "expired")
        job_id, job = ended[place % len(ended)]
        with self.moved(
            "update assay.jobs set finished_at = now() - interval '10 years', expires_at = now() - interval '1 day' "
            "where job_id = %s",
            job_id,
        ):
            job.expired = True
            self.alive = {attempt: None for attempt in self.alive if attempt[0] != job_id}

    @precondition(lambda self: any(not deletion.due for deletion in self.model.deletions.values()))
    @rule()
    def deletions_come_due(self) -> None:
        """No worker that was lost or whose job was deleted lives as long."""
        with self.moved("update assay.deletions set due_at = now() where due_at > now()"):
            for deletion in self.model.deletions.values():
                deletion.due = True
            self.alive = {attempt: None for attempt in self.alive if self.model.live(*attempt)}

    @precondition(lambda self: any(deletion.taken for deletion in self.model.deletions.values()))
    @rule()
    def who_cleans_up_is_lost(self) -> None:
        with self.moved("update assay.deletions set taken_at = now() - interval '1 hour' where taken_at is not null"):
            for deletion in self.model.deletions.values():
                deletion.quiet = deletion.taken
            self.taken.clear()
