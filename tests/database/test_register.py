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
        {"versions": {"station_measurements": "2.0.0"}},
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


def test_until_the_bytes_are_there_the_last_size_counts(steps: Steps) -> None:
    sha256 = new_sha256()
    steps.register(sha256, size_bytes=11)
    assert steps.register(sha256, size_bytes=10)["job"]["size_bytes"] == 10


def test_another_size_changes_nothing_for_a_job_under_way(steps: Steps) -> None:
    sha256 = new_sha256()
    steps.register(sha256, size_bytes=10)
    [job_id] = steps.arrive(sha256)["jobs"]
    assert steps.register(sha256, size_bytes=77)["cached"] is True
    assert steps.claim(job_id)["job"]["size_bytes"] == 10


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
