"""The object store by the S3 protocol: AWS S3, Supabase Storage's S3 endpoint and the local one alike."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import AssayError, Transient
from shared.settings import Settings, settings
from shared.signed_links import LinkSigner

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_CHUNK_BYTES = 1024 * 1024


class ObjectMissing(AssayError):
    """The store has no object under the key."""


@dataclass(frozen=True)
class SignedLink:
    """A link that carries its own permission until it expires; `headers` must be sent with it as they are."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


def upload_key(owner: UUID | str, sha256: str) -> str:
    """Key of an upload: `uploads/{owner}/{sha256}`."""
    return f"uploads/{owner}/{sha256}"


def output_key(owner: str, job_id: str, attempt: int, name: str) -> str:
    """Key of an output: `outputs/{owner}/{job}/{attempt}/{name}`, as finish_job computes it."""
    return f"outputs/{owner}/{job_id}/{attempt}/{name}"


class ObjectStore:
    """One bucket. Every method raises Transient when the store does not answer as it should.

    S3 holds a PUT to the SHA-256 that it names. Supabase's endpoint lets checksums pass unread, so it is sent none;
    behind it stand the bucket's size limit and the worker, which hashes all that it downloads.

    Links are signed at once; a client is made by the first method that talks with the store.
    """

    def __init__(self, at: Settings) -> None:
        self._at = at
        self._bucket = at.object_store_bucket
        self._checks_sha256 = at.storage == "s3"
        self._signer = LinkSigner(at)

    @cached_property
    def _client(self) -> S3Client:
        return _client(self._at, read_seconds=30, attempts=3)

    def put_link(self, key: str, sha256: str, size_bytes: int, seconds: int) -> SignedLink:
        """Sign a PUT: on S3 of exactly so many bytes with this SHA-256 (hex), on Supabase of any.

        The length is not signed for Supabase either: a proxy before it may send the body on in chunks, without one.
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
        query = {
            "response-content-disposition": f'attachment; filename="{filename}"',
            "response-content-type": media_type,
        }
        url = self._signer.link("GET", key, seconds, headers={}, query=query)
        return SignedLink(url, {}, datetime.now(UTC) + timedelta(seconds=seconds))

    def put_bytes(self, key: str, body: bytes) -> None:
        """Store bytes under a key: those of one request, which must be answered before Lambda ends it."""
        request: PutObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key, "Body": body}
        if self._checks_sha256:
            request["ChecksumSHA256"] = _base64(hashlib.sha256(body).hexdigest())
        try:
            _client(self._at, read_seconds=8, attempts=2).put_object(**request)
        except (BotoCoreError, ClientError) as error:
            raise Transient("the object store did not take the object") from error

    def put_file(self, key: str, path: Path, media_type: str) -> None:
        """Store a file under a key, in parts where it is large."""
        from boto3.exceptions import S3UploadFailedError  # noqa: PLC0415  # with it comes boto3: see shared.aws_clients

        arguments = {"ContentType": media_type}
        if self._checks_sha256:
            arguments["ChecksumAlgorithm"] = "SHA256"
        try:
            self._client.upload_file(str(path), self._bucket, key, ExtraArgs=arguments)
        except (BotoCoreError, ClientError, S3UploadFailedError) as error:
            raise Transient("the object store did not take the object") from error

    def download(self, key: str, path: Path, received: Callable[[int], None]) -> str:
        """Stream an object to a file and return the SHA-256 (hex) of what came.

        `received` is called with the number of bytes so far; what it raises passes through. Raises ObjectMissing.
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
            raise Transient("the object store did not give the object") from error
        except BotoCoreError as error:
            raise Transient("the object store did not give the object") from error
        return digest.hexdigest()

    def ping(self) -> None:
        """Return when the bucket answers, within seconds."""
        try:
            _client(self._at, read_seconds=3, attempts=1).head_bucket(Bucket=self._bucket)
        except (BotoCoreError, ClientError) as error:
            raise Transient("the object store does not answer") from error


def _client(at: Settings, read_seconds: int, attempts: int) -> S3Client:
    from shared.aws_clients import s3_client  # noqa: PLC0415  # with it comes boto3, which no link needs

    return s3_client(at, read_seconds, attempts)


def _base64(sha256_hex: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256_hex)).decode()


@lru_cache(maxsize=1)
def object_store() -> ObjectStore:
    """Return the object store that the settings name; it connects at the first use."""
    return ObjectStore(settings())
