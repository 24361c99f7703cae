"""Runs a job, from claim to end: download, detect, run, store, finish."""

from __future__ import annotations

import errno
import math
import random
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, JsonValue

from assay.contract import Source, Sources
from assay.errors import Unprocessable
from functions.process.sandbox.endings import internal_error, out_of_space
from functions.process.sandbox.failures import AttemptFailed
from functions.process.sandbox.messages import Finished, NeedsType, Request
from functions.process.sandbox.parent import Sandbox, limits_for
from functions.process.webhooks.deliveries import hint_at_deliveries
from functions.process.worker.attempt import Attempt, Claim, Worker, claim
from shared.catalog.registry import pipelines
from shared.errors import JobCancelled, Problem, StaleAttempt, Transient
from shared.object_store import ObjectMissing, object_store
from shared.object_store.keys import output_key, outputs_prefix
from shared.queue.events import RUN_HINT
from shared.queue.hints import send_hint
from shared.settings import settings
from shared.telemetry import MetricName, following, logger, measure
from shared.wire.jobs import Cost

_MAX_RETRY_SECONDS = 300

# Shares of the progress bar.
_DOWNLOADED = 0.2
_ANALYSED = 0.85


class _Detection(BaseModel):
    dataset_type: str | None


def run_a_job(worker: Worker) -> None:
    """Run one attempt at the next job, if any is due, and send a hint for the work after it.

    Raises Transient if the database or the queue does not answer.
    """
    claimed = claim(worker, settings().lease_seconds)
    if claimed is None:
        logger.info("no job is due")
        return
    with following(claimed.job.job_id):
        attempt = Attempt(claimed, settings().lease_seconds, worker.deadline)
        _run(attempt, worker)
    hint_at_deliveries(claimed.owner)
    if attempt.more:
        # The hint for that job may already be used up, because the owner had no free slot.
        send_hint(RUN_HINT)


def _run(attempt: Attempt, worker: Worker) -> None:
    """Run the attempt and record how it ends."""
    claimed = attempt.claim
    logger.info("attempt started", attempt=claimed.attempt)
    try:
        with tempfile.TemporaryDirectory(prefix="assay-") as folder, attempt:
            _run_attempt(attempt, Path(folder), worker)
    except StaleAttempt:
        logger.warning("attempt is stale", attempt=claimed.attempt)
        _delete_outputs(claimed)
    except JobCancelled:
        attempt.fail("cancelled", "The job was cancelled.", "Run it with POST /jobs/{job_id}/retry.", None)
        logger.info("job cancelled")
        count_ending("JobsCancelled", attempt.cost)
    except Unprocessable as error:
        attempt.fail(error.code, error.detail, error.suggestion, None)
        logger.info("job failed", code=error.code)
        count_ending("JobsFailed", attempt.cost)
    except Exception as error:  # noqa: BLE001  # after any error, the job is retried or fails visibly
        delay = _retry_delay(claimed.attempt)
        failure = _failure(error)
        suggestion = "Try again with POST /jobs/{job_id}/retry; if it fails again, report the job's id."
        status = attempt.fail(failure.code, failure.detail, suggestion, delay)
        measure("InternalErrors")
        if status == "failed":
            count_ending("JobsFailed", attempt.cost)
        logger.exception("attempt failed", attempt=claimed.attempt, status=status)
        if status == "queued":
            # One second more than the delay, because two clocks measure it.
            send_hint(RUN_HINT, after_seconds=delay + 1)


def _retry_delay(attempt: int) -> int:
    """Return the seconds until the next attempt: a random part of 30, 60, 120 and so on, up to 300.

    The method is "full jitter" (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). `attempt`
    counts all attempts of the job, so a job that its user retried may wait longer.
    """
    longest = min(settings().retry_base_seconds * 2 ** (attempt - 1), _MAX_RETRY_SECONDS)
    return math.ceil(random.uniform(0, longest))  # noqa: S311  # no secret


def _delete_outputs(claimed: Claim) -> None:
    """Delete the outputs of a stale attempt. What remains is recorded in the database for the clean-up."""
    try:
        object_store().delete_prefix(outputs_prefix(claimed.owner, claimed.job.job_id, claimed.attempt))
    except Transient:
        logger.warning("outputs of a stale attempt not deleted", exc_info=True)


