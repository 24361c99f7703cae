"""What users do: register and send files, and say what is to become of their jobs, and of others'."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.database.properties.state import Key, upload_key
from tests.database.properties.workers import Workers
from tests.database.properties.world import hashes, places
from tests.database.steps import VERSIONS, Answer

own = st.sampled_from([True, True, True, True, False])
parameters = st.integers(0, 1)


class Users(Workers):
    """Two users; one job in five that they ask for is the other's."""

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
                versions=dict(VERSIONS) if current else {"station_measurements": "999.0.0"},
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

    @precondition(lambda self: self.links_to_what_is_deleted())
    @rule(place=places)
    def send_what_is_being_deleted(self, place: int) -> None:
        links = self.links_to_what_is_deleted()
        self.put(list(self.links).index(links[place % len(links)]))
        self.event(len(self.news) - 1, again=False)

    def links_to_what_is_deleted(self) -> list[Key]:
        taken = {name for name, deletion in self.model.deletions.items() if deletion.taken}
        return [key for key in self.links if upload_key(key) in taken]

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

    @precondition(lambda self: self.model.jobs)
    @rule(
        place=places,
        own=own,
        dataset_type=st.sampled_from(["table", "transactions"]),
        parameter=st.none() | parameters,
    )
    def choose_type(self, place: int, dataset_type: str, parameter: int | None, *, own: bool) -> None:
        job_id = self.job_at(place, "needs_type", "done", "running", "queued", "failed", "cancelled")
        owner = self.asker(job_id, place, own=own)
        self.both(
            lambda: self.steps[owner].choose_type(
                job_id, dataset_type, None if parameter is None else {"number": parameter}
            ),
            lambda _: self.model.choose_type(owner, job_id, dataset_type, parameter),
        )

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
