"""Logs, metrics and traces: one of each, for every module of a function."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from shared.telemetry.log_format import LogFormat

# Most requests count nothing, which is nothing to warn of.
warnings.filterwarnings("ignore", "No application metrics to publish")
# At DEBUG it writes down the signature of every link and request.
logging.getLogger("botocore").setLevel(logging.INFO)

NAMESPACE = "Assay"

logger = Logger(service="assay", logger_formatter=LogFormat())
# Its one dimension is `service`, from POWERTOOLS_SERVICE_NAME: the stack's name, so that two stacks do not add up.
metrics = Metrics(namespace=NAMESPACE)
# What makes calls says itself that it is to be traced (shared.aws_clients): to patch a library imports it.
tracer = Tracer(service="assay", auto_patch=False)

MetricName = Literal[
    "UploadsRegistered",
    "UploadsCached",  # answered by an earlier job, nothing to send
    "JobsDone",
    "JobsFailed",  # for the file's fault, or for the service's own at the last attempt
    "JobsCancelled",
    "JobsExpired",
    "JobsAwaitingUpload",  # how many there are, once a minute, as are the next three
    "JobsQueued",
    "JobsRunning",
    "JobsNeedType",
    "DetectionsUnsure",  # attempts that ended because a person must choose the type
    "JobDuration",  # of the attempt that ended as done, from its claim on
    "UploadBytes",  # of jobs that are done, as are the next two
    "RowsRead",
    "JobCost",  # USD at list prices, all attempts; of jobs that are done, failed or cancelled
    "InternalErrors",  # attempts that ended for a fault of the service's own, or whose worker was lost
    "MessagesPutOff",  # sent anew with a delay, since the database or a queue did not answer
    "JobsRemoved",  # expired, with all that hung on them
    "ObjectsDeleted",
    "SweepStepsFailed",  # steps of the sweep that failed while the others were done
    "DownloadLinks",
    "WebhooksDelivered",
    "WebhooksFailed",  # deliveries that were given up
]
# What is not listed is a count. CloudWatch knows no currency.
_UNITS: dict[MetricName, MetricUnit] = {
    "JobDuration": MetricUnit.Milliseconds,
    "UploadBytes": MetricUnit.Bytes,
    "JobCost": MetricUnit.NoUnit,
}


def measure(name: MetricName, value: float = 1) -> None:
    """Add to a metric; `metrics.log_metrics` around the handler writes them all at its end."""
    metrics.add_metric(name, _UNITS.get(name, MetricUnit.Count), value)


def follow(job_id: UUID | str) -> None:
    """From here to the end of the request, name the job in every log line and in the trace.

    The job's id is the one name that HTTP, queue and worker share: a message need not carry it, since its object key
    leads to the job.
    """
    logger.set_correlation_id(str(job_id))
    tracer.put_annotation("job_id", str(job_id))


@contextmanager
def following(job_id: str) -> Iterator[None]:
    """Name the job in every log line and in a trace segment of its own, for as long as the block lasts."""
    with tracer.provider.in_subsegment("## job"):
        follow(job_id)
        try:
            yield
        finally:
            logger.remove_keys(["correlation_id"])
