"""SQS records, each of which fails or succeeds on its own: S3 events and hints; and, once a minute, the sweep."""

from __future__ import annotations

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.process.attempt import Worker
from functions.process.outbox import tell_of_outbox
from functions.process.sweep import sweep
from functions.process.work import run_created
from shared.errors import Transient
from shared.events import OUTBOX_HINT, objects_created
from shared.queue import queue
from shared.telemetry import logger, measure, metrics, tracer

# A batch of which every record failed is answered record by record too, never as one error. With a logger it says why
# a record failed; without one nobody would ever know.
processor = BatchProcessor(
    event_type=EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' own Logger has all of logging.Logger but its type
)


def _record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    if record.body == OUTBOX_HINT:
        try:
            tell_of_outbox()
        except Transient:
            # The sweep looks within a minute; this message would come again after an hour and a half.
            logger.warning("hint not followed", exc_info=True)
        return
    # The runtime gives the memory's size as it stands in its environment: as text.
    worker = Worker(
        f"{lambda_context.function_name}:{lambda_context.aws_request_id}", int(lambda_context.memory_limit_in_mb)
    )
    for created in objects_created(record.body):
        delay = run_created(created, worker)
        if delay is not None:
            # A message of its own rather than a failed record: being early is no reason for the dead-letter queue,
            # which counts receives.
            queue().send_later(record.body, delay)
            measure("MessagesPutOff")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    """Process a batch from SQS and name the records that are to come again; or sweep, for EventBridge's schedule."""
    if event.get("source") == "aws.events":
        sweep()
        return {"batchItemFailures": []}
    return process_partial_response(event=event, record_handler=_record, processor=processor, context=context)
