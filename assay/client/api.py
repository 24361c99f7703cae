"""A client of Assay's HTTP API, here or anywhere."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from assay.client.models import (
    Account,
    AccountExport,
    DatasetTypes,
    DownloadLink,
    Job,
    JobPage,
    JobWithAttempts,
    Output,
    OutputList,
    PutLink,
    RememberedColumnsList,
    Remaining,
    UploadAnswer,
)
from assay.client.refusals import Refused, refused, service_refused, store_refused, unreachable
from assay.contract import NAME

ENDED = frozenset({"needs_type", "done", "failed", "cancelled", "expired"})
"""Statuses that a job does not leave by itself."""

_CHUNK = 1024 * 1024
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_PATIENCE_SECONDS = 30.0
# A prefix is looked for among so many of the latest jobs: ten requests.
_PREFIX_JOBS = 1000
_CANDIDATES = 5

M = TypeVar("M", bound=BaseModel)
# Called with how many bytes more are done.
Advance = Callable[[int], None]


def safe_name(output: Output) -> str:
    """Return the name of an output, which leads to no other folder. Raises Refused for one that could."""
    if not re.fullmatch(NAME, output.name):
        detail = f"The service gave an output the name {output.name!r}, which is not safe to save under."
        raise refused(502, "unsafe_output_name", "Bad Gateway", detail, "Tell whoever runs this service.")
    return output.name


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine, by what Assay knows a file by."""

    path: Path
    sha256: str
    size_bytes: int

    @classmethod
    def read(cls, path: Path, advance: Advance = lambda _bytes: None) -> Self:
        """Hash a file. Raises OSError, and Refused for a name that cannot be sent."""
        try:
            path.name.encode()
        except UnicodeEncodeError:
            detail = f"The file's name is not UTF-8: {path.name.encode('utf-8', 'backslashreplace').decode()}."
            raise refused(422, "filename_not_utf8", "Unprocessable Content", detail, "Rename the file.") from None
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                advance(len(chunk))
        return cls(path, digest.hexdigest(), size)

    def chunks(self, advance: Advance) -> Iterator[bytes]:
        """Read the bytes again, to be sent. Raises Refused if they are not as many as before."""
        left = self.size_bytes
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
                advance(len(chunk))
        if left:
            detail = f"{self.path.name} changed while it was read."
            raise refused(409, "file_changed", "Conflict", detail, "Send it again when nothing writes to it.")


