"""functions/upload by its events."""

from __future__ import annotations

import base64
import hashlib

import boto3
import pytest

from shared.database import database
from shared.database.psycopg_database import PsycopgDatabase
from shared.object_store.keys import upload_key
from shared.settings import settings
from shared.sign_in.auth import User
from tests.api import BUCKET, UNKNOWN_ID, Client
from tests.database.steps import Steps, new_sha256

pytestmark = pytest.mark.usefixtures("aws")
BYTES = b"Station_ID,Date_Time,PCode,Result\n"


def request(**changes: object) -> dict[str, object]:
    return {"filename": "river.csv", "size_bytes": 5, "sha256": new_sha256(), **changes}


def test_a_new_file_gets_a_job_and_a_link_that_signs_its_hash(client: Client, user: User) -> None:
    body = request()
    answer = client.call("POST", "/uploads", json_body=body)
    assert answer.status == 201
    registered = answer.json()
    assert registered["cached"] is False
    assert registered["job"]["status"] == "awaiting_upload"
    put = registered["put"]
    assert put["method"] == "PUT"
    checksum = base64.b64encode(bytes.fromhex(str(body["sha256"]))).decode()
    assert put["headers"] == {"x-amz-checksum-sha256": checksum}
    assert f"/uploads/{user.owner}/{body['sha256']}?" in put["url"]
    assert "x-amz-checksum-sha256" in put["url"]
    assert "river" not in put["url"]


def test_a_done_file_is_answered_from_the_cache(client: Client, db: PsycopgDatabase, user: User) -> None:
    job_id, sha256 = Steps(db, user).done()
    answer = client.call("POST", "/uploads", json_body=request(sha256=sha256.upper(), size_bytes=10))
    assert answer.status == 200
    registered = answer.json()
    assert (registered["cached"], registered["job"]["job_id"], registered["put"]) == (True, job_id, None)
    assert registered["upload"]["times_used"] == 2
    assert registered["upload"]["jobs"][0]["job_id"] == job_id


def test_a_raw_body_is_stored_with_the_request(client: Client, user: User) -> None:
    query = {"filename": "river.csv", "parameters": '{"aggregate": "median"}', "on_duplicate": "reuse"}
    answer = client.call("POST", "/uploads", body=BYTES, query=query)
    assert answer.status == 201
    registered = answer.json()
    assert registered["put"] is None
    assert registered["job"]["parameters"] == {"aggregate": "median"}
    key = upload_key(user.owner, hashlib.sha256(BYTES).hexdigest())
    assert boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == BYTES


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"filename": "../river.csv"}, 422, "invalid_filename"),
        ({"filename": "x" * 256}, 422, "invalid_filename"),
        ({"sha256": "xyz"}, 422, "invalid_sha256"),
        ({"size_bytes": 0}, 422, "empty_file"),
        ({"size_bytes": 5 * 1024**3 + 1}, 413, "file_too_large"),
        ({"dataset_type": "poems"}, 422, "unknown_dataset_type"),
        ({"on_duplicate": "replace"}, 422, "invalid_request"),
        ({"parameters": []}, 422, "invalid_request"),
        ({"surprise": 1}, 422, "invalid_request"),
        ({"dataset_type": "table", "parameters": {"top": 5}}, 422, "invalid_parameters"),
        ({"dataset_type": "transactions", "parameters": {"top": 0}}, 422, "invalid_parameters"),
    ],
)
def test_a_bad_request_is_a_problem_and_leaves_nothing(
    client: Client, db: PsycopgDatabase, user: User, changes: dict[str, object], status: int, code: str
) -> None:
    answer = client.call("POST", "/uploads", json_body=request(**changes))
    assert answer.problem() == (status, code)
    assert Steps(db, user).jobs() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_a_body_that_is_no_request_is_a_problem(client: Client, body: bytes) -> None:
    assert client.call("POST", "/uploads", body=body).problem() == (422, "invalid_request")


