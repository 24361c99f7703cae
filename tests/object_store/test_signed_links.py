"""Our links are those that boto3's client gives for the same moment, byte for byte."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import InvalidRegionError, NoCredentialsError
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.aws_clients import s3_client
from shared.object_store import ObjectStore, attachment
from tests.object_store.endpoint import store_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
SHA256 = "ab" * 32
TOKEN = "IQoJb3JpZ2luX2VjE/+=="
REGIONS = ["us-east-1", "us-east-2", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1"]
BUCKETS = ["assay", "assay-uploads-000000000000-eu-central-1", "as.say", "as_say", "a--b", "10.0.0.1"]
ENDPOINTS = [
    "http://127.0.0.1:9000",
    "http://[::1]:9000",
    "http://LOCALHOST",
    "http://store:80",
    "https://store.example:443/",
    "https://store.example:8443/a/../b//c d/",
    "https://ref.supabase.co/storage/v1/s3",
]
# No surrogates: they stand for no character, and cannot be sent.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
KEYS = TEXT.filter(bool) | st.from_regex(r"(uploads|outputs)(/[a-z0-9._~-]{1,20}){2,4}", fullmatch=True)


@cache
def session(token: str | None) -> boto3.Session:
    return boto3.Session("id", "secret/+", token)


@cache
def client(region: str, endpoint: str | None, token: str | None) -> S3Client:
    return session(token).client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path" if endpoint else "virtual"}),
    )


@contextmanager
def at_the_same_moment(token: str | None) -> Iterator[None]:
    """Stop the signer's clock, for both alike, and let the environment hold the keys as it does on Lambda."""
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret/+"}
    keys |= {"AWS_SESSION_TOKEN": token} if token else {}
    with patch.dict(os.environ, keys, clear=True), patch("botocore.auth.get_current_datetime", lambda: NOW):
        yield


ADDRESSES = st.tuples(
    st.sampled_from(REGIONS),
    st.none() | st.sampled_from(ENDPOINTS),
    st.sampled_from(BUCKETS),
    st.sampled_from([None, TOKEN]),
)


@given(ADDRESSES, KEYS, st.integers(0, 5 * 1024**3), st.integers(1, 604_800), st.sampled_from(["s3", "supabase"]))
@example(("us-east-1", None, "assay", TOKEN), "uploads/o/s", 0, 1, "s3")
@example(("us-east-1", None, "assay", None), "/a//b/../c/./~ +%20ä", 1, 60, "s3")
def test_a_put_link_is_boto3_s(
    address: tuple[str, str | None, str, str | None], key: str, size: int, seconds: int, storage: str
) -> None:
    region, endpoint, bucket, token = address
    settings = {"object_store_region": region, "object_store_endpoint": endpoint, "object_store_bucket": bucket}
    if storage == "supabase":
        endpoint, bucket, token = endpoint or "http://127.0.0.1:1/storage/v1/s3", "assay", None
        settings |= {"object_store_bucket": bucket, "storage": storage}
        settings |= {"object_store_access_key_id": "id", "object_store_secret_access_key": "secret/+"}
    parameters: dict[str, object] = {"Bucket": bucket, "Key": key}
    if storage == "s3":
        parameters["ChecksumSHA256"] = base64.b64encode(bytes.fromhex(SHA256)).decode()
        parameters["ContentLength"] = size
    with at_the_same_moment(token):
        theirs = client(region, endpoint, token).generate_presigned_url("put_object", parameters, seconds)
        ours = ObjectStore(store_settings(**settings)).put_link(key, SHA256, size, seconds)
    assert ours.url == theirs


