"""The object store, over the S3 protocol: AWS S3, Supabase Storage's S3 endpoint, or the local one."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import AssayError, Problem, Transient, chain
from shared.object_store.keys import OUTPUTS
from shared.object_store.signed_links import LinkSigner
from shared.settings import Settings, settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_CHUNK_BYTES = 1024 * 1024
_DELETED_AT_ONCE = 1000  # S3's own limit


class ObjectMissing(AssayError):
    """The store has no object under the key."""


class ObjectsStay(Transient):
    """The store did not delete these objects. It deleted the others of the same request."""

    def __init__(self, keys: Sequence[str], requested: int) -> None:
        super().__init__(f"the object store did not delete {len(keys)} of {requested} objects")
        self.keys = frozenset(keys)


@dataclass(frozen=True)
class SignedLink:
    """A link that grants access until it expires. The request must send `headers` unchanged."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


class ObjectStore:
    """One bucket. Every method raises Transient if the store fails.

    S3 verifies the SHA-256 of a PUT. Supabase's endpoint ignores checksums, so none is sent; there the bucket's size
    limit applies, and the worker hashes every download.

    Links are signed locally. The client is created by the first method that calls the store.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.object_store_bucket
        self._checks_sha256 = settings.storage == "s3"
        self._signer = LinkSigner(settings)

    @cached_property
    def _client(self) -> S3Client:
        return _client(self._settings, read_seconds=30, attempts=3)

    def put_link(self, key: str, sha256: str, size_bytes: int, seconds: int) -> SignedLink:
        """Sign a PUT. On S3 it accepts exactly `size_bytes` bytes with this SHA-256 (hex); on Supabase, any bytes.

        The length is not signed for Supabase: a proxy in front of it may forward the body in chunks, without a length.
        """
        headers: dict[str, str] = {}
        signed: dict[str, str] = {}
        if self._checks_sha256:
            headers = {"x-amz-checksum-sha256": _base64(sha256)}
            signed = {**headers, "content-length": str(size_bytes)}
        url = self._signer.link("PUT", key, seconds, headers=signed, query={})
        return SignedLink(url, headers, datetime.now(UTC) + timedelta(seconds=seconds))

    def get_link(self, key: str, filename: str, media_type: str, seconds: int) -> SignedLink:
        """Sign a GET that saves the object under `filename`."""
        query = {"response-content-disposition": attachment(filename), "response-content-type": media_type}
        url = self._signer.link("GET", key, seconds, headers={}, query=query)
        return SignedLink(url, {}, datetime.now(UTC) + timedelta(seconds=seconds))

    def put_bytes(self, key: str, body: bytes) -> None:
        """Store the bytes of a request under a key, with timeouts shorter than Lambda's.

        Raises Problem (413) if they exceed the bucket's size limit.
        """
        request: PutObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key, "Body": body}
        if self._checks_sha256:
            request["ChecksumSHA256"] = _base64(hashlib.sha256(body).hexdigest())
        try:
            _client(self._settings, read_seconds=8, attempts=2).put_object(**request)
        except (BotoCoreError, ClientError) as error:
            if _is_too_large(error):
                raise self._too_large(len(body)) from error
            raise Transient("the object store did not accept the object") from error

    def put_file(self, key: str, path: Path, media_type: str) -> None:
        """Store a file under a key, in parts if it is large.

        Raises Problem (413) if it exceeds the bucket's size limit.
        """
        from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415  # imports boto3: see shared.aws_clients

        arguments = {"ContentType": media_type}
        if self._checks_sha256:
            arguments["ChecksumAlgorithm"] = "SHA256"
        try:
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs=arguments)
        except (BotoCoreError, ClientError, S3UploadFailedError) as error:
            if _is_too_large(error):
                raise self._too_large(path.stat().st_size) from error
            raise Transient("the object store did not accept the object") from error

    def download(self, key: str, path: Path, received: Callable[[int], None]) -> str:
        """Stream an object to a file and return the SHA-256 (hex) of the received bytes.

        `received` is called with the number of bytes so far; its exceptions pass through. Raises ObjectMissing.
        """
        digest = hashlib.sha256()
        count = 0
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            with path.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
                    digest.update(chunk)
                    count += len(chunk)
                    received(count)
        except ClientError as error:
            # Supabase sends an empty error code, so the HTTP status decides.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise ObjectMissing(key) from error
            raise Transient("the object store did not return the object") from error
        except BotoCoreError as error:
            raise Transient("the object store did not return the object") from error
        return digest.hexdigest()

    def has(self, key: str) -> bool:
        """Whether an object exists. Uses a list request, because the worker may list objects that it may not read."""
        with _answers("the object store did not list objects"):
            listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return [item["Key"] for item in listed.get("Contents", [])] == [key]

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects. A missing object counts as deleted. Raises ObjectsStay if some remain."""
        remaining: list[str] = []
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            batch = keys[start : start + _DELETED_AT_ONCE]
            with _answers("the object store did not delete objects"):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
                # Supabase reported an error for missing objects before https://github.com/supabase/storage/pull/1092.
                remaining += [error["Key"] for error in answer.get("Errors", []) if self.has(error["Key"])]
        if remaining:
            raise ObjectsStay(remaining, len(keys))

    def delete_prefix(self, prefix: str) -> int:
        """Delete all objects under a prefix and return how many.

        Raises ValueError if the prefix does not end in a slash, and what `delete` raises.
        """
        if not prefix.endswith("/"):
            raise ValueError(f"the prefix does not end in a slash: {prefix}")
        count = 0
        with _answers("the object store did not list objects"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [item["Key"] for item in page.get("Contents", [])]
                self.delete(keys)
                count += len(keys)
        return count

    def abort_uploads(self, begun_before: datetime) -> int:
        """Abort incomplete multipart uploads of outputs started before `begun_before`, and return how many."""
        count = 0
        with _answers("the object store did not abort uploads"):
            uploads = self._client.get_paginator("list_multipart_uploads")
            for page in uploads.paginate(Bucket=self._bucket, Prefix=OUTPUTS):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < begun_before:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        count += 1
        return count

    def _too_large(self, size_bytes: int) -> Problem:
        return Problem(
            413,
            "bucket_limit",
            f"The bucket {self._bucket!r} refused an object of {size_bytes} bytes: the bucket's size limit is lower.",
            "Raise the bucket's file size limit (on Supabase also the project's global limit), or send a smaller file.",
        )

    def ping(self) -> None:
        """Return when the bucket answers, within seconds."""
        try:
            _client(self._settings, read_seconds=3, attempts=1).head_bucket(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as error:
            raise Transient("the object store does not answer") from error


@contextmanager
def _answers(otherwise: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Transient(otherwise) from error


def _is_too_large(error: BaseException) -> bool:
    """Whether the store answered 413; boto3 wraps the answer where it uploads a file."""
    answers = (cause.response for cause in chain(error) if isinstance(cause, ClientError))
    return any(answer["ResponseMetadata"]["HTTPStatusCode"] == 413 for answer in answers)


def _client(store: Settings, read_seconds: int, attempts: int) -> S3Client:
    from shared.aws_clients import s3_client  # noqa: PLC0415  # imports boto3, which signing a link does not need

    return s3_client(store, read_seconds, attempts)


def attachment(filename: str) -> str:
    """Return the Content-Disposition that saves under any file name: RFC 6266, section 4.3."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", filename)
    disposition = f'attachment; filename="{plain}"'
    return disposition if plain == filename else f"{disposition}; filename*=UTF-8''{quote(filename, safe='')}"


def _base64(sha256_hex: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()


@lru_cache(maxsize=1)
def object_store() -> ObjectStore:
    """Return the configured object store. It connects on first use."""
    return ObjectStore(settings())
