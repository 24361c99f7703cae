"""What expires or is deleted leaves no object behind, whenever the clean-up runs and wherever it stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import boto3
import pytest

from functions.process.app import handler
from functions.process.sandbox.parent import Sandbox
from functions.process.upkeep import cleaner as cleanup
from functions.process.upkeep.sweeper import SweepFailed
from shared.errors import Transient
from shared.object_store import ObjectsStay, ObjectStore
from shared.object_store.keys import output_key, upload_key
from shared.queue.events import CLEAN_UP_HINT, RUN_HINT
from shared.sign_in.auth import User
from tests.api import BUCKET, Context
from tests.database.steps import Steps, Superuser, new_sha256
from tests.sqs import SWEEP, failed, s3_events, sqs_event, take_out, work
from tests.worker.jobs import MEASUREMENTS, failing, store, stored_outputs, upload

pytestmark = pytest.mark.usefixtures("aws")
HINT = sqs_event(CLEAN_UP_HINT)


@pytest.fixture(autouse=True)
def nothing_noted(superuser: Superuser) -> None:
    superuser.execute("delete from assay.deletions")


def stored_upload(user: User) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"uploads/{user.owner}/")
    return [item["Key"] for item in listed.get("Contents", [])]


def noted(superuser: Superuser) -> list[object]:
    return [row[0] for row in superuser.execute("select object_key from assay.deletions order by object_key")]


def note(superuser: Superuser, *keys: str) -> None:
    superuser.execute(
        "insert into assay.deletions (object_key, due_at) select unnest(%s::text[]), now()", (list(keys),)
    )


@pytest.mark.parametrize("event", [HINT, SWEEP], ids=["hint", "sweep"])
def test_what_is_deleted_by_its_owner_is_gone_from_the_store(
    steps: Steps, user: User, superuser: Superuser, event: dict[str, object]
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    work(key)
    assert stored_outputs(user)
    assert steps.delete(job_id) == {"deleted": True}
    assert stored_upload(user) == [key]
    assert failed(handler(event, Context())) == []
    assert (stored_upload(user), stored_outputs(user), noted(superuser)) == ([], [], [])


def test_what_expires_is_removed_with_its_objects_and_the_upload_with_its_last_job(
    steps: Steps, user: User, superuser: Superuser
) -> None:
    mean, key = upload(steps, MEASUREMENTS)
    median, _ = upload(steps, MEASUREMENTS, parameters={"aggregate": "median"})
    work(key)

    def expire(job_id: str) -> None:
        superuser.execute(
            "update assay.jobs set finished_at = now() - interval '31 days', expires_at = now() where job_id = %s",
            (job_id,),
        )
        handler(SWEEP, Context())

    expire(mean)
    assert [job["job_id"] for job in steps.jobs()] == [median]
    assert stored_upload(user) == [key]
    assert {key.split("/")[2] for key in stored_outputs(user)} == {median}
    expire(median)
    assert (steps.jobs(), stored_upload(user), stored_outputs(user), noted(superuser)) == ([], [], [], [])


def test_outputs_of_an_attempt_that_failed_are_deleted_and_those_of_the_next_stay(
    steps: Steps, user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    put_file, left = ObjectStore.put_file, [2]

    def failing_at_the_third(*arguments: Any) -> None:
        if not left[0]:
            raise Transient("the object store did not accept the object")
        left[0] -= 1
        put_file(*arguments)

    with monkeypatch.context() as fault:
        fault.setattr(ObjectStore, "put_file", failing_at_the_third)
        work(key)
    assert len(stored_outputs(user)) == 2
    superuser.execute("update assay.jobs set run_after = now() where job_id = %s", (job_id,))
    handler(sqs_event(RUN_HINT), Context())
    handler(HINT, Context())
    assert steps.job(job_id)["status"] == "done"
    assert {key.split("/")[3] for key in stored_outputs(user)} == {"2"}
    assert len(stored_outputs(user)) == len(steps.outputs(job_id))


def test_bytes_that_are_not_those_announced_are_deleted(steps: Steps, user: User) -> None:
    _, key = upload(steps, MEASUREMENTS)
    store(key, MEASUREMENTS.replace(b"1.411", b"1.412"))
    work(key)
    handler(HINT, Context())
    assert stored_upload(user) == []


def test_an_object_that_nobody_announces_within_a_day_is_deleted(user: User, superuser: Superuser) -> None:
    key = upload_key(user.owner, new_sha256())
    store(key, b"whatever")
    handler(s3_events(key), Context())
    handler(SWEEP, Context())
    assert stored_upload(user) == [key]
    superuser.execute("update assay.deletions set due_at = due_at - interval '1 day'")
    handler(SWEEP, Context())
    assert stored_upload(user) == []


def test_thousands_of_keys_are_deleted_page_by_page(user: User, superuser: Superuser) -> None:
    note(superuser, *(upload_key(user.owner, f"{number:064x}") for number in range(1500)))
    handler(HINT, Context())
    assert noted(superuser) == []


def test_no_page_is_begun_after_some_seconds_and_the_next_run_goes_on(
    user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [upload_key(user.owner, f"{number:064x}") for number in range(1500)]
    note(superuser, *keys)
    clock: Iterator[float] = chain([0, 0], repeat(cleanup._SECONDS))
    with monkeypatch.context() as slow:
        slow.setattr("functions.process.upkeep.cleaner.time.monotonic", lambda: next(clock))
        cleanup.clean_up()
    assert len(noted(superuser)) == 500
    cleanup.clean_up()
    assert noted(superuser) == []


def test_a_prefix_that_cannot_be_deleted_stops_no_other_and_comes_again(
    user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    uploaded = upload_key(user.owner, new_sha256())
    prefixes = [f"outputs/{user.owner}/{job}/" for job in "abc"]
    keys = [output_key(str(user.owner), job, 1, "a.csv") for job in "abc"]
    for key in [uploaded, *keys]:
        store(key, b"bytes")
    note(superuser, uploaded, *prefixes)
    delete_prefix = ObjectStore.delete_prefix

    def down_for_b(self: ObjectStore, prefix: str) -> int:
        if prefix == prefixes[1]:
            raise Transient("the object store does not answer")
        return delete_prefix(self, prefix)

    with monkeypatch.context() as fault:
        fault.setattr(ObjectStore, "delete_prefix", down_for_b)
        assert failed(handler(HINT, Context())) == []
    assert "hint not followed" in caplog.text
    assert noted(superuser) == [prefixes[1]]
    assert stored_outputs(user) == [keys[1]]
    handler(HINT, Context())
    assert stored_outputs(user) == [keys[1]], "another worker may be at it"
    superuser.execute("update assay.deletions set taken_at = taken_at - interval '16 min'")
    handler(HINT, Context())
    assert (stored_outputs(user), noted(superuser)) == ([], [])


def test_an_upload_that_the_store_does_not_delete_stops_no_other_and_comes_again(
    user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = (upload_key(user.owner, sha256) for sha256 in ("0" * 64, "1" * 64))
    prefix = f"outputs/{user.owner}/a/"
    for key in (stays, goes, output_key(str(user.owner), "a", 1, "a.csv")):
        store(key, b"bytes")
    note(superuser, stays, goes, prefix)
    delete = ObjectStore.delete

    def refusing(self: ObjectStore, keys: Sequence[str]) -> None:
        delete(self, [key for key in keys if key != stays])
        if stays in keys:
            raise ObjectsStay([stays], len(keys))

    with monkeypatch.context() as fault:
        fault.setattr(ObjectStore, "delete", refusing)
        with pytest.raises(SweepFailed, match="clean_up"):
            handler(SWEEP, Context())
    assert (noted(superuser), stored_upload(user), stored_outputs(user)) == ([stays], [stays], [])
    superuser.execute("update assay.deletions set taken_at = taken_at - interval '16 min'")
    handler(SWEEP, Context())
    assert (noted(superuser), stored_upload(user)) == ([], [])


def test_no_prefix_is_begun_after_some_seconds_where_the_store_does_not_answer(
    user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(superuser, *(f"outputs/{user.owner}/{job}/" for job in "abc"))
    now = 0.0
    tried: list[str] = []

    def down(_: ObjectStore, prefix: str) -> int:
        nonlocal now
        now += cleanup._SECONDS * 0.6
        tried.append(prefix)
        raise Transient("the object store does not answer")

    monkeypatch.setattr(ObjectStore, "delete_prefix", down)
    monkeypatch.setattr("functions.process.upkeep.cleaner.time.monotonic", lambda: now)
    with pytest.raises(Transient, match="2 times the object store does not answer"):
        cleanup.clean_up()
    assert len(tried) == 2


def test_a_job_that_is_deleted_while_it_runs_leaves_nothing(
    steps: Steps, user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, key = upload(steps, MEASUREMENTS)
    analyse = Sandbox.analyse

    def deleted_meanwhile(*arguments: Any) -> object:
        found = analyse(*arguments)
        steps.delete(job_id)
        return found

    monkeypatch.setattr(Sandbox, "analyse", deleted_meanwhile)
    work(key)
    handler(HINT, Context())
    assert (steps.jobs(), stored_upload(user), stored_outputs(user)) == ([], [], [])
    assert noted(superuser) == [f"outputs/{user.owner}/{job_id}/"], "looked at again when the worker is surely gone"
    assert take_out() == []


def test_the_hint_is_dropped_where_the_store_does_not_answer(
    user: User, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(superuser, upload_key(user.owner, new_sha256()))
    monkeypatch.setattr(ObjectStore, "delete", failing(Transient("the object store does not answer")))
    assert failed(handler(HINT, Context())) == []
    assert take_out() == []
    assert len(noted(superuser)) == 1
