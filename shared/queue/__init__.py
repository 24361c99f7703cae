"""The two SQS queues of functions/process, by their URLs, in the function's region.

One carries news and the other hints, so that news never waits behind work (docs/decisions/news-and-work.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import Transient
from shared.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10


class Queue:
    """One SQS queue. Every method raises Transient if the queue fails."""

    def __init__(self, url: str, read_seconds: int = 5, attempts: int = 3) -> None:
        self._url = url
        self._client = _client(read_seconds, attempts)

    def send(self, bodies: Sequence[str], after_seconds: int = 0) -> None:
        """Send messages that become visible after `after_seconds` (at most 900, by SQS), ten per request.

        If it raises, some messages may have been sent; the caller must be able to send all of them again.
        """
        for start in range(0, len(bodies), _BATCH):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(index), "MessageBody": body, "DelaySeconds": after_seconds}
                for index, body in enumerate(bodies[start : start + _BATCH])
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise Transient("the queue did not accept the messages") from error
            if answer.get("Failed"):
                raise Transient(f"the queue did not accept {len(answer['Failed'])} of {len(entries)} messages")

    def ping(self) -> None:
        """Return when the queue answers, within seconds."""
        try:
            _client(read_seconds=3, attempts=1).get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except (BotoCoreError, ClientError) as error:
            raise Transient("the queue does not answer") from error


def _client(read_seconds: int, attempts: int) -> SQSClient:
    from shared.aws_clients import sqs_client  # noqa: PLC0415  # imports boto3, which most requests don't need

    return sqs_client(read_seconds, attempts)


@lru_cache(maxsize=1)
def queue() -> Queue:
    """Return the queue of hints. It connects on first use."""
    return Queue(settings().queue_url)


@lru_cache(maxsize=1)
def news_queue() -> Queue:
    """Return the queue of news from the object store. It connects on first use."""
    return Queue(settings().news_queue_url)
