"""Commands on uploads."""

from __future__ import annotations

import hashlib

from pydantic import JsonValue, ValidationError

from shared.catalog.parameters import require_parameters
from shared.catalog.registry import current_versions, dataset_types
from shared.database import database
from shared.errors import Problem
from shared.http import invalid_request, parse_json
from shared.object_store import object_store
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT
from shared.queue.hints import send_hint
from shared.settings import settings
from shared.sign_in.auth import User
from shared.wire.uploads import PutLink, UploadAnswer, UploadRequest

# Slightly below the limit of API Gateway and Lambda (6 MiB), so that a larger body still gets this error.
MAX_BODY_BYTES = 6_000_000

_NOT_JSON = "Send JSON that describes the file, or send the file with ?filename=river.csv in the URL."


def parse_request(body: bytes | dict[str, JsonValue]) -> UploadRequest:
    """Validate an upload request, given as JSON or as a dict. Raises Problem."""
    if isinstance(body, dict):
        try:
            request = UploadRequest.model_validate(body)
        except ValidationError as error:
            raise invalid_request(error.errors(include_url=False)) from error
    else:
        request = parse_json(UploadRequest, body, _NOT_JSON)
    if request.size_bytes > settings().max_upload_bytes:
        raise Problem(
            413,
            "file_too_large",
            f"The file has {request.size_bytes} bytes; at most {settings().max_upload_bytes} are allowed.",
            "Split the file, for example by years or stations.",
        )
    if request.dataset_type is not None and request.dataset_type not in dataset_types():
        raise Problem(
            422,
            "unknown_dataset_type",
            f"There is no dataset type {request.dataset_type!r:.80}.",
            f"Choose one of: {', '.join(dataset_types())}; or omit it to detect the type.",
        )
    if request.dataset_type is not None:
        require_parameters(request.dataset_type, request.parameters)
    return request


def require_plain_body(content_type: str | None) -> None:
    """Raise Problem (415) for a form, because its envelope would be stored as data."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        detail = "The body is a form (multipart/form-data), not the file."
    elif media_type == "application/x-www-form-urlencoded":
        detail = "The body was sent as application/x-www-form-urlencoded. `curl -d` does this, and strips line ends."
    else:
        return
    raise Problem(
        415,
        "unsupported_media_type",
        detail,
        "Send the file's bytes as the body: `curl --data-binary @FILE -H 'Content-Type: application/octet-stream'`, "
        "or `body: file` in a browser.",
    )


def register(request: UploadRequest, user: User) -> UploadAnswer:
    """Return an earlier job for the upload, or a new job with a signed PUT link."""
    registered = _register(request, user)
    if registered.cached:
        return registered
    link = object_store().put_link(
        upload_key(user.owner, request.sha256), request.sha256, request.size_bytes, settings().upload_link_seconds
    )
    put = PutLink(url=link.url, headers=link.headers, expires_at=link.expires_at)
    return registered.model_copy(update={"put": put})


def store(body: bytes, query: dict[str, JsonValue], user: User) -> UploadAnswer:
    """Register the file in the request's body, and store it unless it is already stored."""
    if len(body) > MAX_BODY_BYTES:
        raise Problem(
            413,
            "body_too_large",
            f"The body has {len(body)} bytes; at most {MAX_BODY_BYTES} are allowed in one request.",
            "Send JSON with the file's size and SHA-256, then PUT the file to the signed link in the response.",
        )
    sha256 = hashlib.sha256(body).hexdigest()
    request = parse_request({**query, "size_bytes": len(body), "sha256": sha256})
    registered = _register(request, user)
    if not registered.cached:
        object_store().put_bytes(upload_key(user.owner, sha256), body)
    return registered


def _register(request: UploadRequest, user: User) -> UploadAnswer:
    answer = database().call(
        "register_upload",
        {
            "p_filename": request.filename,
            "p_size_bytes": request.size_bytes,
            "p_sha256": request.sha256,
            "p_dataset_type": request.dataset_type,
            "p_parameters": request.parameters,
            "p_on_duplicate": request.on_duplicate,
            "p_pipeline_versions": dict(current_versions()),
        },
        as_user=user,
    )
    registered = UploadAnswer.model_validate(answer)
    if registered.job.status == "queued":
        # The file is already stored, so no event of the object store will reach the worker.
        send_hint(RUN_HINT, may_be_lost=True)
    return registered
