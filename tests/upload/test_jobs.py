"""What a user does to a job that is there, and the hints that it leaves on the queue."""

from __future__ import annotations

import json
from uuid import uuid4

import boto3
import pytest

from shared.database.psycopg_database import PsycopgDatabase
from shared.object_store.keys import upload_key
from shared.queue.events import CLEAN_UP_HINT, RUN_HINT
from tests.api import QUEUE, Client
from tests.database.steps import Steps, Superuser, new_sha256
from tests.sqs import take_out

pytestmark = pytest.mark.usefixtures("aws")


def register(client: Client, sha256: str) -> dict[str, object]:
    body = {"filename": "a.csv", "size_bytes": 10, "sha256": sha256}
    answer = client.call("POST", "/uploads", json_body=body)
    assert answer.status in {200, 201}, answer.body
    found: dict[str, object] = answer.json()
    return found


def test_a_failed_job_is_tried_again_and_the_worker_told(client: Client, steps: Steps) -> None:
    job_id = steps.running()
    steps.fail(job_id, 1)
    answer = client.call("POST", f"/jobs/{job_id}/retry")
    assert (answer.status, answer.json()["status"], answer.json()["error"]) == (200, "queued", None)
    assert take_out() == [RUN_HINT]
    assert steps.claim(job_id, "another")["attempt"] == 2


@pytest.mark.parametrize("status", ["queued", "done"])
def test_a_job_that_has_not_failed_is_not_tried_again(client: Client, steps: Steps, status: str) -> None:
    job_id, _ = steps.queued() if status == "queued" else steps.done()
    assert client.call("POST", f"/jobs/{job_id}/retry").problem() == (409, "job_not_retryable")
    assert take_out() == []


def test_a_job_whose_bytes_never_came_is_not_tried_again(client: Client, steps: Steps) -> None:
    job_id = steps.register(new_sha256())["job"]["job_id"]
    steps.cancel(job_id)
    for command in ("retry", "reprocess"):
        assert client.call("POST", f"/jobs/{job_id}/{command}").problem() == (409, "bytes_missing")


def test_reprocess_makes_one_new_job_and_the_second_time_gives_that(client: Client, steps: Steps) -> None:
    old, sha256 = steps.done()
    first = client.call("POST", f"/jobs/{old}/reprocess")
    second = client.call("POST", f"/jobs/{old}/reprocess")
    assert (first.status, second.status) == (201, 200)
    new = first.json()["job_id"]
    assert new == second.json()["job_id"] != old
    assert (first.json()["status"], first.json()["sha256"]) == ("queued", sha256)
    assert take_out() == [RUN_HINT] * 2
    assert steps.job(old)["status"] == "done"


def test_what_a_file_is_may_be_said_and_the_worker_is_told(client: Client, steps: Steps) -> None:
    job_id = steps.running()
    steps.await_type(job_id, 1)
    answer = client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "table"})
    job = answer.json()
    assert (answer.status, job["status"], job["type_choice"]["dataset_type"]) == (200, "queued", "table")
    assert job["type_choice"]["chosen_by"] == str(steps.user.owner)
    assert take_out() == [RUN_HINT]
    assert steps.claim(job_id, "another")["job"]["requested_dataset_type"] == "table"


def test_of_a_job_that_is_done_the_objects_are_to_go(client: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    assert client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "table"}).status == 200
    keys = steps.clean_up()["keys"]
    assert f"outputs/{steps.user.owner}/{job_id}/1/" in keys
    assert take_out() == [RUN_HINT]


@pytest.mark.parametrize(
    ("body", "code"),
    [({"dataset_type": "poem"}, "unknown_dataset_type"), ({}, "invalid_request"),
     ({"dataset_type": None}, "invalid_request"),
     ({"dataset_type": "table", "status": "done"}, "invalid_request"), ([], "invalid_request"),
     ({"parameters": {}}, "invalid_request"), ({"dataset_type": "table", "parameters": []}, "invalid_request"),
     ({"dataset_type": "table", "parameters": {"a": "\x00"}}, "invalid_parameters"),
     ({"dataset_type": "table", "parameters": {"top": 5}}, "invalid_parameters")],
)  # fmt: skip
def test_a_choice_that_is_none_changes_nothing(client: Client, steps: Steps, body: object, code: str) -> None:
    job_id, _ = steps.done()
    before = steps.job(job_id)
    answer = client.call("PATCH", f"/jobs/{job_id}", body=json.dumps(body).encode())
    assert answer.problem() == (422, code)
    if code == "unknown_dataset_type":
        assert all(name in answer.json()["suggestion"] for name in ("station_measurements", "table", "transactions"))
    assert client.call("PATCH", f"/jobs/{job_id}", body=b"table").problem() == (422, "invalid_request")
    assert steps.job(job_id) == before
    assert take_out() == []