@given(ADDRESSES, KEYS, TEXT, TEXT, st.integers(1, 604_800))
@example(
    ("cn-north-1", None, "assay", TOKEN), "outputs/o/j/1/report.html", 'ä"\\ \r\n;=&+%~.csv', "text/csv; a=b", 3600
)
def test_a_get_link_is_boto3_s(
    address: tuple[str, str | None, str, str | None], key: str, filename: str, media_type: str, seconds: int
) -> None:
    region, endpoint, bucket, token = address
    settings = {"object_store_region": region, "object_store_endpoint": endpoint, "object_store_bucket": bucket}
    parameters = {
        "Bucket": bucket,
        "Key": key,
        "ResponseContentDisposition": attachment(filename),
        "ResponseContentType": media_type,
    }
    with at_the_same_moment(token):
        theirs = client(region, endpoint, token).generate_presigned_url("get_object", parameters, seconds)
        ours = ObjectStore(store_settings(**settings)).get_link(key, filename, media_type, seconds)
    assert ours.url == theirs


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("CT_Analysis.csv", 'attachment; filename="CT_Analysis.csv"'),
        ("my river.csv", 'attachment; filename="my river.csv"'),
        ("Größe.csv", "attachment; filename=\"Gr__e.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"),
        ('a"; x="\r\n.csv', "attachment; filename=\"a__ x____.csv\"; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0A.csv"),
    ],
)
def test_a_file_is_saved_under_its_own_name_whatever_is_in_it(filename: str, disposition: str) -> None:
    assert attachment(filename) == disposition


def signed_with(store: ObjectStore) -> tuple[str, list[str]]:
    """The key's id and the token that a new link carries."""
    query = parse_qs(urlsplit(store.put_link("uploads/o/s", SHA256, 1, 60).url).query)
    return query["X-Amz-Credential"][0].split("/")[0], query.get("X-Amz-Security-Token", [])


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment in which botocore finds none; returned to put some in."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("BOTO_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_keys_that_end_are_asked_for_anew_at_each_link(no_keys: pytest.MonkeyPatch) -> None:
    store = ObjectStore(store_settings())
    for number in ("1", "2"):
        no_keys.setenv("AWS_ACCESS_KEY_ID", f"id{number}")
        no_keys.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        no_keys.setenv("AWS_SESSION_TOKEN", f"token{number}")
        # So near that botocore would rather have new ones, and not so near that it must.
        no_keys.setenv("AWS_CREDENTIAL_EXPIRATION", (datetime.now(UTC) + timedelta(minutes=12)).isoformat())
        assert signed_with(store) == (f"id{number}", [f"token{number}"])


def test_keys_may_come_from_wherever_botocore_looks(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[ours]\naws_access_key_id = theirs\naws_secret_access_key = secret\n")
    no_keys.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    no_keys.setenv("AWS_PROFILE", "ours")
    assert signed_with(ObjectStore(store_settings())) == ("theirs", [])


def test_keys_of_the_settings_come_first_and_without_the_role_s_token(no_keys: pytest.MonkeyPatch) -> None:
    no_keys.setenv("AWS_ACCESS_KEY_ID", "role")
    no_keys.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    no_keys.setenv("AWS_SESSION_TOKEN", TOKEN)
    at = store_settings(object_store_access_key_id="id", object_store_secret_access_key="secret")
    assert signed_with(ObjectStore(at)) == ("id", [])


@pytest.mark.usefixtures("no_keys")
def test_without_keys_there_is_no_link() -> None:
    with pytest.raises(NoCredentialsError):
        signed_with(ObjectStore(store_settings()))


@pytest.mark.parametrize("given", ["object_store_access_key_id", "object_store_secret_access_key"])
def test_half_a_key_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="go together"):
        store_settings(**{given: "half"})


@pytest.mark.parametrize("endpoint", ["store:9000", "ftp://store", "http://", "http://store:port", "http://store/?a=b"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="OBJECT_STORE_ENDPOINT"):
        ObjectStore(store_settings(object_store_endpoint=endpoint))


def test_a_region_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRegionError):
        ObjectStore(store_settings(object_store_region="eu/central"))


def test_calls_go_where_links_lead(no_keys: pytest.MonkeyPatch) -> None:
    no_keys.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    at = store_settings(object_store_access_key_id="id", object_store_secret_access_key="secret")
    assert s3_client(at, 1, 1).meta.endpoint_url == "https://s3.amazonaws.com"
