"""The whole way with the database behind Supabase's Data API and the files in either storage: only settings differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from functions.download.app import handler as download
from functions.process.app import handler as process
from functions.process.outbox import tell_of_outbox
from functions.upload.app import handler as upload
from local.ministack import BUCKET, REGION, MiniStack
from local.poller import Poller
from local.template import Template
from shared.auth import User
from shared.object_store import upload_key
from tests.api import Answer, Client, answered, http_event
from tests.conftest import forget
from tests.database.steps import Superuser
from tests.supabase import storage
from tests.supabase.gateway import Gateway

HOOK_SECRET = "a secret of at least 32 characters"
MANY_QUEUE = "many"


@dataclass
class Service:
    """The three handlers on one set of settings, called as AWS calls them, for one user."""

    kind: str
    upload: Client
    download: Client
    poller: Poller
    front: storage.StorageFront

    def register(self, body: bytes, **changes: object) -> Any:
        request = {"filename": "river.csv", "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        answer = self.upload.call("POST", "/uploads", json_body=request | changes)
        assert answer.status in {200, 201}, answer.body
        return answer.json()

    def send(self, body: bytes, sent: bytes | None = None, **changes: object) -> str:
        """Register a file, PUT its bytes (or others) as the answer says, and return the job's id."""
        registered = self.register(body, **changes)
        put = registered["put"]
        answer = httpx.put(put["url"], content=body if sent is None else sent, headers=put["headers"], trust_env=False)
        assert answer.status_code == 200, answer.text
        job_id: str = registered["job"]["job_id"]
        return job_id

    def hint(self, secret: str | None = HOOK_SECRET) -> Answer:
        """Deliver the oldest webhook that Supabase would send."""
        headers = {"content-type": "application/json"} | ({"x-assay-hook-secret": secret} if secret else {})
        return answered(upload, http_event("POST", "/events/storage", self.front.webhooks.pop(0), headers))

    def sweep(self) -> None:
        self.poller.sweep()

    def tell(self, way: str) -> None:
        """Let the service learn of what was stored: S3 has told the queue itself."""
        if way == "sweep":
            self.front.webhooks.clear()
            self.sweep()
        elif way == "hint":
            assert self.hint().status == 202

    def work(self) -> None:
        """Work until the queue is empty; S3 tells it a moment after the PUT."""
        while self.poller.poll(wait_seconds=1 if self.kind == "s3" else 0):
            pass

    def job(self, job_id: str) -> Any:
        return self.download.call("GET", f"/jobs/{job_id}").json()

    def outputs(self, job_id: str) -> dict[str, bytes]:
        """Every output by the link that the download answers with; their hashes are right."""
        found: dict[str, bytes] = {}
        for output in self.download.call("GET", f"/jobs/{job_id}/outputs").json()["outputs"]:
            answer = self.download.call("GET", f"/outputs/{output['output_id']}/download")
            assert answer.status == 302
            got = httpx.get(answer.headers["location"], trust_env=False)
            assert got.headers["content-disposition"] == f'attachment; filename="{output["name"]}"'
            assert hashlib.sha256(got.content).hexdigest() == output["sha256"]
            found[output["name"]] = got.content
        return found


def settings_of(kind: str, ministack: MiniStack, front: storage.StorageFront) -> dict[str, str]:
    """All that differs between the two storages."""
    if kind == "s3":
        return {
            "STORAGE": "s3",
            "OBJECT_STORE_ENDPOINT": ministack.endpoint,
            "OBJECT_STORE_REGION": REGION,
            "OBJECT_STORE_ACCESS_KEY_ID": ministack.access_key[0],
            "OBJECT_STORE_SECRET_ACCESS_KEY": ministack.access_key[1],
        }
    return {
        "STORAGE": "supabase",
        "OBJECT_STORE_ENDPOINT": front.endpoint,
        "OBJECT_STORE_REGION": storage.REGION,
        "OBJECT_STORE_ACCESS_KEY_ID": front.key[0],
        "OBJECT_STORE_SECRET_ACCESS_KEY": front.key[1],
        "STORAGE_HOOK_SECRET": HOOK_SECRET,
    }


@pytest.fixture
def kind() -> str:
    return "supabase"


@pytest.fixture
def service(
    kind: str,
    supabase_project: Gateway,
    ministack: MiniStack,
    storage_front: storage.StorageFront,
    superuser: Superuser,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:
    key_id, secret = ministack.access_key
    environment = {
        "SUPABASE_URL": supabase_project.url,
        "SUPABASE_PUBLISHABLE_KEY": supabase_project.publishable_key,
        "SUPABASE_SECRET_KEY": supabase_project.secret_key,
        "OBJECT_STORE_BUCKET": BUCKET,
        "QUEUE_URL": ministack.queue_url(),
        "AWS_ENDPOINT_URL_SQS": ministack.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in (environment | settings_of(kind, ministack, storage_front)).items():
        monkeypatch.setenv(name, value)
    superuser.execute("delete from assay.outbox")
    storage_front.webhooks.clear()
    ministack.sqs().purge_queue(QueueUrl=ministack.queue_url())
    forget()
    poller = Poller(ministack.sqs(), ministack.queue_url(), Template.read().consumer, process)
    issuer, owner = supabase_project.issuer, user.owner
    yield Service(kind, Client(upload, issuer, owner), Client(download, issuer, owner), poller, storage_front)
    forget()


def measurements(user: User) -> bytes:
    """A file that no other test has sent."""
    header = "Station_ID,Date_Time,PCode,Result,Owner\n"
    return f"{header}CT,2024-01-01 10:00,Data 1,1.411,{user.owner}\nTUS,2024-01-02 10:00,Data 2,176,\n".encode()


def outbox(superuser: Superuser) -> list[object]:
    return [row[0] for row in superuser.execute("select object_key from assay.outbox order by object_key")]


def waiting(ministack: MiniStack) -> str:
    """Number of messages in the queue."""
    url = ministack.queue_url()
    attributes = ministack.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes["ApproximateNumberOfMessages"]


WAYS = [("s3", "notification"), ("supabase", "hint"), ("supabase", "sweep")]


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


@pytest.mark.parametrize(("kind", "way"), WAYS, ids=[way for _, way in WAYS])
def test_the_same_file_sent_anew_is_processed_anew(service: Service, user: User, way: str) -> None:
    first = service.send(measurements(user))
    service.tell(way)
    service.work()
    second = service.send(measurements(user), on_duplicate="reprocess")
    assert second != first
    if service.kind == "supabase":
        assert b'"type": "UPDATE"' in service.front.webhooks[-1]
    service.tell(way)
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
    monkeypatch.setenv("QUEUE_URL", url)
    forget()
    keys = [upload_key(UUID(int=0), f"{number:064x}") for number in range(2500)]
    superuser.execute("insert into assay.outbox (object_key) select unnest(%s::text[])", (keys,))
    tell_of_outbox()
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "2500"
    untold = superuser.execute("select count(*) from assay.outbox where told_at is null").fetchone()
    assert untold == (0,)
