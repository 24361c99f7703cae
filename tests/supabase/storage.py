"""Supabase Storage's S3 endpoint, as near to the real one as this machine allows: a front before MiniStack's S3.

What it does and leaves out follows storage-api's own code (github.com/supabase/storage, src/storage/protocols/s3 and
src/storage/uploader.ts): signatures are verified; checksum headers and If-None-Match pass unread; errors have an empty
code; before an upload an INSERT is tried and rolled back, after it the object's row is inserted or updated, with a new
version under which the bytes lie. Webhooks wait in a list, for the test to deliver or to lose.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import psycopg
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from psycopg.types.json import Jsonb

from local.ministack.ministack import MiniStack
from tests.supabase.storage_http import BUCKET, PREFIX, REGION, Refused, Seen, StorageHandler

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_BEHIND = "supabase-storage"  # MiniStack's own bucket, which notifies nobody
_UPSERT = """
insert into storage.objects (bucket_id, name, version, metadata) values (%s, %s, %s, %s)
on conflict (bucket_id, name) do update
set version = excluded.version, metadata = excluded.metadata, updated_at = now(), last_accessed_at = now()
returning id, xmax <> 0
"""


@dataclass
class _Multipart:
    key: str
    version: str
    media_type: str
    begun_at: datetime
    size: int = 0
    parts: dict[int, str] = field(default_factory=dict)


class StorageFront:
    """One project's storage, from `start` to `stop`; `key` is its S3 access key, `webhooks` what pg_net would send."""

    def __init__(self, ministack: MiniStack, superuser_url: str) -> None:
        self.key = ("supabase-" + uuid4().hex, uuid4().hex)
        self.seen: list[Seen] = []
        self.webhooks: list[bytes] = []
        self._superuser_url = superuser_url
        self._s3 = ministack.s3()
        self._multiparts: dict[str, _Multipart] = {}
        front = self

        class Handler(StorageHandler):
            storage = front

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}{PREFIX}"

    def start(self, file_size_limit: int = 50 * 1024 * 1024) -> None:
        """Serve; the project has the bucket `assay`."""
        if _BEHIND not in {bucket["Name"] for bucket in self._s3.list_buckets()["Buckets"]}:
            self._s3.create_bucket(Bucket=_BEHIND)
        with self._as("supabase_storage_admin") as connection:
            connection.execute(
                "insert into storage.buckets (id, name, file_size_limit) values (%s, %s, %s)"
                " on conflict (id) do update set file_size_limit = excluded.file_size_limit",
                (BUCKET, BUCKET, file_size_limit),
            )
        self._thread.start()

    def stop(self) -> None:
        """Serve no longer."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextmanager
    def _as(self, role: str = "service_role") -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """One transaction; as service_role, as storage-api does for whoever holds the project's S3 access key."""
        with psycopg.connect(self._superuser_url) as connection, connection.transaction():
            connection.execute(f"set local role {role}")
            yield connection

    def probe(self, key: str) -> None:
        """Try the INSERT and roll it back, as storage-api does to learn whether row level security lets it."""
        with self._as() as connection:
            connection.execute(_UPSERT, (BUCKET, key, "1", None))
            raise psycopg.Rollback

    def _complete(self, key: str, version: str, size: int, media_type: str) -> None:
        metadata = {"size": size, "mimetype": media_type, "contentLength": size, "httpStatusCode": 200}
        with self._as() as connection:
            row = connection.execute(_UPSERT, (BUCKET, key, version, Jsonb(metadata))).fetchone()
        assert row is not None
        record = {"id": str(row[0]), "bucket_id": BUCKET, "name": key, "version": version, "metadata": metadata}
        event = {"type": "UPDATE" if row[1] else "INSERT", "table": "objects", "schema": "storage", "record": record}
        self.webhooks.append(json.dumps(event).encode())

    def _find(self, table: str, column: str, key: str) -> object:
        with self._as() as connection:
            row = connection.execute(f"select {column} from storage.{table} where name = %s", (key,)).fetchone()
        if row is None:
            raise Refused(404, "Object not found" if table == "objects" else "Bucket not found")
        return row[0]

    def put(self, key: str, body: bytes, media_type: str) -> str:
        """PutObject; return the ETag."""
        self.probe(key)
        self._check_size(len(body))
        version = str(uuid4())
        stored = self._s3.put_object(Bucket=_BEHIND, Key=f"{key}/{version}", Body=body, ContentType=media_type)
        self._complete(key, version, len(body), media_type)
        return stored["ETag"]

    def _check_size(self, size: int) -> None:
        limit = self._find("buckets", "file_size_limit", BUCKET)
        if isinstance(limit, int) and size > limit:
            raise Refused(413, "The object exceeded the maximum allowed size")

    def create_multipart(self, key: str, media_type: str) -> str:
        """CreateMultipartUpload; return the upload's id."""
        self.probe(key)
        version = str(uuid4())
        made = self._s3.create_multipart_upload(Bucket=_BEHIND, Key=f"{key}/{version}", ContentType=media_type)
        self._multiparts[made["UploadId"]] = _Multipart(key, version, media_type, datetime.now(UTC))
        return made["UploadId"]

    def _multipart(self, upload_id: str, key: str) -> _Multipart:
        multipart = self._multiparts.get(upload_id)
        if multipart is None or multipart.key != key:
            raise Refused(404, "Upload not found")
        return multipart

    def put_part(self, upload_id: str, key: str, number: int, body: bytes) -> str:
        """UploadPart; return the ETag."""
        multipart = self._multipart(upload_id, key)
        self.probe(key)
        self._check_size(multipart.size + len(body))
        multipart.size += len(body)
        part = self._s3.upload_part(
            Bucket=_BEHIND, Key=f"{key}/{multipart.version}", UploadId=upload_id, PartNumber=number, Body=body
        )
        multipart.parts[number] = part["ETag"]
        return part["ETag"]

    def complete_multipart(self, upload_id: str, key: str) -> str:
        """CompleteMultipartUpload; return the ETag."""
        multipart = self._multipart(upload_id, key)
        self.probe(key)
        where = f"{key}/{multipart.version}"
        parts: list[CompletedPartTypeDef] = [
            {"PartNumber": number, "ETag": etag} for number, etag in sorted(multipart.parts.items())
        ]
        self._s3.complete_multipart_upload(
            Bucket=_BEHIND, Key=where, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )
        stored = self._s3.head_object(Bucket=_BEHIND, Key=where)
        self._complete(key, multipart.version, stored["ContentLength"], multipart.media_type)
        del self._multiparts[upload_id]
        return stored["ETag"]

    def abort_multipart(self, upload_id: str, key: str) -> None:
        """AbortMultipartUpload."""
        multipart = self._multipart(upload_id, key)
        self._s3.abort_multipart_upload(Bucket=_BEHIND, Key=f"{key}/{multipart.version}", UploadId=upload_id)
        del self._multiparts[upload_id]

    def multiparts(self, prefix: str) -> list[tuple[str, str, datetime]]:
        """ListMultipartUploads: key, id and beginning of each that is neither complete nor aborted."""
        found = self._multiparts.items()
        return [(one.key, upload_id, one.begun_at) for upload_id, one in found if one.key.startswith(prefix)]

    def names(self, prefix: str, after: str, limit: int) -> list[str]:
        """ListObjectsV2: keys that begin so, in their order."""
        with self._as() as connection:
            rows = connection.execute(
                "select name from storage.objects where bucket_id = %s and starts_with(name, %s)"
                ' and name collate "C" > %s order by name collate "C" limit %s',
                (BUCKET, prefix, after, limit),
            ).fetchall()
        return [str(name) for (name,) in rows]

    def delete(self, keys: list[str]) -> list[str]:
        """DeleteObjects; return the keys that were there."""
        with self._as() as connection:
            rows = connection.execute(
                "delete from storage.objects where bucket_id = %s and name = any (%s) returning name, version",
                (BUCKET, keys),
            ).fetchall()
        for name, version in rows:
            self._s3.delete_object(Bucket=_BEHIND, Key=f"{name}/{version}")
        return [str(name) for name, _ in rows]

    def get(self, key: str) -> tuple[bytes, str]:
        """GetObject: the bytes under the row's version, and their media type."""
        stored = self._s3.get_object(Bucket=_BEHIND, Key=f"{key}/{self._find('objects', 'version', key)}")
        return stored["Body"].read(), stored["ContentType"]

    def has_bucket(self, bucket: str) -> None:
        """HeadBucket."""
        self._find("buckets", "id", bucket)

    def verify(self, seen: Seen) -> None:
        """Verify the signature (SigV4, in the query or in the header) over the address and headers as they came."""
        url = urlsplit(seen.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if "X-Amz-Signature" in query:
            given = {name.removeprefix("X-Amz-"): value for name, value in query.items()}
            auth: Callable[..., S3SigV4Auth | S3SigV4QueryAuth] = S3SigV4QueryAuth
            signed_at = datetime.strptime(given["Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if signed_at + timedelta(seconds=int(given["Expires"])) < datetime.now(UTC):
                raise Refused(400, "The provided token has expired.")
        else:
            header = seen.headers.get("authorization", "").removeprefix("AWS4-HMAC-SHA256 ")
            given = dict(part.strip().split("=", 1) for part in header.split(",") if "=" in part)
            given["Date"] = seen.headers.get("x-amz-date", "")
            auth = S3SigV4Auth
        if given.get("Credential", "").split("/")[0] != self.key[0]:
            raise Refused(403, "Invalid Access Key")
        unsigned = "&".join(part for part in url.query.split("&") if not part.startswith("X-Amz-Signature="))
        signed = {name: seen.headers[name] for name in given["SignedHeaders"].split(";") if name in seen.headers}
        request = AWSRequest(seen.method, f"http://{seen.headers['host']}{url.path}?{unsigned}", signed)
        request.context["timestamp"] = given["Date"]
        signer = auth(Credentials(*self.key), "s3", REGION)
        right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if not hmac.compare_digest(right, given["Signature"]):
            raise Refused(403, "The request signature we calculated does not match the signature you provided.")
