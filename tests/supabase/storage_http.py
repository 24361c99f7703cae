"""The HTTP of Supabase Storage's S3 endpoint: which call is which, and what it answers (see storage.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from tests.supabase.storage import StorageFront

PREFIX = "/storage/v1/s3"
REGION = "eu-central-1"
BUCKET = "assay"
# github.com/supabase/storage, src/storage/limits.ts, isValidKey; in JavaScript \w is ASCII.
ALLOWED_KEY = re.compile(r"(\w|/|!|-|\.|\*|'|\(|\)| |&|\$|@|=|;|:|\+|,|\?)+", re.ASCII)
# As fastify, which storage-api is built on, tells a media type from what is none.
_MEDIA_TYPE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+[ \t]*(;.*)?", re.ASCII)
_XML = re.compile(r"(application|text)/xml[ \t]*(;.*)?")
_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Seen:
    """One request, as it came."""

    method: str
    target: str
    headers: dict[str, str]


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class StorageHandler(BaseHTTPRequestHandler):
    """Answers one connection of the front `storage`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    storage: StorageFront

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        self.storage.seen.append(seen)
        try:
            _check_media_type(seen, body)
            self.storage.verify(seen)
            self._route(seen, body)
        except Refused as refused:
            text = f"<Error><Resource>{escape(self.path)}</Resource><Code></Code><Message>{refused}</Message></Error>"
            self._answer(refused.status, text.encode(), {"content-type": "application/xml; charset=utf-8"})

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815  # http.server's names

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come; boto3 asks, and waits for a second."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def do_OPTIONS(self) -> None:  # http.server's name
        """Answer as the gateway before every project's storage does, whatever the origin."""
        allowed = self.headers.get("access-control-request-headers", "")
        methods = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS"
        headers = {"access-control-allow-methods": methods, "access-control-allow-headers": allowed}
        self._answer(200, b"", {"access-control-allow-origin": "*", **headers})

    def _route(self, seen: Seen, body: bytes) -> None:
        url = urlsplit(seen.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        bucket, _, key = unquote(url.path).removeprefix(f"{PREFIX}/").partition("/")
        media_type = seen.headers.get("content-type", "application/octet-stream")
        if media_type.startswith("multipart/form-data"):
            raise Refused(400, "Multipart form data not supported")
        if bucket != BUCKET or not key:
            self.storage.has_bucket(bucket)
            self._route_bucket(seen.method, query, media_type, body)
        elif not ALLOWED_KEY.fullmatch(key):
            raise Refused(400, "Invalid key")
        elif seen.headers.get("x-amz-content-sha256", "").startswith("STREAMING"):
            raise Refused(400, "this front reads no aws-chunked bodies")
        elif seen.method == "GET":
            found, media_type = self.storage.get(key)
            headers = {"content-type": query.get("response-content-type", media_type)}
            if disposition := query.get("response-content-disposition"):
                headers["content-disposition"] = disposition
            self._answer(200, found, headers)
        elif seen.method == "PUT" and "uploadId" in query:
            etag = self.storage.put_part(query["uploadId"], key, int(query["partNumber"]), body)
            self._answer(200, b"", {"etag": etag})
        elif seen.method == "PUT":
            self._answer(200, b"", {"etag": self.storage.put(key, body, media_type)})
        elif seen.method == "POST" and "uploads" in query:
            self._answer_xml("InitiateMultipartUploadResult", UploadId=self.storage.create_multipart(key, media_type))
        elif seen.method == "POST" and "uploadId" in query:
            self._answer_xml(
                "CompleteMultipartUploadResult", ETag=self.storage.complete_multipart(query["uploadId"], key)
            )
        elif seen.method == "DELETE" and "uploadId" in query:
            self.storage.abort_multipart(query["uploadId"], key)
            self._answer(200, b"", {})
        else:
            raise Refused(501, "this front knows no such call")

    def _route_bucket(self, method: str, query: dict[str, str], media_type: str, body: bytes) -> None:
        prefix = query.get("prefix", "")
        if method == "HEAD":
            self._answer(200, b"", {"x-amz-bucket-region": REGION})
        elif method == "GET" and query.get("list-type") == "2":
            limit = int(query.get("max-keys", "1000"))
            names = self.storage.names(prefix, query.get("continuation-token", ""), limit + 1)
            more = {"NextContinuationToken": names[limit - 1]} if len(names) > limit else {}
            contents = [xml("Contents", Key=name) for name in names[:limit]]
            self._answer_xml("ListBucketResult", *contents, IsTruncated=str(bool(more)).lower(), **more)
        elif method == "GET" and "uploads" in query:
            uploads = [
                xml("Upload", Key=key, UploadId=upload_id, Initiated=begun_at.isoformat())
                for key, upload_id, begun_at in self.storage.multiparts(prefix)
            ]
            self._answer_xml("ListMultipartUploadsResult", *uploads, IsTruncated="false")
        elif method == "POST" and "delete" in query:
            if not _XML.fullmatch(media_type):
                raise Refused(400, "must have required property 'Body'")  # what is not XML is dropped unread
            keys = [str(found.text) for found in ET.fromstring(body).iter(f"{_S3}Key")]  # noqa: S314  # boto3's own
            gone = self.storage.delete(keys)
            # As it was before github.com/supabase/storage/pull/1092, which is the harder case.
            refused = [xml("Error", Key=key, Code="AccessDenied") for key in keys if key not in gone]
            self._answer_xml("DeleteResult", *(xml("Deleted", Key=key) for key in gone), *refused)
        else:
            raise Refused(501, "this front knows no such call")

    def _answer_xml(self, name: str, *inner: str, **values: str) -> None:
        self._answer(200, xml(name, *inner, **values).encode(), {"content-type": "application/xml; charset=utf-8"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass


def _check_media_type(seen: Seen, body: bytes) -> None:
    """Refuse a body whose type is none; storage-api does so before it looks at the signature."""
    media_type = seen.headers.get("content-type")
    if body and media_type is not None and not _MEDIA_TYPE.fullmatch(media_type):
        raise Refused(415, "Unsupported Media Type")


def xml(name: str, *inner: str, **values: str) -> str:
    """Return one element with these elements and values in it."""
    texts = "".join(f"<{tag}>{escape(value)}</{tag}>" for tag, value in values.items())
    return f"<{name}>{texts}{''.join(inner)}</{name}>"
