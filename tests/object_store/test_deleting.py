"""What is deleted from an S3 endpoint, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.errors import Transient
from shared.object_store import ObjectMissing, ObjectStore
from shared.object_store.keys import output_key, outputs_prefix
from tests.object_store.endpoint import Endpoint

SHA256 = "0" * 64


def new_keys(endpoint: Endpoint, *names: str) -> list[str]:
    """Store an object under each name, all below one new prefix."""
    prefix = endpoint.new_key("")
    keys = [prefix + name for name in names]
    endpoint.keys += keys
    for key in keys:
        endpoint.store.put_bytes(key, b"bytes")
    return keys


def is_there(store: ObjectStore, key: str, folder: Path) -> bool:
    try:
        store.download(key, folder / "file", lambda _: None)
    except ObjectMissing:
        return False
    return True


def test_what_is_named_is_deleted_and_nothing_else(endpoint: Endpoint, tmp_path: Path) -> None:
    keys = new_keys(endpoint, "a", "b", "bc")
    endpoint.store.delete(keys[:2])
    assert [is_there(endpoint.store, key, tmp_path) for key in keys] == [False, False, True]


def test_what_is_gone_already_counts_as_deleted(endpoint: Endpoint, tmp_path: Path) -> None:
    here, longer = new_keys(endpoint, "a", "gone-but-longer")
    prefix = here.removesuffix("a")
    endpoint.store.delete([f"{prefix}gone", here])
    endpoint.store.delete([here])
    endpoint.store.delete([])
    assert is_there(endpoint.store, longer, tmp_path)


def test_a_prefix_is_deleted_whole_and_its_neighbours_stay(endpoint: Endpoint, tmp_path: Path) -> None:
    owner, job = str(uuid4()), str(uuid4())
    keys = [output_key(owner, job, attempt, name) for attempt in (1, 10) for name in ("a.csv", "b.csv")]
    endpoint.keys += keys
    for key in keys:
        endpoint.store.put_bytes(key, b"bytes")
    assert endpoint.store.delete_prefix(outputs_prefix(owner, job, 1)) == 2
    assert [is_there(endpoint.store, key, tmp_path) for key in keys] == [False, False, True, True]
    assert endpoint.store.delete_prefix(outputs_prefix(owner, job, 1)) == 0
    assert endpoint.store.delete_prefix(f"outputs/{owner}/{job}/") == 2


def test_a_prefix_without_a_slash_would_reach_its_neighbours(endpoint: Endpoint) -> None:
    with pytest.raises(ValueError, match="slash"):
        endpoint.store.delete_prefix("outputs/owner/job/1")


def test_more_than_fit_into_one_request_are_deleted(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.object_store._DELETED_AT_ONCE", 2)
    keys = new_keys(endpoint, *"abcde")
    endpoint.store.delete(keys)
    assert not [key for key in keys if is_there(endpoint.store, key, tmp_path)]


def test_a_list_of_several_pages_is_deleted(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = new_keys(endpoint, *(f"{number}/a" for number in range(5)))
    client = endpoint.store._client
    paginator = client.get_paginator("list_objects_v2")
    paginate = paginator.paginate
    monkeypatch.setattr(paginator, "paginate", lambda **asked: paginate(**asked, PaginationConfig={"PageSize": 2}))
    monkeypatch.setattr(client, "get_paginator", lambda _: paginator)
    assert endpoint.store.delete_prefix(keys[0].removesuffix("0/a")) == 5


def test_an_object_that_stays_is_an_error(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the endpoints here refuses one of several objects alone."""
    stays, _goes = keys = new_keys(endpoint, "stays", "goes")
    client = endpoint.store._client
    delete_objects = client.delete_objects

    def refusing(**asked: object) -> object:
        answer = delete_objects(**asked)  # type: ignore[arg-type]  # as it was called
        endpoint.store.put_bytes(stays, b"bytes")
        return {**answer, "Errors": [{"Key": stays, "Code": "InternalError"}]}

    monkeypatch.setattr(client, "delete_objects", refusing)
    with pytest.raises(Transient, match="1 of 2 objects"):
        endpoint.store.delete(keys)


def test_uploads_in_parts_that_were_never_completed_are_aborted_when_they_are_old(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    bucket, client = endpoint.at.object_store_bucket, endpoint.store._client
    key = new_keys(endpoint, "whole.csv")[0]
    now = datetime.now(UTC)
    begun = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=bucket, Key=key, UploadId=begun, PartNumber=1, Body=b"part")

    def waiting() -> list[str]:
        listed = client.list_multipart_uploads(Bucket=bucket, Prefix=key).get("Uploads", [])
        return [found["UploadId"] for found in listed]

    endpoint.store.abort_uploads(now - timedelta(days=1))
    assert waiting() == [begun]
    assert endpoint.store.abort_uploads(now + timedelta(minutes=1)) >= 1
    assert waiting() == []
    assert is_there(endpoint.store, key, tmp_path), "what is whole stays"
