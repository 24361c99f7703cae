"""Upload files for a worker and look at what it stored."""

from __future__ import annotations

import hashlib
from typing import Any

import boto3

from shared.object_store.keys import upload_key
from shared.sign_in.auth import User
from tests.api import BUCKET
from tests.database.steps import Steps

HEADER = "Station_ID,Date_Time,PCode,Result\n"
MEASUREMENTS = f"{HEADER}CT,2024-01-01 10:00,Data 1,1.411\nCT,2024-01-02 10:00,Data 1,\n".encode()


def store(key: str, body: bytes) -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def stored_outputs(user: User) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"outputs/{user.owner}/")
    return [item["Key"] for item in listed.get("Contents", [])]


def upload(steps: Steps, body: bytes, filename: str = "river.csv", **arguments: Any) -> tuple[str, str]:
    """Register bytes and store them; return the job's id and the object's key."""
    sha256 = hashlib.sha256(body).hexdigest()
    job_id: str = steps.register(sha256, size_bytes=len(body), filename=filename, **arguments)["job"]["job_id"]
    key = upload_key(steps.user.owner, sha256)
    store(key, body)
    return job_id, key


def failing(error: Exception) -> Any:
    """Return a function that raises this error, whatever it is called with."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