@pytest.mark.parametrize(
    ("query", "body", "problem"),
    [
        ({"filename": "a.csv"}, b"", (422, "empty_file")),
        ({"filename": "../a.csv"}, BYTES, (422, "invalid_filename")),
        ({"filename": "a.csv", "parameters": "{"}, BYTES, (422, "invalid_parameters")),
        ({"filename": "a.csv", "parameters": '{"a": "\\ud800"}'}, BYTES, (422, "invalid_parameters")),
        ({"filename": "a.csv", "parameters": '{"a": NaN}'}, BYTES, (422, "invalid_parameters")),
        ({"filename": "a.csv", "parameters": "[" * 20_000}, BYTES, (422, "invalid_parameters")),
        ({"filename": "a.csv", "parameters": '{"a":' * 3_000 + "1" + "}" * 3_000}, BYTES, (422, "invalid_parameters")),
        ({"filename": "a.csv", "on_duplicate": "no"}, BYTES, (422, "invalid_request")),
        (
            {"filename": "a.csv", "dataset_type": "table", "parameters": '{"top": 5}'},
            BYTES,
            (422, "invalid_parameters"),
        ),
        ({"filename": "a.csv"}, b"x" * 6_000_001, (413, "body_too_large")),
    ],
)
def test_a_bad_raw_upload_is_a_problem(
    client: Client, query: dict[str, str], body: bytes, problem: tuple[int, str]
) -> None:
    assert client.call("POST", "/uploads", body=body, query=query).problem() == problem


def test_without_a_token_nothing_happens(client: Client) -> None:
    client.token = ""
    answer = client.call("POST", "/uploads", json_body=request())
    assert answer.problem() == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_cancel(client: Client, db: PsycopgDatabase, user: User) -> None:
    steps = Steps(db, user)
    queued, _ = steps.queued()
    assert client.call("POST", f"/jobs/{queued}/cancel").json()["status"] == "cancelled"
    running = steps.running()
    answer = client.call("POST", f"/jobs/{running}/cancel")
    assert (answer.status, answer.json()["cancel_requested"]) == (202, True)
    done, _ = steps.done()
    assert client.call("POST", f"/jobs/{done}/cancel").problem() == (409, "job_not_cancellable")


def test_another_owners_job_cannot_be_cancelled(client: Client, db: PsycopgDatabase, other_user: User) -> None:
    job_id = Steps(db, other_user).running()
    assert client.call("POST", f"/jobs/{job_id}/cancel").problem() == (404, "job_not_found")


@pytest.mark.parametrize("path", [f"/jobs/{UNKNOWN_ID}/cancel", "/jobs/1/cancel", "/jobs/..%2f/cancel", "/nowhere"])
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.call("POST", path).problem()[0] == 404


def test_with_the_database_away_the_answer_is_503_and_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://authenticator@127.0.0.1:1/postgres")
    settings.cache_clear()
    database.cache_clear()
    answer = client.call("POST", "/uploads", json_body=request())
    assert answer.problem() == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "127.0.0.1" not in answer.body


@pytest.mark.parametrize(
    ("content_type", "word"),
    [
        ("multipart/form-data; boundary=x", "form"),
        ("Multipart/Form-Data;boundary=x", "form"),
        ("application/x-www-form-urlencoded", "line ends"),
    ],
)
def test_a_form_is_not_taken_for_the_file(client: Client, db: PsycopgDatabase, content_type: str, word: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\na,b\n1,2\n\r\n--x--\r\n'
    query = {"filename": "a.csv"}
    answer = client.call("POST", "/uploads", body=body, query=query, headers={"content-type": content_type})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")
    assert word in str(answer.json()["detail"])
    assert "--data-binary" in str(answer.json()["suggestion"])


@pytest.mark.parametrize("size", ["12", True, 12.5, None, [12]])
def test_a_size_is_a_whole_number(client: Client, size: object) -> None:
    answer = client.call("POST", "/uploads", json_body=request(size_bytes=size))
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")


def test_a_name_that_is_not_utf8_is_refused(client: Client) -> None:
    answer = client.call("POST", "/uploads?filename=caf%E9.csv", body=BYTES)
    assert (answer.status, answer.json()["code"]) == (422, "invalid_request")
    assert "UTF-8" in str(answer.json()["detail"])
