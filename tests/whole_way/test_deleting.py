"""Deleted files are removed from both storages."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.ministack.ministack import BUCKET
from shared.object_store import object_store
from shared.object_store.keys import output_key
from shared.sign_in.auth import User
from tests.whole_way.service import WAYS, Service, measurements


def objects(user: User) -> list[str]:
    """Keys of all that is stored of the user's."""
    store = object_store()
    found: list[str] = []
    for kind in ("uploads", "outputs"):
        listed = store._client.list_objects_v2(Bucket=BUCKET, Prefix=f"{kind}/{user.owner}/")
        found += [item["Key"] for item in listed.get("Contents", [])]
    return found


@pytest.mark.parametrize(("kind", "way"), WAYS[:2], ids=["s3", "supabase"])
def test_what_its_owner_deletes_is_gone_from_the_store_at_once(service: Service, user: User, way: str) -> None:
    job_id = service.send(measurements(user))
    service.tell(way)
    service.work()
    assert len(objects(user)) > 2
    assert service.upload.call("DELETE", f"/jobs/{job_id}").status == 204
    service.work()
    assert objects(user) == []
    service.send(measurements(user))
    service.tell(way)
    service.work()
    assert len(objects(user)) > 2, "the same bytes may come again"


def test_supabase_storage_is_rid_of_uploads_in_parts_whose_worker_was_killed(service: Service, user: User) -> None:
    store = object_store()
    key = output_key(str(user.owner), "job", 1, "large.parquet")
    store._client.create_multipart_upload(Bucket=BUCKET, Key=key)
    service.sweep()
    assert [found for found, _, _ in service.front.multiparts(key)] == [key]
    for multipart in service.front._multiparts.values():
        multipart.begun_at -= timedelta(days=2)
    service.sweep()
    assert service.front.multiparts(key) == []
