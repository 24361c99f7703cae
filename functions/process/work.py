"""One new object to finished jobs: claim, download, detect, run, store, finish."""

from __future__ import annotations

import errno
import tempfile
import time
from pathlib import Path

from pydantic import BaseModel, JsonValue

from functions.process.analysis import Analysis, NeedsType, analyse
from functions.process.attempt import Attempt, Claim, Refusal, Worker, claim
from functions.process.pipelines.contract import Source
from shared.database import database
from shared.errors import AssayError, JobCancelled, StaleAttempt, Unprocessable
from shared.events import ObjectCreated
from shared.models import Cost
from shared.object_store import ObjectMissing, object_store, output_key
from shared.settings import settings
from shared.telemetry import MetricName, following, logger, measure

_MAX_RETRY_SECONDS = 300

# Shares of the progress bar.
_DOWNLOADED = 0.2
_ANALYSED = 0.85


class UnknownUpload(AssayError):
    """No upload is registered under the object's key, or its row is not visible yet."""


class _Created(BaseModel):
    known: bool
    jobs: list[str]


def run_created(created: ObjectCreated, worker: Worker) -> int | None:
    """Run every job that waits for the object.

    Returns the seconds after which a job wants another look (its retry is due, or another attempt's lease ends), or
    None when nothing is left to do. Raises UnknownUpload.
    """
    found = _Created.model_validate(database().call("object_created", {"p_key": created.key}, as_user=None))
    if not found.known:
        raise UnknownUpload(created.key)
    delays = []
    for job_id in found.jobs:
        with following(job_id):
            delay = _run_job(job_id, worker)
        if delay is not None:
            delays.append(delay)
    return min(delays, default=None)


def _run_job(job_id: str, worker: Worker) -> int | None:
    """Run one attempt; return the seconds after which the job wants another look, if it does."""
    claimed = claim(job_id, worker, settings().lease_seconds)
    if isinstance(claimed, Refusal):
        logger.info("job not claimed", reason=claimed.reason)
        return claimed.retry_after_seconds
    attempt = Attempt(claimed, settings().lease_seconds)
    logger.info("attempt started", attempt=claimed.attempt)
    try:
        with tempfile.TemporaryDirectory(prefix="assay-") as folder, attempt:
            _run_attempt(attempt, Path(folder))
    except StaleAttempt:
        logger.warning("attempt is stale", attempt=claimed.attempt)
    except JobCancelled:
        attempt.fail("cancelled", "The job was cancelled.", "Upload the file again to run it.", None)
        logger.info("job cancelled")
        count_ending("JobsCancelled", attempt.cost)
    except Unprocessable as error:
        attempt.fail(error.code, error.detail, error.suggestion, None)
        logger.info("job failed", code=error.code)
        count_ending("JobsFailed", attempt.cost)
    except Exception as error:  # noqa: BLE001  # whatever it was, the job is tried again or fails visibly
        delay = min(settings().retry_base_seconds * 2 ** (claimed.attempt - 1), _MAX_RETRY_SECONDS)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            code, detail = "out_of_space", "The disk of the worker was full while it processed the file."
        else:
            code, detail = "internal_error", "The service met an error of its own while it processed the file."
        suggestion = 'Upload the file again with on_duplicate "reprocess"; if it fails again, report the job\'s id.'
        status = attempt.fail(code, detail, suggestion, delay)
        measure("InternalErrors")
        if status == "failed":
            count_ending("JobsFailed", attempt.cost)
        logger.exception("attempt failed", attempt=claimed.attempt, status=status)
        return delay if status == "queued" else None
    return None


def count_ending(ending: MetricName, cost: Cost | None) -> None:
    """Count a job that has ended, and what it cost."""
    measure(ending)
    if cost is not None:
        measure("JobCost", cost.total)


def _run_attempt(attempt: Attempt, folder: Path) -> None:
    started = time.monotonic()
    source = _download(attempt, folder / "upload")
    job = attempt.claim.job
    outputs = folder / "outputs"
    outputs.mkdir()
    analysis = analyse(
        source,
        job.requested_dataset_type,
        job.parameters,
        outputs,
        lambda fraction, stage: attempt.progress(_DOWNLOADED + (_ANALYSED - _DOWNLOADED) * fraction, stage),
        lambda detection: attempt.detected(detection.model_dump(mode="json")),
    )
    if isinstance(analysis, NeedsType):
        attempt.await_type(analysis.detection.model_dump(mode="json"))
        logger.info("job needs a dataset type")
        measure("DetectionsUnsure")
        return
    _store(attempt, analysis)
    logger.info("job done", attempt=attempt.claim.attempt, outputs=len(analysis.outputs))
    count_ending("JobsDone", attempt.cost)
    measure("JobDuration", round((time.monotonic() - started) * 1000))
    measure("UploadBytes", source.size_bytes)
    measure("RowsRead", analysis.summary.rows_read)


def _download(attempt: Attempt, path: Path) -> Source:
    job = attempt.claim.job
    attempt.progress(0.0, "downloading")

    def received(count: int) -> None:
        if count > job.size_bytes:
            raise _wrong_size(f"More than the {job.size_bytes} announced bytes arrived.")
        attempt.progress(count / job.size_bytes * _DOWNLOADED, "downloading")

    try:
        sha256 = object_store().download(attempt.claim.object_key, path, received)
    except ObjectMissing as error:
        raise Unprocessable(
            "object_missing", "The uploaded file is no longer in the object store.", "Upload the file again."
        ) from error
    if sha256 != job.sha256:
        raise Unprocessable(
            "hash_mismatch",
            f"The bytes that arrived have the SHA-256 {sha256}, not {job.sha256} as announced.",
            "Upload the file again; if it changed since it was announced, announce its new SHA-256.",
        )
    size_bytes = path.stat().st_size
    if size_bytes != job.size_bytes:
        raise _wrong_size(f"{size_bytes} bytes arrived, not {job.size_bytes} as announced.")
    return Source(path=path, filename=job.filename, sha256=sha256, size_bytes=size_bytes)


def _wrong_size(detail: str) -> Unprocessable:
    return Unprocessable("size_mismatch", detail, "Upload the file again and announce its true size.")


def _store(attempt: Attempt, analysis: Analysis) -> None:
    claimed: Claim = attempt.claim
    stored: list[JsonValue] = []
    for position, output in enumerate(analysis.outputs):
        share = _ANALYSED + (1 - _ANALYSED) * position / len(analysis.outputs)
        attempt.progress(share, "storing outputs")
        key = output_key(claimed.owner, claimed.job.job_id, claimed.attempt, output.name)
        object_store().put_file(key, output.path, output.media_type)
        stored.append(
            {
                "name": output.name,
                "media_type": output.media_type,
                "size_bytes": output.size_bytes,
                "sha256": output.sha256(),
            }
        )
    summary = analysis.summary
    attempt.finish(
        {
            "p_dataset_type": analysis.dataset_type,
            "p_pipeline": analysis.pipeline,
            "p_pipeline_version": analysis.pipeline_version,
            "p_summary": {
                "rows_read": summary.rows_read,
                "rows_used": summary.rows_used,
                "rows_refused": summary.rows_refused,
                **summary.figures,
            },
            "p_manifest_sha256": analysis.manifest_sha256,
            "p_outputs": stored,
        }
    )