def test_a_type_that_does_not_take_the_jobs_parameters_is_not_chosen(client: Client, steps: Steps) -> None:
    body = {"filename": "a.csv", "size_bytes": 9, "sha256": new_sha256(), "parameters": {"top": 5}}
    job_id = client.call("POST", "/uploads", json_body=body).json()["job"]["job_id"]
    before = steps.job(job_id)
    answer = client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "table"})
    assert answer.problem() == (422, "invalid_parameters")
    assert "'top'" in answer.json()["detail"]
    assert answer.json()["suggestion"].startswith("Replace the job's parameters with PATCH /jobs/{job_id}; {} is none.")
    assert steps.job(job_id) == before
    assert take_out() == []
    assert client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "transactions"}).status == 200


def test_a_job_gets_other_parameters_with_its_type_and_keeps_them(client: Client, steps: Steps) -> None:
    def chosen(**body: object) -> object:
        answer = client.call("PATCH", f"/jobs/{job_id}", json_body=body)
        assert answer.status == 200, answer.json()
        return answer.json()["type_choice"]["parameters"]

    body = {"filename": "a.csv", "size_bytes": 9, "sha256": new_sha256(), "parameters": {"top": 5}}
    job_id = client.call("POST", "/uploads", json_body=body).json()["job"]["job_id"]
    assert chosen(dataset_type="table", parameters={}) == {}
    assert chosen(dataset_type="station_measurements") == {}
    assert chosen(dataset_type="transactions", parameters={"top": 7}) == {"top": 7}
    assert client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "table"}).problem() == (
        422,
        "invalid_parameters",
    )
    assert chosen(dataset_type="transactions", parameters={"top": 5}) is None
    assert steps.job(job_id)["parameters"] == {"top": 5}


def test_another_owner_chooses_nothing(client: Client, other_steps: Steps) -> None:
    job_id, _ = other_steps.done()
    for unknown in (job_id, str(uuid4())):
        answer = client.call("PATCH", f"/jobs/{unknown}", json_body={"dataset_type": "table"})
        assert answer.problem() == (404, "job_not_found")
    client.token = ""
    answer = client.call("PATCH", f"/jobs/{job_id}", json_body={"dataset_type": "table"})
    assert answer.problem() == (401, "not_signed_in")
    assert other_steps.job(job_id)["status"] == "done"


def test_a_deleted_job_is_gone_and_its_objects_are_to_go(client: Client, steps: Steps, superuser: Superuser) -> None:
    job_id, sha256 = steps.done()
    answer = client.call("DELETE", f"/jobs/{job_id}")
    assert (answer.status, answer.body) == (204, "")
    assert take_out() == [CLEAN_UP_HINT]
    assert steps.jobs() == []
    noted = superuser.execute(
        "select object_key from assay.deletions where object_key like %s and due_at <= now()",
        (f"%{steps.user.owner}%",),
    ).fetchall()
    assert {key for (key,) in noted} == {
        upload_key(steps.user.owner, sha256),
        f"outputs/{steps.user.owner}/{job_id}/",
    }
    assert client.call("DELETE", f"/jobs/{job_id}").problem() == (404, "job_not_found")


def test_the_worker_of_a_deleted_job_learns_that_it_is_stale(client: Client, steps: Steps) -> None:
    job_id = steps.running()
    assert client.call("DELETE", f"/jobs/{job_id}").status == 204
    assert steps.report(job_id, 1) == {"accepted": False, "reason": "stale_attempt"}
    assert steps.finish(job_id, 1) == {"accepted": False, "reason": "stale_attempt"}
    assert steps.jobs() == []


def test_what_was_deleted_may_be_sent_again(client: Client, steps: Steps) -> None:
    """Its bytes are still there: nothing needs to be sent, and the worker is told."""
    deleted, sha256 = steps.done()
    client.call("DELETE", f"/jobs/{deleted}")
    take_out()
    registered = register(client, sha256)
    job = registered["job"]
    assert isinstance(job, dict)
    assert (registered["cached"], registered["put"], job["status"]) == (True, None, "queued")
    assert job["job_id"] != deleted
    assert take_out() == [RUN_HINT]


def test_what_is_being_deleted_may_be_sent_again_in_seconds(client: Client, steps: Steps) -> None:
    deleted, sha256 = steps.done()
    client.call("DELETE", f"/jobs/{deleted}")
    keys = steps._call("clean_up", None, quiet_seconds=900)["keys"]
    assert upload_key(steps.user.owner, sha256) in keys
    body = {"filename": "a.csv", "size_bytes": 10, "sha256": sha256}
    answer = client.call("POST", "/uploads", json_body=body)
    assert answer.problem() == (503, "being_deleted")
    assert answer.headers["retry-after"] == "5"
    steps._call("objects_deleted", None, keys=keys)
    assert register(client, sha256)["cached"] is False