class Client:
    """Speaks to the Assay at `url` as the user of `token`. Every method raises Refused with the reason.

    What `run` needs is asked again for half a minute when the service cannot be reached or has no time (503); `notify`
    is told at the first time.
    """

    def __init__(self, url: str, token: str, notify: Callable[[str], None] = lambda _reason: None) -> None:
        try:
            httpx.URL(url)
            urlsplit(url)
        except (httpx.InvalidURL, ValueError) as error:
            detail = f"{url} is not a URL: {error}."
            raise refused(400, "invalid_url", "Bad Request", detail, "Correct --url or ASSAY_URL.") from error
        if not (token.isascii() and token.isprintable()):
            detail = "The token has characters that no token has."
            raise refused(401, "invalid_token", "Unauthorized", detail, "Copy --token or ASSAY_TOKEN again.")
        self.url = url.rstrip("/")
        self._notify = notify
        # A proxy of the user's cannot reach his own machine.
        loopback = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=10), trust_env=not loopback)
        # For the API alone: the object store gets no token, since its links are signed.
        self._authorization = {"authorization": f"Bearer {token}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def register(
        self,
        file: LocalFile,
        dataset_type: str | None,
        parameters: Mapping[str, JsonValue],
        on_duplicate: Literal["reuse", "reprocess"],
    ) -> UploadAnswer:
        """Tell of a file; the answer is the job, and where to send the bytes if they are not there."""
        body: dict[str, JsonValue] = {
            "filename": file.path.name,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "parameters": dict(parameters),
            "on_duplicate": on_duplicate,
        }
        if dataset_type is not None:
            body["dataset_type"] = dataset_type
        return self._ask(UploadAnswer, "POST", "/uploads", json=body, patient=True)

    def send(self, file: LocalFile, put: PutLink, advance: Advance = lambda _bytes: None) -> None:
        """Send the bytes to the object store."""
        headers = {**put.headers, "content-length": str(file.size_bytes)}
        try:
            answer = self._http.put(put.url, content=file.chunks(advance), headers=headers)
        except httpx.RequestError as error:
            raise unreachable("the object store", error) from error
        if not answer.is_success:
            raise store_refused(answer)

    def wait(self, job_id: UUID, seen: Callable[[Job], None] = lambda _job: None) -> Job:
        """Ask for the job until it has ended, more and more seldom; `seen` gets every state on the way."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                job = self._ask(JobWithAttempts, "GET", f"/jobs/{job_id}", patient=True)
            except Refused as error:
                more = {
                    "detail": f"{error.problem.detail} Job {job_id} may go on all the same.",
                    "suggestion": f"{error.problem.suggestion} Then look at it: assay show {job_id}",
                }
                raise Refused(error.problem.model_copy(update=more)) from error
            seen(job)
            if job.status in ENDED:
                return job
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.2)

    def job(self, job_id: UUID) -> JobWithAttempts:
        """Return one job with its attempts."""
        return self._ask(JobWithAttempts, "GET", f"/jobs/{job_id}")

    def jobs(self, status: str | None = None, limit: int = 20) -> list[Job]:
        """Return the latest jobs, newest first."""
        found: list[Job] = []
        query: dict[str, str] = {} if status is None else {"status": status}
        while len(found) < limit:
            page = self._ask(JobPage, "GET", "/jobs", params={**query, "limit": str(min(100, limit - len(found)))})
            found += page.jobs
            if page.next_cursor is None:
                break
            query["cursor"] = page.next_cursor
        return found

    def job_id(self, prefix: str) -> UUID:
        """Return the id that begins with these hex digits. Raises Refused unless just one of the latest jobs has it."""
        if len(prefix) == 32:
            return UUID(prefix)
        jobs = self.jobs(limit=_PREFIX_JOBS)
        matching = [job for job in jobs if job.job_id.hex.startswith(prefix)]
        if len(matching) == 1:
            return matching[0].job_id
        if not matching:
            detail = f"None of your {len(jobs)} latest jobs has an id that begins with {prefix}."
            raise refused(404, "no_such_job", "Not Found", detail, "Give the whole id; `assay jobs` lists the latest.")
        names = ", ".join(f"{job.job_id} ({job.filename})" for job in matching[:_CANDIDATES])
        rest = f" and {len(matching) - _CANDIDATES} more" if len(matching) > _CANDIDATES else ""
        detail = f"{len(matching)} jobs have an id that begins with {prefix}: {names}{rest}."
        raise refused(409, "ambiguous_job", "Conflict", detail, "Give more digits of the id.")

    def cancel(self, job_id: UUID) -> Job:
        """Cancel a job, or ask a running one to stop."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/cancel")

    def retry(self, job_id: UUID) -> Job:
        """Have a failed or cancelled job tried again."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/retry")

    def reprocess(self, job_id: UUID) -> Job:
        """Have the file of a job processed anew; return the job that does so."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/reprocess")

    def choose_type(
        self,
        job_id: UUID,
        dataset_type: str,
        parameters: Mapping[str, JsonValue] | None = None,
        columns: Mapping[str, str | None] | None = None,
    ) -> Job:
        """Say what the file of a job is; it runs again as that, with its own parameters if none are given.

        `columns` take the place of those among the parameters.
        """
        body: dict[str, JsonValue] = {"dataset_type": dataset_type}
        if parameters is not None:
            body["parameters"] = dict(parameters)
        if columns is not None:
            body["columns"] = dict(columns)
        return self._ask(Job, "PATCH", f"/jobs/{job_id}", json=body)

    def remembered_columns(self) -> RememberedColumnsList:
        """List the columns that were confirmed, and that later files with the same header are read with."""
        return self._ask(RememberedColumnsList, "GET", "/columns")

    def forget_columns(self, choice_id: UUID) -> None:
        """Forget columns; jobs that have begun keep theirs."""
        self._send("DELETE", f"/columns/{choice_id}")

    def dataset_types(self) -> DatasetTypes:
        """Return what a file may be."""
        return self._ask(DatasetTypes, "GET", "/dataset-types")

    def delete(self, job_id: UUID) -> None:
        """Delete a job with its outputs, whatever its status."""
        self._send("DELETE", f"/jobs/{job_id}")

    def outputs(self, job_id: UUID) -> list[Output]:
        """Return what a job produced."""
        return self._ask(OutputList, "GET", f"/jobs/{job_id}/outputs", patient=True).outputs

    def link(self, output: Output) -> DownloadLink:
        """Return a signed link to an output."""
        path = f"/outputs/{output.output_id}/download"
        return self._ask(DownloadLink, "GET", path, headers={"accept": "application/json"}, patient=True)

    def save(self, output: Output, link: DownloadLink, folder: Path) -> Path:
        """Download an output into the folder under its own name, once its SHA-256 is found right; return its path."""
        path = folder / safe_name(output)
        self.fetch(link, output.sha256, path)
        return path

    def fetch(self, link: DownloadLink, sha256: str, path: Path) -> None:
        """Download a file; it is there only once it is whole and its SHA-256 (hex) is found right."""
        digest = hashlib.sha256()
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file, self._http.stream("GET", link.url) as answer:
                if not answer.is_success:
                    answer.read()
                    if answer.status_code == 404:
                        detail = f"{path.name} is listed, but its bytes are gone from the object store."
                        suggestion = "Make it again: assay run FILE --on-duplicate reprocess"
                        raise refused(404, "file_missing", "Not Found", detail, suggestion)
                    raise store_refused(answer)
                for chunk in answer.iter_bytes(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                detail = f"{path.name} arrived with the SHA-256 {digest.hexdigest()}, not {sha256}."
                raise refused(502, "wrong_hash", "Bad Gateway", detail, "Download it again.")
            part.replace(path)
        except httpx.RequestError as error:
            raise unreachable("the object store", error) from error
        finally:
            part.unlink(missing_ok=True)

    def account(self) -> Account:
        """Return the plan, and what is used of it."""
        return self._ask(Account, "GET", "/me", patient=True)

    def export_page(self, cursor: str | None) -> AccountExport:
        """Return a page of all that the account has, the first one or the one behind a cursor."""
        params = {} if cursor is None else {"cursor": cursor}
        return self._ask(AccountExport, "GET", "/me/export", params=params, patient=True)

    def delete_account(self) -> int:
        """Delete what the account has, or as much of it as one request can; return how much is left."""
        answer = self._send("DELETE", "/me", patient=True)
        return 0 if answer.status_code == 204 else self._read(Remaining, answer).left

    def _ask(
        self,
        model: type[M],
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> M:
        return self._read(model, self._send(method, path, json=json, params=params, headers=headers, patient=patient))

    def _read(self, model: type[M], answer: httpx.Response) -> M:
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as error:
            asked = f"{answer.request.method} {answer.request.url.path}"
            detail = f"{self.url} answered {asked} with something else than Assay does."
            raise refused(502, "unexpected_answer", "Bad Gateway", detail, "Is the address Assay's?") from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> httpx.Response:
        request = self._http.build_request(
            method, self.url + path, json=json, params=params, headers={**self._authorization, **(headers or {})}
        )
        pause, deadline = _FIRST_PAUSE_SECONDS, time.monotonic() + (_PATIENCE_SECONDS if patient else 0)
        while True:
            try:
                return self._answer(request)
            except Refused as error:
                if error.problem.status != 503 or time.monotonic() + pause > deadline:
                    raise
                if pause == _FIRST_PAUSE_SECONDS:
                    self._notify(f"{error.problem.detail} Trying again for {_PATIENCE_SECONDS:.0f} seconds.")
            time.sleep(pause)
            pause *= 2

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            answer = self._http.send(request)
        except httpx.RequestError as error:
            raise unreachable(self.url, error) from error
        if not answer.is_success:
            raise service_refused(answer)
        return answer
