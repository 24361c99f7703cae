"""What Lambda's event source mappings do: read the queues, call functions/process, delete what it took care of.

And what EventBridge does: calls it once a minute to sweep.

`python -m local.aws.poller` runs until SIGTERM. It is a process of its own, so that work on a file never holds up the
API, and so that its end in the middle of a job is what a Lambda's end would be.
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

# A message ends the wait at once. MiniStack cannot stop before the wait is over, hence not the usual 20.
_WAIT_SECONDS = 1
_GRACE_SECONDS = 3
_SWEEP_SECONDS = 60  # as the schedule in template.yaml; or once a lease, where that is shorter

_log = logging.getLogger(__name__)


class Poller:
    """Reads one queue for one function; `handler` is the function's."""

    def __init__(self, sqs: SQSClient, queue_url: str, consumer: Consumer, handler: Handler) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._consumer = consumer
        self._handler = handler

    def poll(self, wait_seconds: int = _WAIT_SECONDS) -> int:
        """Wait for messages, hand one batch to the function, delete those that did not fail; return the batch's size.

        What is not deleted comes again when its visibility timeout is over, until the queue moves it to its
        dead-letter queue.
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
        """Call the function as EventBridge's schedule does."""
        try:
            self._handler(
                {"source": "aws.events", "detail-type": "Scheduled Event"}, LambdaContext(self._consumer.function)
            )
        except Exception:  # noqa: BLE001  # the next minute makes up for it, as on Lambda
            _log.exception("the sweep failed")

    def _invoke(self, messages: Sequence[MessageTypeDef]) -> set[str]:
        """Call the function; return the ids of the messages that failed, which is all of them if it raises."""
        everything = {message["MessageId"] for message in messages}
        function = self._consumer.function
        try:
            records = [to_record(message, self._queue_url) for message in messages]
            answer = self._handler({"Records": records}, LambdaContext(function))
        except Exception:  # noqa: BLE001  # a function that crashes has handled nothing, whatever the reason
            _log.exception("%s failed", function.name)
            return everything
        failures = (answer or {}).get("batchItemFailures") or []
        failed = {str(failure.get("itemIdentifier")) for failure in failures}
        # Lambda takes an id that is not in the batch for a failure of the whole batch.
        return everything if failed - everything else failed


def to_record(message: MessageTypeDef, queue_url: str) -> dict[str, Any]:
    """Return the message of this queue as it stands in a Lambda event."""
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
    """Make SIGTERM end the process at once when it is idle, else soon; return whether it was asked to end."""
    asked = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()
        if not is_busy():
            raise SystemExit(0)
        # Work that takes longer than this is cut off: its lease runs out and another attempt takes the job over.
        signal.alarm(_GRACE_SECONDS)

    signal.signal(signal.SIGTERM, stop)
    return asked.is_set


def poll_in_order(news: Poller, hints: Poller, wait_seconds: int = _WAIT_SECONDS) -> None:
    """Hand over what news there is, else one hint; with neither, wait for news.

    Each hint is work for seconds, and whose work it is depends on the news. So much later a hint of the API's is seen
    as the wait is long; those that news leads to are sent meanwhile, and seen at once.
    """
    if not (news.poll(0) or hints.poll(0)):
        news.poll(wait_seconds)


def main() -> NoReturn:
    """Poll the queues that the environment names, until SIGTERM."""
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

    asked = _stop_on_sigterm(busy.is_set)
    config = Config(proxies={}, read_timeout=_WAIT_SECONDS + 10, retries={"total_max_attempts": 1})
    swept_at = time.monotonic()
    sqs = boto3.client("sqs", config=config)
    hints = Poller(sqs, os.environ["QUEUE_URL"], consumers["Queue"], invoke)
    news = Poller(sqs, os.environ["NEWS_QUEUE_URL"], consumers["NewsQueue"], invoke)
    sweep_seconds = min(_SWEEP_SECONDS, settings().lease_seconds)
    while not asked():
        poll_in_order(news, hints)
        if time.monotonic() - swept_at >= sweep_seconds:
            swept_at = time.monotonic()
            hints.sweep()
    raise SystemExit(0)


if __name__ == "__main__":
    main()
