"""What Assay needs of an S3 endpoint, asked of each that it may be given."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from shared.errors import Transient
from shared.object_store import ObjectMissing, ObjectStore, SignedLink
from tests.object_store.endpoint import Endpoint

BYTES = b"Station_ID,Date_Time,PCode,Result\nCT,2024-01-01,Data 1,1.411\n"
OTHER = BYTES.replace(b"1.411", b"1.412")
SHA256 = hashlib.sha256(BYTES).hexdigest()
# More than the 8 MB from which on boto3 sends parts, and no multiple of their size.
MANY_BYTES = hashlib.shake_256(b"assay").digest(9 * 1024 * 1024 + 1)


def signed_put(endpoint: Endpoint, key: str, body: bytes = BYTES) -> SignedLink:
    return endpoint.store.put_link(key, hashlib.sha256(body).hexdigest(), len(body), 3600)


def put(endpoint: Endpoint, link: SignedLink, body: bytes = BYTES) -> httpx.Response:
    return endpoint.http.put(link.url, content=body, headers=link.headers)


def download(endpoint: Endpoint, key: str, folder: Path) -> tuple[bytes, str]:
    """The bytes, and the SHA-256 that was computed on the way."""
    path = folder / "downloaded"
    sha256 = endpoint.store.download(key, path, lambda _: None)
    return path.read_bytes(), sha256


def test_a_signed_put_with_the_headers_that_it_names_stores_the_bytes(endpoint: Endpoint, tmp_path: Path) -> None:
    key = endpoint.new_key(SHA256)
    answer = put(endpoint, signed_put(endpoint, key))
    assert answer.status_code == 200, answer.text
    assert download(endpoint, key, tmp_path) == (BYTES, SHA256)


def test_a_signed_put_names_the_checksum_where_the_store_checks_it(endpoint: Endpoint) -> None:
    headers = signed_put(endpoint, endpoint.new_key(SHA256)).headers
    assert set(headers) == ({"x-amz-checksum-sha256"} if endpoint.checks_sha256 else set())


@pytest.mark.parametrize("wrong", [OTHER, BYTES + b"\n", b""])
def test_other_bytes_than_announced_are_refused_where_the_store_checks_them(
    endpoint: Endpoint, tmp_path: Path, wrong: bytes
) -> None:
    key = endpoint.new_key(SHA256)
    answer = put(endpoint, signed_put(endpoint, key), wrong)
    if endpoint.checks_sha256:
        assert answer.status_code in {400, 403}
        with pytest.raises(ObjectMissing):
            download(endpoint, key, tmp_path)
    else:
        assert answer.status_code == 200, answer.text
        assert download(endpoint, key, tmp_path)[1] != SHA256  # which the worker sees


def test_a_put_without_the_checksum_that_was_signed_is_refused(endpoint: Endpoint, tmp_path: Path) -> None:
    key = endpoint.new_key(SHA256)
    link = signed_put(endpoint, key)
    answer = put(endpoint, SignedLink(link.url, {}, link.expires_at))
    assert answer.status_code == (403 if endpoint.checks_sha256 else 200)


def altered(url: str) -> str:
    start, _, signature = url.partition("X-Amz-Signature=")
    return f"{start}X-Amz-Signature={'1' if signature[0] == '0' else '0'}{signature[1:]}"


def for_another_object(url: str) -> str:
    return url.replace(SHA256, "0" * 64)


def for_longer(url: str) -> str:
    return url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")


def unsigned(url: str) -> str:
    return url.partition("?")[0]


@pytest.mark.parametrize("change", [altered, for_another_object, for_longer, unsigned])
def test_a_link_that_was_changed_is_refused(endpoint: Endpoint, tmp_path: Path, change: Callable[[str], str]) -> None:
    key = endpoint.new_key(SHA256)
    link = signed_put(endpoint, key)
    assert put(endpoint, SignedLink(change(link.url), link.headers, link.expires_at)).status_code == 403
    with pytest.raises(ObjectMissing):
        download(endpoint, key, tmp_path)
    endpoint.store.put_bytes(key, BYTES)
    get = endpoint.store.get_link(key, "a.csv", "text/csv", 3600)
    assert endpoint.http.get(change(get.url)).status_code == 403


def test_an_expired_link_is_refused(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = endpoint.new_key(SHA256)
    with monkeypatch.context() as clock:
        two_hours_ago = datetime.now(UTC) - timedelta(hours=2)
        clock.setattr("botocore.auth.get_current_datetime", lambda: two_hours_ago)
        link = signed_put(endpoint, key)
    assert put(endpoint, link).status_code in {400, 403}  # Supabase says 400
    with pytest.raises(ObjectMissing):
        download(endpoint, key, tmp_path)


def test_a_signed_get_saves_the_object_under_its_name_and_type(endpoint: Endpoint) -> None:
    key = endpoint.new_key(SHA256)
    endpoint.store.put_bytes(key, BYTES)
    answer = endpoint.http.get(endpoint.store.get_link(key, "CT_Analysis.csv", "text/csv", 3600).url)
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["content-disposition"] == 'attachment; filename="CT_Analysis.csv"'
    assert answer.headers["content-type"] == "text/csv"


def test_a_large_file_goes_in_parts_and_comes_back_the_same(endpoint: Endpoint, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(MANY_BYTES).hexdigest()
    key, source, target = endpoint.new_key(sha256), tmp_path / "large.parquet", tmp_path / "back"
    source.write_bytes(MANY_BYTES)
    endpoint.store.put_file(key, source, "application/vnd.apache.parquet")
    counts: list[int] = []
    assert endpoint.store.download(key, target, counts.append) == sha256
    assert target.read_bytes() == MANY_BYTES
    assert counts == sorted(counts)
    assert counts[-1] == len(MANY_BYTES)


def test_a_small_file_goes_in_one_piece(endpoint: Endpoint, tmp_path: Path) -> None:
    key, source = endpoint.new_key(SHA256), tmp_path / "small.csv"
    source.write_bytes(BYTES)
    endpoint.store.put_file(key, source, "text/csv")
    assert download(endpoint, key, tmp_path) == (BYTES, SHA256)


def test_a_second_put_takes_the_place_of_the_first(endpoint: Endpoint, tmp_path: Path) -> None:
    key = endpoint.new_key(SHA256)
    endpoint.store.put_bytes(key, OTHER)
    link = signed_put(endpoint, key)
    assert [put(endpoint, link).status_code for _ in range(2)] == [200, 200]
    assert download(endpoint, key, tmp_path) == (BYTES, SHA256)


def test_what_stops_a_download_passes_through(endpoint: Endpoint, tmp_path: Path) -> None:
    key = endpoint.new_key(SHA256)
    endpoint.store.put_bytes(key, BYTES)

    def too_much(_count: int) -> None:
        raise OverflowError

    with pytest.raises(OverflowError):
        endpoint.store.download(key, tmp_path / "file", too_much)


def test_an_object_that_is_not_there_is_missing(endpoint: Endpoint, tmp_path: Path) -> None:
    key = endpoint.new_key(SHA256)
    with pytest.raises(ObjectMissing):
        download(endpoint, key, tmp_path)
    assert endpoint.http.get(endpoint.store.get_link(key, "a.csv", "text/csv", 60).url).status_code == 404


def test_the_bucket_answers_a_ping_and_one_that_is_not_there_does_not(endpoint: Endpoint) -> None:
    endpoint.store.ping()
    with pytest.raises(Transient):
        ObjectStore(endpoint.at.model_copy(update={"object_store_bucket": "assay-no-such-bucket"})).ping()


def test_a_wrong_key_is_no_missing_object(endpoint: Endpoint, tmp_path: Path) -> None:
    wrong = store_with(endpoint, object_store_secret_access_key="wrong", object_store_access_key_id="wrong")
    with pytest.raises(Transient):
        wrong.download(endpoint.new_key(SHA256), tmp_path / "file", lambda _: None)


def store_with(endpoint: Endpoint, **changes: str) -> ObjectStore:
    return ObjectStore(type(endpoint.at).model_validate({**endpoint.at.model_dump(), **changes}))


def test_a_page_of_ours_may_put_and_get(endpoint: Endpoint) -> None:
    if endpoint.origin is None:
        pytest.skip("ASSAY_TEST_S3_ORIGIN names no web origin that this endpoint lets in")
    link = signed_put(endpoint, endpoint.new_key(SHA256))
    asked = {"origin": endpoint.origin, "access-control-request-method": "PUT"}
    if link.headers:
        asked["access-control-request-headers"] = ",".join(link.headers)
    answer = endpoint.http.options(link.url, headers=asked)
    assert answer.status_code in {200, 204}
    assert answer.headers["access-control-allow-origin"] in {"*", endpoint.origin}
    assert "PUT" in answer.headers["access-control-allow-methods"]
    for name in link.headers:
        assert answer.headers["access-control-allow-headers"].lower() in {name, "*"}
