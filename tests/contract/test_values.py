"""Values come through either transport as they went in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest

from local.postgres.server import Postgres
from shared.database import Database
from shared.database.psycopg_database import PsycopgDatabase
from tests.contract.transport import Transport
from tests.database.steps import MANIFEST, Answer, Steps, Superuser, new_sha256

JSON: list[Any] = [
    {},
    {"": ""},
    {"null": None, "list": [None, [], {}, [None]], "true": True, "false": False},
    {
        "text": 'ä ß € 漢字 😀 👩🏽‍🔬 \u202e "quoted" \\ / \b\f\n\r\t \x7f \u2028',
        "ключ": "ё",
        "'; drop table x; --": "%s %(a)s {} ?",
    },
    {"integers": [0, -1, 2**31, 2**53, 2**53 + 1, -(2**63), 10**30]},
    {"floats": [0.1, -2.5, 1e-7, 5e-324, 1 / 3, 100.0, 123456789.123456789]},
    {"deep": json.loads("[" * 60 + "]" * 60)},
]


def exactly(value: object) -> str:
    """Return text that tells 1 from 1.0 from True, whatever the order of names."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("value", JSON)
def test_json(steps: Steps, value: dict[str, Any]) -> None:
    job = steps.register(new_sha256(), parameters=value)["job"]
    assert exactly(job["parameters"]) == exactly(value)
    assert exactly(steps.job(job["job_id"])["parameters"]) == exactly(value)


def test_a_float_without_a_fraction_keeps_its_value(steps: Steps) -> None:
    """Postgres writes its digits out, so that it is read as an integer, by either transport."""
    floats = [1e22, 1.7976931348623157e308]
    came_back = steps.register(new_sha256(), parameters={"floats": floats})["job"]["parameters"]["floats"]
    assert [float(number) for number in came_back] == floats


def test_text(steps: Steps) -> None:
    name = "Ergebnisse 2026 \u2013 漢字 😀 'x' \"y\" %s.csv"
    assert steps.register(new_sha256(), filename=name)["job"]["filename"] == name


def test_null_is_null_and_no_text(steps: Steps, superuser: Superuser) -> None:
    job_id = steps.running()
    assert steps.report(job_id, 1, detection=None)["accepted"]
    row = superuser.execute(
        "select detection is null, requested_dataset_type is null from assay.jobs where job_id = %s", (job_id,)
    )
    assert row.fetchone() == (True, True)
    job = steps.job(job_id)
    assert (job["detection"], job["requested_dataset_type"], job["finished_at"]) == (None, None, None)


def test_a_whole_number_beyond_32_bits(steps: Steps) -> None:
    job = steps.register(new_sha256(), size_bytes=2**32 + 1)["job"]
    assert job["size_bytes"] == 2**32 + 1


def test_a_uuid_may_be_one(db: Database, steps: Steps) -> None:
    job_id, _ = steps.done()
    job = db.call("get_job", {"p_job_id": UUID(job_id)}, steps.user)
    assert isinstance(job, dict)
    assert job["job_id"] == job_id


def test_timestamps_keep_their_microseconds_in_any_time_zone(db: Database, steps: Steps, superuser: Superuser) -> None:
    older, newer = steps.running(), steps.running()
    at = datetime(2026, 3, 29, 1, 30, 0, 123457, tzinfo=UTC)
    superuser.execute("update assay.jobs set created_at = %s where job_id = %s", (at, older))
    superuser.execute(
        "update assay.jobs set created_at = %s where job_id = %s", (at + timedelta(microseconds=1), newer)
    )
    assert steps.job(older)["created_at"] == "2026-03-29T01:30:00.123457+00:00"

    def before(moment: datetime) -> list[str]:
        page = db.call(
            "list_jobs",
            {"p_status": None, "p_limit": 10, "p_before_created_at": moment, "p_before_job_id": UUID(int=0)},
            steps.user,
        )
        assert isinstance(page, list)
        return [str(job["job_id"]) for job in page if isinstance(job, dict)]

    kathmandu = timezone(timedelta(hours=5, minutes=45))
    last = (at + timedelta(microseconds=2)).astimezone(kathmandu)
    assert before(last) == [newer, older]
    assert before(at + timedelta(microseconds=1)) == [older]
    assert before(at) == []


def test_one_megabyte_there_and_back(db: Database, steps: Steps) -> None:
    job_id = steps.running()
    summary: dict[str, Any] = {"text": "ä" * 400_000, "rows": [{"row": n, "value": n / 7} for n in range(8_000)]}
    assert len(json.dumps(summary, ensure_ascii=False).encode()) > 1_000_000
    answer = db.call(
        "finish_job",
        {
            "p_job_id": job_id,
            "p_attempt": 1,
            "p_dataset_type": "table",
            "p_pipeline": "table",
            "p_pipeline_version": "1.0.0",
            "p_summary": summary,
            "p_manifest_sha256": MANIFEST,
            "p_outputs": [],
        },
        None,
    )
    assert isinstance(answer, dict)
    assert answer["accepted"] is True
    assert exactly(steps.job(job_id)["summary"]) == exactly(summary)


def test_an_answer_is_the_same_as_by_psycopg(transport: Transport, postgres: Postgres, steps: Steps) -> None:
    job_id, _ = steps.queued()
    steps.claim(job_id, memory_mb=2048)
    steps.report(job_id, 1, 1 / 3, {"confidence": 0.9999999999999999, "evidence": [None, "ß"]})
    steps.fail(job_id, 1, retry_after_seconds=0)
    steps.finish(job_id, steps.claim(job_id, "two", memory_mb=2048)["attempt"])
    by_psycopg = Steps(PsycopgDatabase(postgres.authenticator_url), steps.user)
    assert exactly(steps.job(job_id)) == exactly(by_psycopg.job(job_id))
    assert exactly(steps.outputs(job_id)) == exactly(by_psycopg.outputs(job_id))
    assert exactly(steps.jobs()) == exactly(by_psycopg.jobs())


def test_threads_share_one_database_and_each_sees_its_own(transport: Transport) -> None:
    def live(_: int) -> list[Answer]:
        mine = Steps(transport.db, transport.sign_in(uuid4()))
        jobs = {mine.queued()[0] for _ in range(3)}
        assert {job["job_id"] for job in mine.jobs()} == jobs
        return [mine.job(job_id) for job_id in jobs]

    with ThreadPoolExecutor(8) as threads:
        found = [job["job_id"] for jobs in threads.map(live, range(16)) for job in jobs]
    assert len(set(found)) == 48
