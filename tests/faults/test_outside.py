"""Every part that the service stands on, failing in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from local.ministack.ministack import BUCKET
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT, created_message
from tests.api import Answer
from tests.faults.audit import ended, nothing_left, nothing_lost
from tests.faults.outcomes import Comparison, Table
from tests.faults.proxy import Mode
from tests.faults.world import User, World, measurements

Check = Callable[[str, bytes], str]


@pytest.fixture
def check(world: World, someone: User, same_as_without_fault: Comparison) -> Check:
    """Wait until all is over, look at everything, and return how the job ended."""

    def look(job_id: str, content: bytes) -> str:
        world.wait_until_ended(job_id)
        nothing_lost(someone, [job_id], content)
        if someone.job(job_id)["status"] == "done":
            same_as_without_fault(job_id, content)
        outcome = ended(someone, job_id)
        nothing_left(world)
        return outcome

    return look


def _key(user: User, content: bytes) -> str:
    return upload_key(user.owner, hashlib.sha256(content).hexdigest())


def _is_unavailable(answer: Answer) -> None:
    assert answer.problem() == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_database_gone_at_upload(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    world.database.mode = "refuse"
    _is_unavailable(someone.register(content))
    world.database.mode = "pass"
    job_id = someone.send(content)
    row.add("database gone at POST /uploads", f"503 with Retry-After; sent again: {check(job_id, content)}")


def test_database_gone_when_the_bytes_arrive(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    registered = someone.register(content)
    world.worker()
    world.database.mode = "refuse"
    assert someone.put(registered, content) == 200
    world.database.wait_for_failure(world.database.failed + 3, 60)
    world.database.mode = "pass"
    world.wait_for("select 1 from assay.jobs where job_id = %s and status <> 'awaiting_upload'", _id(registered))
    row.add("database gone when the bytes arrive", check(_id(registered), content))


def _id(registered: Answer) -> str:
    return str(registered.json()["job"]["job_id"])


@pytest.mark.parametrize("step", ["in the midst of the download", "in the midst of the pipeline", "before finish_job"])
def test_database_gone(world: World, someone: User, row: Table, check: Check, step: str) -> None:
    content = measurements(40_000, someone.owner)
    worker = world.worker(step, "pause")
    job_id = someone.send(content)
    with worker.paused():
        world.database.mode = "refuse"
    world.database.wait_for_failure(world.database.failed + 5, 60)
    world.database.mode = "pass"
    row.add(f"database gone {step}", check(job_id, content))


def test_postgres_restarted(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(40_000, someone.owner)
    worker = world.worker("in the midst of the pipeline", "pause")
    job_id = someone.send(content)
    with worker.paused():
        world.postgres.stop()
        world.postgres.start()
    row.add("Postgres restarted in the midst of the pipeline", check(job_id, content))


def test_store_gone_at_upload(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    world.store.mode = "503"
    _is_unavailable(someone.post_bytes(content))
    world.store.mode = "pass"
    again = someone.post_bytes(content)
    assert again.status == 201
    row.add(
        "object store answers 503 at POST /uploads with the bytes",
        f"503 with Retry-After; sent again: {check(_id(again), content)}",
    )


def test_store_gone_at_put(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(40_000, someone.owner)
    world.worker()
    registered = someone.register(content)
    world.store.mode = "refuse"
    assert someone.put(registered, content) == 0
    world.store.mode = "pass"
    assert someone.put(registered, content) == 200
    row.add("object store gone at the PUT", f"PUT fails; sent again: {check(_id(registered), content)}")


@pytest.mark.parametrize(
    ("mode", "step"),
    [
        ("503", "after the claim"),
        ("reset", "after the claim"),
        ("refuse", "after the claim"),
        ("503", "between two outputs"),
        ("refuse", "between two outputs"),
    ],
)
def test_store_fails(world: World, someone: User, row: Table, check: Check, mode: Mode, step: str) -> None:
    content = measurements(40_000, someone.owner)
    worker = world.worker(step, "pause")
    job_id = someone.send(content)
    with worker.paused():
        world.store.mode = mode
    world.wait_for("select 1 from assay.attempts where job_id = %s and outcome = 'retry'", job_id)
    world.store.mode = "pass"
    words = {"503": "answers 503", "reset": "breaks off its answers", "refuse": "gone"}[mode]
    row.add(f"object store {words} {step}", check(job_id, content))


def test_store_slow(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(40_000, someone.owner)
    world.store.mode = "slow"
    world.worker()
    job_id = someone.send(content)
    row.add("object store slow (3 MB/s)", check(job_id, content))


def test_queue_gone(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    worker = world.worker("between the news and its hints", "pause")
    job_id = someone.send(content)
    failed = world.queue.failed
    with worker.paused():
        world.queue.mode = "refuse"
    world.queue.wait_for_failure(failed + 3, 60)
    world.queue.mode = "pass"
    row.add("queue gone between the news and its hints", check(job_id, content))


def test_queue_forgets(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    job_id = someone.send(content)
    worker = world.worker("between the news and its hints", "kill")
    worker.wait_until_killed()
    world.purge()
    world.rows("update assay.jobs set run_after = run_after - interval '15 minutes' where job_id = %s", job_id)
    world.worker()
    row.add(
        "queue loses every message of a queued job", f"found by the sweep after 15 minutes: {check(job_id, content)}"
    )


def test_queue_says_it_often(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    for _ in range(2):
        world.worker()
    job_id = someone.send(content)
    for _ in range(5):
        world.tell(created_message(_key(someone, content)))
        world.hint(RUN_HINT)
    row.add("each message five times, two workers", check(job_id, content))


def test_queue_out_of_order(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    registered = someone.register(content)
    world.hint(RUN_HINT)
    world.tell(created_message(_key(someone, content)))  # of bytes that are not there yet
    world.worker()
    world.wait_for_log("object no longer exists")
    assert someone.put(registered, content) == 200
    row.add("hint before the news, news before the bytes", check(_id(registered), content))


def test_news_of_a_job_that_is_done(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    job_id = someone.send(content)
    world.wait_until_ended(job_id)
    world.tell(created_message(_key(someone, content)))
    row.add("news that comes again when the job is done", check(job_id, content))


def test_event_before_the_row(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    world.s3.put_object(Bucket=BUCKET, Key=_key(someone, content), Body=content)
    world.wait_for("select 1 from assay.deletions where object_key = %s", _key(someone, content))
    registered = someone.register(content)
    assert registered.json()["cached"] is True
    row.add("event before the row", f"bytes found at POST /uploads: {check(_id(registered), content)}")


def test_event_without_a_row(world: World, someone: User, row: Table) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    world.s3.put_object(Bucket=BUCKET, Key=_key(someone, content), Body=content)
    world.wait_for("select 1 from assay.deletions where object_key = %s", _key(someone, content))
    nothing_left(world)
    row.add("event without a row", "the object is kept for a day, then deleted")


def test_object_deleted(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    job_id = someone.send(content)
    world.rows("select public.object_created(%s)", _key(someone, content))
    world.s3.delete_object(Bucket=BUCKET, Key=_key(someone, content))
    world.hint(RUN_HINT)
    world.worker()
    world.wait_until_ended(job_id)
    first = ended(someone, job_id)
    again = someone.send(content)
    row.add("uploaded object deleted by someone else", f"{first}; sent again: {check(again, content)}")


def test_object_deleted_before_its_news(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    job_id = someone.send(content)
    world.s3.delete_object(Bucket=BUCKET, Key=_key(someone, content))
    world.worker()
    world.wait_for_log("object no longer exists")
    assert someone.job(job_id)["status"] == "awaiting_upload"
    assert someone.send(content) == job_id
    row.add("uploaded object deleted before its news is taken", f"waits for it; sent again: {check(job_id, content)}")


@pytest.mark.parametrize("what", ["disk full", "clock an hour fast", "clock an hour slow"])
def test_worker_in_trouble(world: World, someone: User, row: Table, check: Check, what: str) -> None:
    content = measurements(40_000, someone.owner)
    world.worker("-", what)
    job_id = someone.send(content)
    row.add(f"worker's {what}", check(job_id, content))


def test_an_old_attempt_wakes_up(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    worker = world.worker("between two outputs", "stop")
    job_id = someone.send(content)
    with worker.stopped():
        world.worker()
        world.wait_until_ended(job_id)
    world.wait_for_log("attempt is stale")
    row.add("old attempt wakes up when a newer one is done", check(job_id, content))


def test_cancelled_in_the_midst(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(40_000, someone.owner)
    worker = world.worker("in the midst of the pipeline", "pause")
    job_id = someone.send(content)
    with worker.paused():
        assert someone.post(f"/jobs/{job_id}/cancel").status == 202
    row.add("cancelled in the midst of the pipeline", check(job_id, content))


def test_deleted_in_the_midst(world: World, someone: User, row: Table) -> None:
    content = measurements(40_000, someone.owner)
    worker = world.worker("between two outputs", "pause")
    job_id = someone.send(content)
    with worker.paused():
        assert someone.delete(f"/jobs/{job_id}").status == 204
    world.wait_for_log("attempt is stale")
    nothing_left(world)
    assert world.rows("select 1 from assay.uploads where owner = %s", someone.owner) == []
    row.add("deleted by its owner between two outputs", "everything is deleted")


def test_killed_every_time(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    job_id = someone.send(content)
    for _ in range(3):
        world.worker("after the claim", "kill").wait_until_killed()
    world.worker()
    world.wait_until_ended(job_id)
    first = ended(someone, job_id)
    assert someone.post(f"/jobs/{job_id}/retry").status == 200
    row.add("worker killed at every attempt", f"{first}; retried by its owner: {check(job_id, content)}")


def test_killed_in_the_sweep(world: World, someone: User, row: Table, check: Check) -> None:
    content = measurements(20, someone.owner)
    job_id = someone.send(content)
    world.worker("after the claim", "kill").wait_until_killed()
    world.worker("between the sweep and its hints", "kill").wait_until_killed()
    world.rows("update assay.jobs set run_after = run_after - interval '15 minutes' where job_id = %s", job_id)
    world.worker()
    row.add("worker killed between the sweep and its hints", check(job_id, content))


def test_killed_in_the_clean_up(world: World, someone: User, row: Table) -> None:
    content = measurements(20, someone.owner)
    world.worker()
    job_id = someone.send(content)
    world.wait_until_ended(job_id)
    world.stop_workers()
    assert someone.delete(f"/jobs/{job_id}").status == 204
    world.worker("between deleting objects and saying so", "kill").wait_until_killed()
    world.worker()
    nothing_left(world)
    row.add("worker killed between deleting objects and reporting it", "deleted again, nothing is left")
