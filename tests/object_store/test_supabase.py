"""What is asked of Supabase Storage: nothing that its S3 endpoint lacks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.contract import NAME
from shared.object_store import ObjectStore
from shared.object_store.keys import output_key, upload_key
from tests.object_store.endpoint import store_settings
from tests.supabase.storage import StorageFront
from tests.supabase.storage_http import ALLOWED_KEY, BUCKET, PREFIX, REGION

KEYS = {"object_store_access_key_id": "id", "object_store_secret_access_key": "secret"}
NAMES = st.from_regex(NAME, fullmatch=True)
SHA256 = st.binary().map(lambda data: hashlib.sha256(data).hexdigest())


@given(st.uuids(), SHA256)
def test_an_upload_s_key_has_only_characters_that_supabase_allows(owner: object, sha256: str) -> None:
    assert ALLOWED_KEY.fullmatch(upload_key(str(owner), sha256))


@given(st.uuids(), st.uuids(), st.integers(1, 2**31 - 1), NAMES)
@example(owner="o", job_id="j", attempt=3, name="a.b_c-D")
def test_an_output_s_key_has_only_characters_that_supabase_allows(
    owner: object, job_id: object, attempt: int, name: str
) -> None:
    key = output_key(str(owner), str(job_id), attempt, name)
    assert ALLOWED_KEY.fullmatch(key)
    assert len(key) <= 1024 - len(f"tenant/{BUCKET}//") - 36  # S3's own limit, with what Supabase puts around it


def test_no_request_carries_a_checksum_or_sends_its_body_in_chunks(
    storage_front: StorageFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever the machine's own settings say of checksums.
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
    store = ObjectStore(
        store_settings(
            storage="supabase",
            object_store_endpoint=storage_front.endpoint,
            object_store_region=REGION,
            object_store_access_key_id=storage_front.key[0],
            object_store_secret_access_key=storage_front.key[1],
        )
    )
    storage_front.seen.clear()
    store.put_bytes("outputs/one", b"bytes")
    path = tmp_path / "file"
    for size in (1, 9 * 1024 * 1024):
        path.write_bytes(b"\0" * size)
        store.put_file("outputs/two", path, "text/csv")
    store.download("outputs/two", tmp_path / "back", lambda _: None)
    store.ping()
    assert [seen.method for seen in storage_front.seen] == ["PUT", "PUT", "POST", "PUT", "PUT", "POST", "GET", "HEAD"]
    for seen in storage_front.seen:
        sent = {name for name in seen.headers if "checksum" in name or "trailer" in name or name.startswith("if-")}
        assert sent == set(), seen
        assert "checksum" not in seen.target.lower()
        assert not seen.headers["x-amz-content-sha256"].startswith("STREAMING")
        assert "aws-chunked" not in seen.headers.get("content-encoding", "")


def test_a_signed_put_signs_the_host_alone() -> None:
    """A proxy before Supabase may change any other header, the length as well."""
    at = store_settings(storage="supabase", supabase_url="https://ref.supabase.co/", object_store_region=REGION, **KEYS)
    link = ObjectStore(at).put_link("uploads/o/s", "0" * 64, 5, 60)
    url = urlsplit(link.url)
    assert (url.scheme, url.netloc, url.path) == ("https", "ref.supabase.co", f"{PREFIX}/{BUCKET}/uploads/o/s")
    query = parse_qs(url.query)
    assert query["X-Amz-SignedHeaders"] == ["host"]
    assert query["X-Amz-Credential"][0].split("/")[2:] == [REGION, "s3", "aws4_request"]
    assert link.headers == {}
    assert "checksum" not in url.query.lower()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"object_store_secret_access_key": None}, "OBJECT_STORE_SECRET_ACCESS_KEY"),
        ({"object_store_access_key_id": None}, "OBJECT_STORE_ACCESS_KEY_ID"),
        ({"object_store_bucket": "other"}, "OBJECT_STORE_BUCKET"),
    ],
)
def test_settings_with_which_nothing_would_arrive_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        store_settings(storage="supabase", **{**KEYS, **changes})
