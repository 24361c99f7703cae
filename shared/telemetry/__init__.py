"""The logger, metrics and tracer that every module uses."""

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

# Most requests record no metric.
warnings.filterwarnings("ignore", "No application metrics to publish")
# At DEBUG, botocore logs the signature of every link and request.
logging.getLogger("botocore").setLevel(logging.INFO)

NAMESPACE = "Assay"

logger = Logger(service="assay", logger_formatter=LogFormat())
# Its only dimension is `service`, from POWERTOOLS_SERVICE_NAME: the stack's name, which keeps stacks apart.
metrics = Metrics(namespace=NAMESPACE)
# Modules that make calls patch their library themselves (shared.aws_clients), because patching imports it.
tracer = Tracer(service="assay", auto_patch=False)

MetricName = Literal[
    "UploadsRegistered",
    "UploadsCached",  # answered by an earlier job, nothing to send
    "JobsDone",
    "JobsFailed",  # through a fault of the file, or of the service at the last attempt
    "JobsCancelled",
    "JobsExpired",
    "JobsAwaitingUpload",  # current number, once a minute, like the next three
    "JobsQueued",
    "JobsRunning",
    "JobsNeedType",
    "DetectionsUnsure",  # attempts that ended because the type must be chosen
    "JobDuration",  # of the successful attempt, from its claim
    "UploadBytes",  # of done jobs, like the next two
    "RowsRead",
    "JobCost",  # USD at list prices, all attempts; of done, failed and cancelled jobs
    "InternalErrors",  # attempts that ended through a fault of the service, or whose worker was lost
    "MessagesPutOff",  # sent again with a delay, because the database or a queue did not answer
    "JobsRemoved",  # expired jobs, with their outputs
    "ObjectsDeleted",
    "SweepStepsFailed",  # failed steps of the sweep
    "DownloadLinks",
    "WebhooksDelivered",
    "WebhooksFailed",  # deliveries given up
]
# Metrics not listed here are counts. CloudWatch has no unit for currency.
_UNITS: dict[MetricName, MetricUnit] = {
    "JobDuration": MetricUnit.Milliseconds,
    "UploadBytes": MetricUnit.Bytes,
    "JobCost": MetricUnit.NoUnit,
}


def measure(name: MetricName, value: float = 1) -> None:
    """Record a metric; `metrics.log_metrics` around the handler writes them when it returns."""
    metrics.add_metric(name, _UNITS.get(name, MetricUnit.Count), value)


def follow(job_id: UUID | str) -> None:
    """Add the job's id to every following log line of the request and to the trace.

    HTTP, queue and worker share the job's id. A message need not contain it, because its object key leads to the job.
    """
    logger.set_correlation_id(str(job_id))
    tracer.put_annotation("job_id", str(job_id))


@contextmanager
def following(job_id: str) -> Iterator[None]:
    """Add the job's id to every log line of the block, and trace the block as a segment."""
    with tracer.provider.in_subsegment("## job"):
        follow(job_id)
        try:
            yield
        finally:
            logger.remove_keys(["correlation_id"])