def test_a_new_upload_waits_for_its_bytes_and_nobody_is_told(client: Client) -> None:
    assert register(client, new_sha256())["cached"] is False
    assert take_out() == []


def test_a_hint_that_cannot_be_sent_is_no_error(client: Client, steps: Steps) -> None:
    job_id = steps.running()
    steps.fail(job_id, 1)
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"])
    assert client.call("POST", f"/jobs/{job_id}/retry").status == 200
    assert steps.job(job_id)["status"] == "queued"


def test_over_the_limit_the_answer_says_what_it_is_and_when_to_come_again(
    client: Client, steps: Steps, superuser: Superuser
) -> None:
    failed = steps.running()
    steps.fail(failed, 1)
    done, _ = steps.done()
    superuser.execute(
        "update assay.owners set uploads_until = now() + interval '1 hour' where owner = %s", (steps.user.owner,)
    )
    body = {"filename": "a.csv", "size_bytes": 10, "sha256": new_sha256()}
    for answer in (
        client.call("POST", "/uploads", json_body=body),
        client.call("POST", f"/jobs/{failed}/retry"),
        client.call("POST", f"/jobs/{done}/reprocess"),
    ):
        assert answer.problem() == (429, "uploads_limit")
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "60 uploads an hour" in answer.json()["detail"]
        assert answer.headers["retry-after"] in answer.json()["suggestion"]
    assert len(steps.jobs()) == 2
    assert take_out() == []


@pytest.mark.parametrize(("method", "command"), [("POST", "/retry"), ("POST", "/reprocess"), ("DELETE", "")])
def test_another_owners_job_is_not_there(
    client: Client, other_steps: Steps, db: PsycopgDatabase, method: str, command: str
) -> None:
    job_id = other_steps.running()
    other_steps.fail(job_id, 1)
    for unknown in (job_id, str(uuid4())):
        assert client.call(method, f"/jobs/{unknown}{command}").problem() == (404, "job_not_found")
    assert client.call(method, f"/jobs/1{command}").problem() == (404, "not_found")
    client.token = ""
    assert client.call(method, f"/jobs/{job_id}{command}").problem() == (401, "not_signed_in")
    assert other_steps.job(job_id)["status"] == "failed"
    assert take_out() == []


def test_columns_of_a_choice_take_the_place_of_those_that_the_job_has(client: Client, steps: Steps) -> None:
    job_id, _ = steps.done()
    body = {"dataset_type": "transactions", "parameters": {"top": 5, "columns": {"fee": "Fee"}}}
    assert client.call("PATCH", f"/jobs/{job_id}", json_body=body).status == 200
    body = {"dataset_type": "transactions", "columns": {"amount": "Gross", "fee": None}}
    answer = client.call("PATCH", f"/jobs/{job_id}", json_body=body)
    choice = answer.json()["type_choice"]
    assert (answer.status, answer.json()["job_id"], choice["chosen_by"]) == (200, job_id, str(steps.user.owner))
    assert choice["parameters"] == {"top": 5, "columns": {"amount": "Gross", "fee": None}}
    assert steps.claim(job_id, "another")["job"]["parameters"] == choice["parameters"]
    wrong = {"dataset_type": "transactions", "columns": {"amount": 1}}
    assert client.call("PATCH", f"/jobs/{job_id}", json_body=wrong).status == 422


def test_remembered_columns_are_changed_and_forgotten(client: Client, steps: Steps) -> None:
    steps.confirmed()
    choice_id = steps.remembered()[0]["choice_id"]
    edited = client.call("PATCH", f"/columns/{choice_id}", json_body={"columns": {"result": "Reading"}})
    assert (edited.status, edited.json()["columns"]) == (200, {"result": "Reading"})
    wrong: list[dict[str, object]] = [
        {}, {"columns": {}}, {"columns": {"a\0": "b"}}, {"columns": {"a": "b\0"}}, {"columns": {"result": 1}},
        {"columns": {"a": "b"}, "more": 1},
    ]  # fmt: skip
    for body in wrong:
        assert client.call("PATCH", f"/columns/{choice_id}", json_body=body).status == 422
    assert client.call("DELETE", f"/columns/{choice_id}").status == 204
    for gone in (client.call("DELETE", f"/columns/{choice_id}"),
                 client.call("PATCH", f"/columns/{choice_id}", json_body={"columns": {"a": "b"}})):  # fmt: skip
        assert gone.problem() == (404, "columns_not_found")
