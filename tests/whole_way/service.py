"""The whole service on one set of settings: three handlers, two queues, the Data API, and either storage."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import httpx

from functions.upload.app import handler as upload
from local.aws.poller import Poller
from local.ministack.ministack import REGION, MiniStack
from shared.sign_in.auth import User
from tests.api import Answer, Client, answered, http_event
from tests.supabase import storage, storage_http

HOOK_SECRET = "a secret of at least 32 characters"
WAYS = [("s3", "notification"), ("supabase", "hint"), ("supabase", "sweep")]
"""Each storage, and how the service learns of what was stored there."""


@dataclass
class Service:
    """The three handlers on one set of settings, called as AWS calls them, for one user."""

    kind: str
    upload: Client
    download: Client
    news: Poller
    hints: Poller
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
        self.hints.sweep()

    def tell(self, way: str) -> None:
        """Let the service learn of what was stored: S3 has told the queue itself."""
        if way == "sweep":
            self.front.webhooks.clear()
            self.sweep()
        elif way == "hint":
            assert self.hint().status == 202

    def work(self) -> None:
        """Work until both queues are empty; S3 tells of an object a moment after the PUT."""
        while self.hints.poll(0) or self.news.poll(wait_seconds=1 if self.kind == "s3" else 0):
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
        "OBJECT_STORE_REGION": storage_http.REGION,
        "OBJECT_STORE_ACCESS_KEY_ID": front.key[0],
        "OBJECT_STORE_SECRET_ACCESS_KEY": front.key[1],
        "STORAGE_HOOK_SECRET": HOOK_SECRET,
    }


def measurements(user: User) -> bytes:
    """A file that no other test has sent."""
    header = "Station_ID,Date_Time,PCode,Result,Owner\n"
    return f"{header}CT,2024-01-01 10:00,Data 1,1.411,{user.owner}\nTUS,2024-01-02 10:00,Data 2,176,\n".encode()
