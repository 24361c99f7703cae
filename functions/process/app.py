"""Handles SQS records (news and hints), each separately, and runs the sweep once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.process.upkeep.cleaner import clean_up
from functions.process.upkeep.outbox import tell_of_outbox
from functions.process.upkeep.sweeper import sweep
from functions.process.webhooks.deliveries import deliver
from functions.process.worker import arrivals as news
from functions.process.worker.attempt import Worker
from functions.process.worker.job import run_a_job
from shared.errors import Transient
from shared.queue import news_queue, queue
from shared.queue.events import CLEAN_UP_HINT, DELIVER_HINT, OUTBOX_HINT, RUN_HINT, objects_created
from shared.telemetry import logger, measure, metrics, tracer

_TELLING_SECONDS = 15
_OUTAGE_SECONDS = 60

# Hints for work that the sweep also does within a minute.
_SWEPT: dict[str, Callable[[], None]] = {OUTBOX_HINT: tell_of_outbox, CLEAN_UP_HINT: clean_up, DELIVER_HINT: deliver}

# Failures are reported per record, even if every record failed. The logger records why each one failed; without it the
# reason would be lost.
processor = BatchProcessor(
    event_type=EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' Logger has the methods of logging.Logger
)


def _record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    message = record.body
    try:
        if message in _SWEPT:
            _SWEPT[message]()
        elif message == RUN_HINT:
            run_a_job(_worker(lambda_context))
        else:
            for created in objects_created(message):
                news.take(created)
    except Transient:
        if message in _SWEPT:
            logger.warning("hint not followed", exc_info=True)
            return
        # A new message instead of a failed record: the dead-letter queue counts receives, which an outage must not
        # use up, and a failed record would return only after an hour and a half.
        logger.warning("message postponed", exc_info=True)
        (queue() if message == RUN_HINT else news_queue()).send([message], _OUTAGE_SECONDS)
        measure("MessagesPutOff")


def _worker(lambda_context: LambdaContext) -> Worker:
    seconds_left = lambda_context.get_remaining_time_in_millis() / 1000
    return Worker(
        f"{lambda_context.function_name}:{lambda_context.aws_request_id}",
        # The runtime gives the memory size as text.
        int(lambda_context.memory_limit_in_mb),
        # The rest of the time is for reporting how the attempt ended.
        deadline=time.monotonic() + seconds_left - min(_TELLING_SECONDS, seconds_left / 10),
    )


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, object], context: LambdaContext) -> PartialItemFailureResponse:
    """Process a batch from SQS and return the records to redeliver, or run the sweep for EventBridge's schedule."""
    if event.get("source") == "aws.events":
        sweep()
        return {"batchItemFailures": []}
    return process_partial_response(event=event, record_handler=_record, processor=processor, context=context)
