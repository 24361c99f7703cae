"""The whole way with the database behind Supabase's Data API and the files in either storage: only settings differ."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest

from functions.process.upkeep.outbox import tell_of_outbox
from local.ministack.ministack import NEWS_QUEUE, MiniStack
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from tests.database.steps import Superuser
from tests.environment import forget
from tests.whole_way.service import WAYS, Service, measurements

MANY_QUEUE = "many"


def outbox(superuser: Superuser) -> list[object]:
    return [row[0] for row in superuser.execute("select object_key from assay.outbox order by object_key")]


def waiting(ministack: MiniStack) -> str:
    """Number of messages in the queue of news."""
    url = ministack.queue_url(NEWS_QUEUE)
    attributes = ministack.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes["ApproximateNumberOfMessages"]


@pytest.mark.parametrize(("kind", "way"), WAYS, ids=[way for _, way in WAYS])
def test_a_file_comes_back_as_outputs_and_the_second_time_from_the_cache(
    service: Service, user: User, superuser: Superuser, ministack: MiniStack, way: str
) -> None:
    body = measurements(user)
    job_id = service.send(body)
    if service.kind == "supabase":
        assert waiting(ministack) == "0", "nobody has told of the object yet"
        assert outbox(superuser) == [upload_key(user.owner, hashlib.sha256(body).hexdigest())]
    service.tell(way)
    service.work()
    job = service.job(job_id)
    assert (job["status"], job["dataset_type"]) == ("done", "station_measurements"), job["error"]
    outputs = service.outputs(job_id)
    assert outputs["CT_Analysis.csv"].decode().splitlines() == ["Station,Dates,Data 1", "CT,2024-01-01,1.411"]
    assert hashlib.sha256(outputs["manifest.json"]).hexdigest() == job["manifest_sha256"]
    assert outbox(superuser) == []
    again = service.register(body)
    assert (again["cached"], again["job"]["job_id"], again["put"]) == (True, job_id, None)


@pytest.mark.parametrize(("kind", "way"), WAYS[:2], ids=["s3", "supabase"])
def test_a_file_that_is_there_is_processed_anew_without_being_sent(service: Service, user: User, way: str) -> None:
    first = service.send(measurements(user))
    service.tell(way)
    service.work()
    registered = service.register(measurements(user), on_duplicate="reprocess")
    second = registered["job"]["job_id"]
    assert (second != first, registered["put"]) == (True, None)
    service.work()
    assert service.job(second)["status"] == "done"
    assert service.outputs(second) == service.outputs(first)


@pytest.mark.parametrize(("kind", "way"), WAYS, ids=[way for _, way in WAYS])
def test_a_raw_body_does_it_all_in_one_request(service: Service, user: User, way: str) -> None:
    answer = service.upload.call("POST", "/uploads", body=measurements(user), query={"filename": "river.csv"})
    assert answer.status == 201, answer.body
    service.tell(way)
    service.work()
    assert service.job(answer.json()["job"]["job_id"])["status"] == "done"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body.replace(b"1.411", b"1.412"), "hash_mismatch"),
        (lambda body: body + b"CT,2024-01-03 10:00,Data 1,1,\n", "size_mismatch"),
        (lambda body: body[:-10], "hash_mismatch"),
    ],
    ids=["altered", "longer", "shorter"],
)
def test_other_bytes_than_announced_get_past_supabase_and_not_past_the_worker(
    service: Service, user: User, change: Any, code: str
) -> None:
    body = measurements(user)
    job_id = service.send(body, change(body))
    service.tell("hint")
    service.work()
    job = service.job(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert service.outputs(job_id) == {}
    second = service.send(body)
    assert b'"type": "UPDATE"' in service.front.webhooks[-1]
    service.tell("hint")
    service.work()
    assert service.job(second)["status"] == "done"


def test_an_upload_that_the_storage_server_only_tried_leaves_no_trace(
    service: Service, user: User, superuser: Superuser
) -> None:
    body = measurements(user)
    job_id = service.register(body)["job"]["job_id"]
    service.front.probe(upload_key(user.owner, hashlib.sha256(body).hexdigest()))
    assert outbox(superuser) == []
    service.sweep()
    service.work()  # the sweep may tell of jobs that other tests left behind
    assert service.job(job_id)["status"] == "awaiting_upload"


@pytest.mark.parametrize("secret", [None, "a forged one of at least 32 characters"])
def test_a_forged_hint_is_refused_and_the_true_one_still_counts(
    service: Service, user: User, ministack: MiniStack, secret: str | None
) -> None:
    job_id = service.send(measurements(user))
    assert service.hint(secret).problem() == (401, "wrong_hook_secret")
    assert waiting(ministack) == "0"
    service.sweep()
    service.work()
    assert service.job(job_id)["status"] == "done"


def test_several_files_and_hints_in_any_number_end_each_job_once(service: Service, user: User) -> None:
    bodies = [measurements(user) + f"CT,2024-02-0{day} 10:00,Data 1,{day},\n".encode() for day in range(1, 4)]
    job_ids = [service.send(body) for body in bodies]
    service.front.webhooks[:] = [service.front.webhooks[0]] * 2  # one was doubled, two were lost
    service.tell("hint")
    service.tell("hint")
    service.work()
    for job_id in job_ids:
        job = service.job(job_id)
        assert (job["status"], len(job["attempts"])) == ("done", 1)


def test_without_a_token_nothing_happens(service: Service, user: User) -> None:
    service.upload.token = ""
    answer = service.upload.call("POST", "/uploads", body=measurements(user), query={"filename": "river.csv"})
    assert answer.problem() == (401, "not_signed_in")
    assert service.front.webhooks == []


def test_an_outbox_of_thousands_is_told_at_one_hint(
    service: Service, superuser: Superuser, ministack: MiniStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqs = ministack.sqs()
    url = sqs.create_queue(QueueName=MANY_QUEUE)["QueueUrl"]
    monkeypatch.setenv("NEWS_QUEUE_URL", url)
    forget()
    keys = [upload_key(UUID(int=0), f"{number:064x}") for number in range(2500)]
    superuser.execute("insert into assay.outbox (object_key) select unnest(%s::text[])", (keys,))
    tell_of_outbox()
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "2500"
    untold = superuser.execute("select count(*) from assay.outbox where told_at is null").fetchone()
    assert untold == (0,)
