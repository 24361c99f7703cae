"""Replaces Lambda's event source mappings: reads the queues, calls functions/process, deletes processed messages.

Also replaces EventBridge: starts the sweep once a minute.

`python -m local.aws.poller` runs until SIGTERM. It is a separate process, so that work on a file does not block the
API, and so that killing it during a job has the same effect as the end of a Lambda instance.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from botocore.config import Config

from local.aws.lambda_context import LambdaContext
from local.aws.template import Consumer, Handler, Template
from local.ministack.ministack import REGION
from shared.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

# A message ends the wait immediately. MiniStack cannot stop during the wait, so it is shorter than the usual 20.
_WAIT_SECONDS = 1
_GRACE_SECONDS = 3
_SWEEP_SECONDS = 60  # as in template.yaml, or once per lease if that is shorter

_log = logging.getLogger(__name__)


class Poller:
    """Reads one queue for one function with this `handler`."""

    def __init__(self, sqs: SQSClient, queue_url: str, consumer: Consumer, handler: Handler) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._consumer = consumer
        self._handler = handler

    def poll(self, wait_seconds: int = _WAIT_SECONDS) -> int:
        """Receive a batch, call the function, delete the messages that succeeded, and return the batch's size.

        Failed messages are received again after their visibility timeout, until the queue moves them to its dead-letter
        queue.
        """
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._consumer.batch_size,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if messages:
            failed = self._invoke(messages)
            done: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
                for message in messages
                if message["MessageId"] not in failed
            ]
            if done:
                self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=done)
        return len(messages)

    def sweep(self) -> None:
        """Call the function with the event of EventBridge's schedule."""
        try:
            self._handler(
                {"source": "aws.events", "detail-type": "Scheduled Event"}, LambdaContext(self._consumer.function)
            )
        except Exception:  # noqa: BLE001  # the next sweep repeats it, as on Lambda
            _log.exception("the sweep failed")

    def _invoke(self, messages: Sequence[MessageTypeDef]) -> set[str]:
        """Call the function. Return the ids of failed messages, which are all of them if it raises."""
        everything = {message["MessageId"] for message in messages}
        function = self._consumer.function
        try:
            records = [to_record(message, self._queue_url) for message in messages]
            answer = self._handler({"Records": records}, LambdaContext(function))
        except Exception:  # noqa: BLE001  # after any error, no message counts as processed
            _log.exception("%s failed", function.name)
            return everything
        failures = (answer or {}).get("batchItemFailures") or []
        failed = {str(failure.get("itemIdentifier")) for failure in failures}
        # Lambda treats an id that is not in the batch as a failure of the whole batch.
        return everything if failed - everything else failed


def to_record(message: MessageTypeDef, queue_url: str) -> dict[str, Any]:
    """Return the message in the format of a Lambda event."""
    attributes = {
        name: {
            "stringValue": value.get("StringValue"),
            "binaryValue": value.get("BinaryValue"),
            "dataType": value["DataType"],
        }
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{queue_url.rsplit('/', 1)[-1]}",
        "awsRegion": REGION,
    }


def _stop_on_sigterm(is_busy: Callable[[], bool]) -> Callable[[], bool]:
    """Make SIGTERM end the process: immediately if it is idle, otherwise soon.

    Return a check for a received SIGTERM.
    """
    requested = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        requested.set()
        if not is_busy():
            raise SystemExit(0)
        # Longer work is aborted: its lease expires, and another attempt takes over the job.
        signal.alarm(_GRACE_SECONDS)

    signal.signal(signal.SIGTERM, stop)
    return requested.is_set


def poll_in_order(news: Poller, hints: Poller, wait_seconds: int = _WAIT_SECONDS) -> None:
    """Process available news, or else one hint; if there is neither, wait for news.

    News comes first, because a hint may take seconds and news may add jobs. A hint from the API may be delayed by the
    length of the wait; hints that follow from news are processed immediately.
    """
    if not (news.poll(0) or hints.poll(0)):
        news.poll(wait_seconds)


def main() -> NoReturn:
    """Poll the queues in the environment until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    consumers = Template.read().consumers
    handler = consumers["Queue"].function.load()
    busy = threading.Event()

    def invoke(event: dict[str, Any], context: object) -> object:
        busy.set()
        try:
            return handler(event, context)
        finally:
            busy.clear()

    terminating = _stop_on_sigterm(busy.is_set)
    config = Config(proxies={}, read_timeout=_WAIT_SECONDS + 10, retries={"total_max_attempts": 1})
    swept_at = time.monotonic()
    sqs = boto3.client("sqs", config=config)
    hints = Poller(sqs, os.environ["QUEUE_URL"], consumers["Queue"], invoke)
    news = Poller(sqs, os.environ["NEWS_QUEUE_URL"], consumers["NewsQueue"], invoke)
    sweep_seconds = min(_SWEEP_SECONDS, settings().lease_seconds)
    while not terminating():
        poll_in_order(news, hints)
        if time.monotonic() - swept_at >= sweep_seconds:
            swept_at = time.monotonic()
            hints.sweep()
    raise SystemExit(0)


if __name__ == "__main__":
    main()
