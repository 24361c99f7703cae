"""Each handler under the real Lambda runtime: init, an invocation, a timeout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local.home import PROJECT
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT, created_message
from shared.sign_in.auth import User
from tests.api import http_event
from tests.runtime.emulator import Code, Emulator
from tests.sqs import sqs_event
from tests.supabase.gateway import Gateway

_MEASUREMENTS = b"Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00,Data 1,1.411\nCT,2024-01-02 10:00,Data 1,\n"
_SWEEP = json.loads((PROJECT / "events" / "process-sweep.json").read_text(encoding="utf-8"))
_TIMEOUT_SECONDS = 8  # after a timeout, it is also what a new start and the call may take together

Start = Callable[..., Emulator]


@pytest.fixture
def start(code: Mapping[str, Code], environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def started(function: str, timeout_seconds: int = 30) -> Emulator:
            log = tmp_path / f"{function}.log"
            handler = f"functions.{function}.app.handler"
            return running.enter_context(Emulator(handler, code[function], environment, log, timeout_seconds))

        yield started


def _signed_in(supabase_project: Gateway, user: User) -> dict[str, str]:
    return {"authorization": f"Bearer {supabase_project.token(user.owner)}"}


@pytest.mark.parametrize("code", ["sources", pytest.param("packages", marks=pytest.mark.builds)], indirect=True)
def test_a_file_goes_through_all_three(start: Start, supabase_project: Gateway, user: User) -> None:
    upload, process, download = start("upload"), start("process"), start("download")
    headers = _signed_in(supabase_project, user)
    sha256 = hashlib.sha256(_MEASUREMENTS).hexdigest()
    body = json.dumps({"filename": "river.csv", "size_bytes": len(_MEASUREMENTS), "sha256": sha256}).encode()

    answer = upload.call(http_event("POST", "/uploads", body, headers))
    assert answer["statusCode"] == 201, answer
    registered = json.loads(answer["body"])
    put = registered["put"]
    httpx.put(put["url"], content=_MEASUREMENTS, headers=put["headers"], trust_env=False).raise_for_status()

    created = created_message(upload_key(user.owner, sha256))
    assert process.call(sqs_event(created, RUN_HINT)) == {"batchItemFailures": []}

    job_id = registered["job"]["job_id"]
    job = json.loads(download.call(http_event("GET", f"/jobs/{job_id}", headers=headers))["body"])
    assert (job["status"], job["error"]) == ("done", None)
    for emulator in (upload, process, download):
        assert "INIT RTDONE(status: success)" in emulator.log.read_text(encoding="utf-8")


def test_the_queries_need_no_more_than_the_function(start: Start) -> None:
    download = start("download")
    health = download.call(http_event("GET", "/health"))
    assert (health["statusCode"], json.loads(health["body"])["status"]) == (200, "ok")
    openapi = download.call(http_event("GET", "/openapi.json"))
    assert json.loads(openapi["body"])["paths"]
    refused = download.call(http_event("GET", "/jobs"))
    assert refused["statusCode"] == 401


def test_a_function_that_hangs_is_cut_off_and_serves_again(
    start: Start, superuser: psycopg.Connection[tuple[object, ...]], supabase_project: Gateway, user: User
) -> None:
    """The database holds every call up until the functions' time is over."""
    headers = _signed_in(supabase_project, user)
    body = json.dumps({"filename": "a.csv", "size_bytes": 1, "sha256": "0" * 64}).encode()
    calls: list[tuple[Emulator, dict[str, Any]]] = [
        (start("upload", _TIMEOUT_SECONDS), http_event("POST", "/uploads", body, headers)),
        (start("process", _TIMEOUT_SECONDS), _SWEEP),
        (start("download", _TIMEOUT_SECONDS), http_event("GET", "/jobs", headers=headers)),
    ]
    with superuser.transaction(), ThreadPoolExecutor() as at_once:
        superuser.execute("lock table assay.jobs in access exclusive mode")
        answers = list(at_once.map(lambda call: call[0].invoke(call[1]), calls))
    assert answers == [f"Task timed out after {_TIMEOUT_SECONDS}.00 seconds"] * 3

    upload, process, download = (emulator.call(event) for emulator, event in calls)
    assert (upload["statusCode"], download["statusCode"]) == (201, 200)
    assert process == {"batchItemFailures": []}
