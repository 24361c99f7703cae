"""The client of Assay's HTTP API."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from assay.client.account_models import Account, AccountExport, Remaining, RememberedColumnsList
from assay.client.files import CHUNK_BYTES, Advance, LocalFile, safe_name
from assay.client.models import (
    DatasetTypes,
    DownloadLink,
    Job,
    JobPage,
    JobWithAttempts,
    Output,
    OutputList,
    PutLink,
    UploadAnswer,
)
from assay.client.refusals import Refused, refused, service_refused, store_refused, unreachable

ENDED = frozenset({"needs_type", "done", "failed", "cancelled", "expired"})
"""Statuses that a job leaves only on a user's request."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_PATIENCE_SECONDS = 30.0
# A prefix of an id is matched against this many of the latest jobs (ten requests).
_PREFIX_JOBS = 1000
_CANDIDATES = 5

M = TypeVar("M", bound=BaseModel)


class Client:
    """A client of the Assay at `url`, signed in with `token`. Every method raises Refused on an error.

    The requests that `assay run` makes are retried for half a minute if the service cannot be reached or answers 503;
    `notify` is called before the first retry.
    """

    def __init__(self, url: str, token: str, notify: Callable[[str], None] = lambda _reason: None) -> None:
        try:
            httpx.URL(url)
            urlsplit(url)
        except (httpx.InvalidURL, ValueError) as error:
            detail = f"{url} is not a URL: {error}."
            raise refused(400, "invalid_url", "Bad Request", detail, "Correct --url or ASSAY_URL.") from error
        if not (token.isascii() and token.isprintable()):
            detail = "The token contains invalid characters."
            raise refused(401, "invalid_token", "Unauthorized", detail, "Copy --token or ASSAY_TOKEN again.")
        self.url = url.rstrip("/")
        self._notify = notify
        # A proxy cannot reach the user's own machine.
        loopback = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=10), trust_env=not loopback)
        # Sent to the API only: the object store's links are signed and need no token.
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
        """Register a file. Returns the job, and where to send the file if it is not stored yet."""
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
        """Send the file to the object store."""
        headers = {**put.headers, "content-length": str(file.size_bytes)}
        try:
            answer = self._http.put(put.url, content=file.chunks(advance), headers=headers)
        except httpx.RequestError as error:
            raise unreachable("the object store", error) from error
        if not answer.is_success:
            raise store_refused(answer)

    def wait(self, job_id: UUID, on_state: Callable[[Job], None] = lambda _job: None) -> Job:
        """Poll the job with increasing pauses until it has ended; `on_state` is called with every state."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                job = self._ask(JobWithAttempts, "GET", f"/jobs/{job_id}", patient=True)
            except Refused as error:
                additions = {
                    "detail": f"{error.problem.detail} Job {job_id} may continue.",
                    "suggestion": f"{error.problem.suggestion} Then check the job: assay show {job_id}",
                }
                raise Refused(error.problem.model_copy(update=additions)) from error
            on_state(job)
            if job.status in ENDED:
                return job
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE_SECONDS, pause * 1.2)

    def job(self, job_id: UUID) -> JobWithAttempts:
        """Return one job with its attempts."""
        return self._ask(JobWithAttempts, "GET", f"/jobs/{job_id}")

    def jobs(self, status: str | None = None, limit: int = 20) -> list[Job]:
        """Return the latest jobs, newest first."""
        jobs: list[Job] = []
        query: dict[str, str] = {} if status is None else {"status": status}
        while len(jobs) < limit:
            page = self._ask(JobPage, "GET", "/jobs", params={**query, "limit": str(min(100, limit - len(jobs)))})
            jobs += page.jobs
            if page.next_cursor is None:
                break
            query["cursor"] = page.next_cursor
        return jobs

    def job_id(self, prefix: str) -> UUID:
        """Return the job id with this prefix of hex digits.

        Raises Refused unless exactly one of the latest jobs matches.
        """
        if len(prefix) == 32:
            return UUID(prefix)
        jobs = self.jobs(limit=_PREFIX_JOBS)
        matching = [job for job in jobs if job.job_id.hex.startswith(prefix)]
        if len(matching) == 1:
            return matching[0].job_id
        if not matching:
            detail = f"None of your {len(jobs)} latest jobs has an id that starts with {prefix}."
            raise refused(
                404, "no_such_job", "Not Found", detail, "Use the full id; `assay jobs` lists the latest jobs."
            )
        names = ", ".join(f"{job.job_id} ({job.filename})" for job in matching[:_CANDIDATES])
        rest = f" and {len(matching) - _CANDIDATES} more" if len(matching) > _CANDIDATES else ""
        detail = f"{len(matching)} jobs have an id that starts with {prefix}: {names}{rest}."
        raise refused(409, "ambiguous_job", "Conflict", detail, "Use more digits of the id.")

    def cancel(self, job_id: UUID) -> Job:
        """Cancel a job, or ask a running one to stop."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/cancel")

    def retry(self, job_id: UUID) -> Job:
        """Retry a failed or cancelled job."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/retry")

    def reprocess(self, job_id: UUID) -> Job:
        """Process the file of a job again. Return the new job."""
        return self._ask(Job, "POST", f"/jobs/{job_id}/reprocess")

    def choose_type(
        self,
        job_id: UUID,
        dataset_type: str,
        parameters: Mapping[str, JsonValue] | None = None,
        columns: Mapping[str, str | None] | None = None,
    ) -> Job:
        """Choose a job's dataset type. The job runs again with it, and keeps its parameters if none are given.

        `columns` replace those among the parameters.
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
        """Return the dataset types."""
        return self._ask(DatasetTypes, "GET", "/dataset-types")

    def delete(self, job_id: UUID) -> None:
        """Delete a job with its outputs, whatever its status."""
        self._send("DELETE", f"/jobs/{job_id}")

    def outputs(self, job_id: UUID) -> list[Output]:
        """Return a job's outputs."""
        return self._ask(OutputList, "GET", f"/jobs/{job_id}/outputs", patient=True).outputs

    def link(self, output: Output) -> DownloadLink:
        """Return a signed link to an output."""
        path = f"/outputs/{output.output_id}/download"
        return self._ask(DownloadLink, "GET", path, headers={"accept": "application/json"}, patient=True)

    def save(self, output: Output, link: DownloadLink, folder: Path) -> Path:
        """Download an output into a folder, verify its SHA-256, and return its path."""
        path = folder / safe_name(output)
        self.fetch(link, output.sha256, path)
        return path

    def fetch(self, link: DownloadLink, sha256: str, path: Path) -> None:
        """Download a file. It appears at `path` only when it is complete and its SHA-256 (hex) is verified."""
        digest = hashlib.sha256()
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file, self._http.stream("GET", link.url) as answer:
                if not answer.is_success:
                    answer.read()
                    if answer.status_code == 404:
                        detail = f"{path.name} is listed, but it is no longer in the object store."
                        suggestion = "Create it again: assay run FILE --on-duplicate reprocess"
                        raise refused(404, "file_missing", "Not Found", detail, suggestion)
                    raise store_refused(answer)
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                detail = f"The downloaded {path.name} has the SHA-256 {digest.hexdigest()}, not {sha256}."
                raise refused(502, "wrong_hash", "Bad Gateway", detail, "Download it again.")
            part.replace(path)
        except httpx.RequestError as error:
            raise unreachable("the object store", error) from error
        finally:
            part.unlink(missing_ok=True)

    def account(self) -> Account:
        """Return the account: plan and usage."""
        return self._ask(Account, "GET", "/me", patient=True)

    def export_page(self, cursor: str | None) -> AccountExport:
        """Return a page of the account's export: the first page, or the page of a cursor."""
        params = {} if cursor is None else {"cursor": cursor}
        return self._ask(AccountExport, "GET", "/me/export", params=params, patient=True)

    def delete_account(self) -> int:
        """Delete the account's data, as much as one request can. Return how many items are left."""
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
            request = f"{answer.request.method} {answer.request.url.path}"
            detail = f"{self.url} answered {request} with a response that is not Assay's."
            raise refused(502, "unexpected_answer", "Bad Gateway", detail, "Check that the URL is Assay's.") from error

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
                    self._notify(f"{error.problem.detail} Retrying for {_PATIENCE_SECONDS:.0f} seconds.")
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
