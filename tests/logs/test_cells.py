"""Whatever becomes of a file, no line of the log has a cell of it; nor a token, a link's signature, a file's name."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from functions.download.app import handler as download
from functions.upload.app import handler as upload
from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from shared.telemetry import logger
from tests.api import Client
from tests.issuer import Issuer
from tests.log_watch import CANARY
from tests.sqs import work

pytestmark = pytest.mark.usefixtures("aws")
HEADER = "Station_ID,Date_Time,PCode,Result,Note\n"

FILES: dict[str, tuple[str, str]] = {
    "all is well": (f"{HEADER}{CANARY},2024-01-01 10:00,{CANARY},1.5,{CANARY}\n", "done"),
    "some rows are refused": (
        f"{HEADER}CT,2024-01-01 10:00,A,{CANARY},\nCT,{CANARY},A,1,\nCT,2024-01-02,A,1,\n,2024-01-02,A,1,{CANARY}\n",
        "done",
    ),
    "no row is usable": (f"{HEADER}CT,{CANARY},A,1,\nCT,{CANARY},A,{CANARY},\n", "failed"),
    "a code is too long": (f"{HEADER}CT,2024-01-01,{CANARY * 30},1,\n", "failed"),
    "two columns are one": (f"Station_ID,Date_Time,PCode,Result,Result\n{CANARY},2024-01-01,{CANARY},1,2\n", "failed"),
    "there is no header": (f"{CANARY}\n{CANARY}\n", "failed"),
    "nobody knows the type": (f"poem\n{CANARY}\n", "needs_type"),
}


@pytest.mark.parametrize("what", FILES)
def test_no_cell_is_logged(
    issuer: Issuer, user: User, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    body, status = FILES[what]
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    commands, queries = (Client(handler, issuer, user.owner) for handler in (upload, download))
    query = {"filename": f"name-{CANARY}.csv"}
    if status == "failed":
        query["dataset_type"] = "station_measurements"
    job: dict[str, Any] = commands.call("POST", "/uploads", body=body.encode(), query=query).json()["job"]
    work(upload_key(user.owner, job["sha256"]))
    seen = queries.call("GET", f"/jobs/{job['job_id']}").json()
    assert seen["status"] == status
    for output in queries.call("GET", f"/jobs/{job['job_id']}/outputs").json()["outputs"]:
        queries.call("GET", f"/outputs/{output['output_id']}/download")
    lines = written.getvalue()
    assert json.dumps(job["job_id"]) in lines
    assert CANARY in body
    out, err = capfd.readouterr()
    for secret in (CANARY, commands.token, "Signature="):
        assert secret not in lines + out + err