def _failure(error: Exception) -> AttemptFailed:
    """Return the job error for a failure that is not the file's."""
    if isinstance(error, AttemptFailed):
        return error
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return out_of_space()
    return internal_error()


def count_ending(ending: MetricName, cost: Cost | None) -> None:
    """Record the metrics of an ended job."""
    measure(ending)
    if cost is not None:
        measure("JobCost", cost.total)


def _run_attempt(attempt: Attempt, folder: Path, worker: Worker) -> None:
    started = time.monotonic()
    job = attempt.claim.job
    outputs = folder / "outputs"
    outputs.mkdir()
    with Sandbox(folder, limits_for(worker.memory_mb, worker.deadline)) as sandbox:
        source = _download(attempt, folder / "upload")
        result = sandbox.analyse(
            Request(
                sources=Sources((source,)),
                requested_dataset_type=job.requested_dataset_type,
                parameters=job.parameters,
                remembered_columns=attempt.claim.remembered_columns,
                outputs=outputs,
            ),
            lambda fraction, stage: attempt.progress(_DOWNLOADED + (_ANALYSED - _DOWNLOADED) * fraction, stage),
            lambda detection: attempt.detected(detection, _max_attempts(detection)),
            attempt.check,
        )
    if isinstance(result, NeedsType):
        attempt.await_type(result.detection)
        logger.info("job needs a dataset type")
        measure("DetectionsUnsure")
        return
    _store(attempt, result, outputs)
    logger.info("job done", attempt=attempt.claim.attempt, outputs=len(result.outputs))
    count_ending("JobsDone", attempt.cost)
    measure("JobDuration", round((time.monotonic() - started) * 1000))
    measure("UploadBytes", source.size_bytes)
    if (rows := result.summary.counts.get("rows")) is not None:
        measure("RowsRead", rows.read)


def _max_attempts(detection: JsonValue) -> int | None:
    """Return the maximum number of attempts for the detected type; None if no type was decided."""
    dataset_type = _Detection.model_validate(detection).dataset_type
    return next((info.max_attempts for info in pipelines() if info.dataset_type == dataset_type), None)


def _download(attempt: Attempt, path: Path) -> Source:
    job = attempt.claim.job
    attempt.progress(0.0, "downloading")

    def received(count: int) -> None:
        if count > job.size_bytes:
            raise _wrong_size(f"More than the declared {job.size_bytes} bytes arrived.")
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
            f"The received file has the SHA-256 {sha256}, not {job.sha256} as declared.",
            "Upload the file again. If it changed, register it with its new SHA-256.",
        )
    size_bytes = path.stat().st_size
    if size_bytes != job.size_bytes:
        raise _wrong_size(f"{size_bytes} bytes arrived, not {job.size_bytes} as declared.")
    return Source(path=path, filename=job.filename, sha256=sha256, size_bytes=size_bytes)


def _wrong_size(detail: str) -> Unprocessable:
    return Unprocessable("size_mismatch", detail, "Register the file with its correct size, and upload it again.")


def _store(attempt: Attempt, finished: Finished, folder: Path) -> None:
    claimed: Claim = attempt.claim
    for position, output in enumerate(finished.outputs):
        share = _ANALYSED + (1 - _ANALYSED) * position / len(finished.outputs)
        attempt.progress(share, "storing outputs")
        key = output_key(claimed.owner, claimed.job.job_id, claimed.attempt, output.name)
        try:
            object_store().put_file(key, folder / output.name, output.media_type)
        except Problem as error:  # the bucket would refuse it again
            raise Unprocessable(error.code, error.detail, error.suggestion) from error
    summary = finished.summary
    attempt.finish(
        {
            "p_dataset_type": finished.dataset_type,
            "p_pipeline": finished.pipeline,
            "p_pipeline_version": finished.pipeline_version,
            "p_summary": {
                "counts": {noun: asdict(count) for noun, count in summary.counts.items()},
                **summary.figures,
            },
            "p_manifest_sha256": finished.manifest_sha256,
            "p_outputs": [output.model_dump() for output in finished.outputs],
        }
    )
