"""register_upload: one job for one question, and never an old version's answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Problem
from tests.database.steps import Steps, Superuser, new_sha256


def test_a_new_upload_makes_a_job_that_awaits_it(steps: Steps) -> None:
    answer = steps.register(new_sha256(), filename="river.csv")
    assert answer["cached"] is False
    assert answer["job"]["status"] == "awaiting_upload"
    assert answer["job"]["filename"] == "river.csv"
    assert answer["upload"]["times_used"] == 1


def test_a_second_registration_before_the_bytes_gets_the_same_job_and_still_needs_them(steps: Steps) -> None:
    sha256 = new_sha256()
    first, second = steps.register(sha256), steps.register(sha256)
    assert second["job"]["job_id"] == first["job"]["job_id"]
    assert second["cached"] is False


def test_a_done_job_answers_from_the_cache_with_what_is_known_of_the_file(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    answer = steps.register(sha256)
    assert answer["cached"] is True
    assert answer["job"]["job_id"] == job_id
    assert answer["upload"]["times_used"] == 2
    assert [job["job_id"] for job in answer["upload"]["jobs"]] == [job_id]


@pytest.mark.parametrize(
    "different",
    [
        {"parameters": {"aggregate": "median"}},
        {"dataset_type": "station_measurements"},
        {"on_duplicate": "reprocess"},
        {"versions": {"station_measurements": "999.0.0"}},
        {"versions": {"another": "1.0.0"}},
    ],
    ids=["parameters", "requested type", "reprocess", "newer version", "pipeline gone"],
)
def test_another_question_makes_another_job(steps: Steps, different: dict[str, object]) -> None:
    job_id, sha256 = steps.done()
    answer = steps.register(sha256, **different)  # type: ignore[arg-type]  # each entry names its own argument
    assert answer["job"]["job_id"] != job_id
    assert (answer["job"]["status"], answer["cached"]) == ("queued", True)  # its bytes are there


def test_the_order_of_parameters_does_not_matter(steps: Steps) -> None:
    sha256 = new_sha256()
    first = steps.register(sha256, parameters={"aggregate": "sum", "template": ["A"]})
    second = steps.register(sha256, parameters={"template": ["A"], "aggregate": "sum"})
    assert first["job"]["job_id"] == second["job"]["job_id"]


def test_a_failed_job_answers_nothing(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"])
    assert steps.register(sha256)["job"]["job_id"] != job_id


def test_reprocess_twice_while_under_way_is_one_job(steps: Steps) -> None:
    _, sha256 = steps.done()
    again = steps.register(sha256, on_duplicate="reprocess")
    assert steps.register(sha256, on_duplicate="reprocess")["job"]["job_id"] == again["job"]["job_id"]
    steps.arrive(sha256)
    third = steps.register(sha256, on_duplicate="reprocess")
    assert third["job"]["job_id"] == again["job"]["job_id"]
    assert third["cached"] is True


def test_a_finished_job_answers_even_while_it_is_done_again(steps: Steps) -> None:
    job_id, sha256 = steps.done()
    steps.register(sha256, on_duplicate="reprocess")
    answer = steps.register(sha256)
    assert (answer["cached"], answer["job"]["job_id"]) == (True, job_id)


def test_the_same_bytes_of_another_owner_are_another_upload(steps: Steps, other_steps: Steps) -> None:
    job_id, sha256 = steps.done()
    answer = other_steps.register(sha256)
    assert answer["cached"] is False
    assert answer["job"]["job_id"] != job_id
    assert answer["upload"]["times_used"] == 1


def test_identical_uploads_at_once_make_one_job(postgres: Postgres, steps: Steps) -> None:
    sha256, together = new_sha256(), Barrier(8)

    def register(_: int) -> str:
        client = Steps(PsycopgDatabase(postgres.authenticator_url), steps.user)
        together.wait(timeout=30)
        job_id: str = client.register(sha256)["job"]["job_id"]
        return job_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(register, range(8)))) == 1
    assert steps.register(sha256)["upload"]["times_used"] == 9


def test_the_index_behind_the_lock_refuses_a_second_job_under_way(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.register(new_sha256())["job"]["job_id"]
    with pytest.raises(psycopg.errors.UniqueViolation):
        superuser.execute(
            "insert into assay.jobs (owner, upload_id, filename, size_bytes) select owner, upload_id, filename, 1 "
            "from assay.jobs where job_id = %s",
            (job_id,),
        )


def assert_refused(steps: Steps, sha256: str, size_bytes: int, words: str, **other: dict[str, str]) -> None:
    with pytest.raises(Problem, match=words) as caught:
        steps.register(sha256, size_bytes=size_bytes, **other)  # type: ignore[arg-type]  # parameters alone
    assert (caught.value.status, caught.value.code) == (409, "size_mismatch")


def test_another_size_is_refused_while_a_job_waits_for_the_bytes_and_the_first_one_is_done(steps: Steps) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256, size_bytes=10)["job"]["job_id"]
    for parameters in ({}, {"aggregate": "median"}):
        assert_refused(
            steps, sha256, 11, "is waiting for the file with this SHA-256 and 10 bytes", parameters=parameters
        )
    assert [job["size_bytes"] for job in steps.jobs()] == [10]
    steps.arrive(sha256)
    assert_refused(steps, sha256, 11, "is waiting for")
    claim = steps.claim(job_id)
    assert claim["job"]["size_bytes"] == 10
    assert steps.finish(job_id, claim["attempt"])["status"] == "done"


def test_a_size_that_a_worker_has_compared_never_changes(steps: Steps) -> None:
    job_id, sha256 = steps.queued()
    attempt = steps.claim(job_id)["attempt"]
    steps.report(job_id, attempt, detection={"dataset_type": "table"})
    steps.fail(job_id, attempt)
    assert_refused(steps, sha256, 77, "has 10 bytes, not 77")
    assert steps.register(sha256, size_bytes=10)["upload"]["size_bytes"] == 10


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_a_size_that_nobody_compared_can_be_corrected_once_no_job_waits(steps: Steps, end: str) -> None:
    sha256 = new_sha256()
    job_id = steps.register(sha256, size_bytes=11)["job"]["job_id"]
    if end == "cancelled":
        steps.cancel(job_id)
    else:
        steps.arrive(sha256)
        steps.fail(job_id, steps.claim(job_id)["attempt"], code="size_mismatch")
    answer = steps.register(sha256, size_bytes=10)
    assert (answer["cached"], answer["job"]["size_bytes"], answer["upload"]["size_bytes"]) == (False, 10, 10)
    assert steps.account()["usage"]["stored_bytes"] == 10


@pytest.mark.parametrize(
    "bad", [{"filename": "../a.csv"}, {"filename": ""}, {"size_bytes": 0}, {"parameters": {"a": "x" * 140_000}}]
)
def test_what_the_api_refuses_the_table_refuses_too(steps: Steps, bad: dict[str, object]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        steps.register(new_sha256(), **bad)  # type: ignore[arg-type]  # each entry names its own argument


def test_on_duplicate_is_checked(steps: Steps) -> None:
    with pytest.raises(Problem) as caught:
        steps.register(new_sha256(), on_duplicate="replace")
    assert (caught.value.status, caught.value.code) == (422, "invalid_request")
