"""What Supabase Storage's own server refuses, and AWS's S3 does not: the stand-in refuses it as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.errors import Problem
from shared.object_store import ObjectMissing, ObjectStore
from tests.database.steps import Superuser
from tests.object_store.endpoint import Endpoint, store_settings
from tests.supabase.storage import StorageFront
from tests.supabase.storage_http import BUCKET, REGION

SHA256 = "0" * 64


@pytest.fixture
def store(storage_front: StorageFront) -> ObjectStore:
    key_id, secret = storage_front.key
    return ObjectStore(
        store_settings(
            storage="supabase",
            object_store_endpoint=storage_front.endpoint,
            object_store_region=REGION,
            object_store_access_key_id=key_id,
            object_store_secret_access_key=secret,
        )
    )


def put(endpoint: Endpoint, **headers: str) -> httpx.Response:
    """PUT by a signed link, with more headers than it was signed with."""
    link = endpoint.store.put_link(endpoint.new_key(SHA256), SHA256, 5, 60)
    return endpoint.http.put(link.url, content=b"bytes", headers={**link.headers, **headers})


def test_a_delete_whose_body_has_no_type_deletes_nothing(
    store: ObjectStore, storage_front: StorageFront, tmp_path: Path
) -> None:
    """This is what boto3 sends by itself; shared.aws_clients adds the type."""
    key_id, secret = storage_front.key
    plain = boto3.client(
        "s3",
        endpoint_url=storage_front.endpoint,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": "path"}),
    )
    store.put_bytes("outputs/refused", b"bytes")
    with pytest.raises(ClientError) as refused:
        plain.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "outputs/refused"}]})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    store.download("outputs/refused", tmp_path / "file", lambda _: None)
    store.delete(["outputs/refused"])
    with pytest.raises(ObjectMissing):
        store.download("outputs/refused", tmp_path / "file", lambda _: None)


def test_every_delete_names_the_type_of_its_body_once(store: ObjectStore, storage_front: StorageFront) -> None:
    storage_front.seen.clear()
    store.delete(["outputs/gone"])
    (delete,) = (seen for seen in storage_front.seen if seen.method == "POST")
    assert delete.headers["content-type"] == "application/xml"
    assert "content-type" in delete.headers["authorization"], "it is signed"


@pytest.mark.parametrize("endpoint", ["supabase"], indirect=True)
@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("text/csv; charset=utf-8", 200),
        ("multipart/form-data; boundary=x", 400),
        ("csv", 415),
        ("/csv", 415),
        ("text/", 415),
        ("text csv", 415),
    ],
)
def test_a_body_s_type_may_be_anything_but_a_form_or_nonsense(endpoint: Endpoint, media_type: str, status: int) -> None:
    assert put(endpoint, **{"Content-Type": media_type}).status_code == status


def test_a_link_holds_for_its_host_and_port_alone(endpoint: Endpoint) -> None:
    link = endpoint.store.put_link(endpoint.new_key(SHA256), SHA256, 5, 60)
    here = urlsplit(link.url)
    for host in ("localhost", f"{here.hostname}:1", f"elsewhere.example:{here.port}"):
        assert put(endpoint, Host=host).status_code == 403, host


@pytest.fixture
def small_bucket(superuser: Superuser, storage_front: StorageFront) -> Iterator[None]:
    """The bucket takes 5 MiB at most, for one test."""
    limit = "update storage.buckets set file_size_limit = %s where id = %s returning file_size_limit"
    (before,) = superuser.execute("select file_size_limit from storage.buckets where id = %s", (BUCKET,)).fetchone()  # type: ignore[misc]
    superuser.execute(limit, (5 * 1024**2, BUCKET))
    yield
    superuser.execute(limit, (before, BUCKET))


@pytest.mark.usefixtures("small_bucket")
@pytest.mark.parametrize("megabytes", [6, 9], ids=["in one piece", "in parts"])
def test_what_exceeds_the_bucket_s_limit_is_a_problem_that_says_so(
    store: ObjectStore, tmp_path: Path, megabytes: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0" * (megabytes * 1024**2))
    with pytest.raises(Problem, match="The bucket 'assay' refused an object of") as by_file:
        store.put_file("outputs/large", path, "text/csv")
    with pytest.raises(Problem) as by_body:
        store.put_bytes("outputs/large", path.read_bytes())
    for problem in (by_file.value, by_body.value):
        assert (problem.status, problem.code) == (413, "bucket_limit")
        assert "file size limit" in problem.suggestion
