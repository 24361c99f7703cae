"""The queue between the object store and functions/process; where it is, its URL and the function's own region say."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import Transient
from shared.settings import settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Queue:
    """One SQS queue. Every method raises Transient when it does not answer as it should."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: SQSClient = boto3.client(
            "sqs", config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
        )

    def send_later(self, body: str, seconds: int) -> None:
        """Send a message that becomes visible after `seconds` (at most 900, SQS's own limit)."""
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=seconds)
        except (BotoCoreError, ClientError) as error:
            raise Transient("the queue did not take the message") from error

    def ping(self) -> None:
        """Return when the queue answers."""
        try:
            self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except (BotoCoreError, ClientError) as error:
            raise Transient("the queue does not answer") from error


@lru_cache(maxsize=1)
def queue() -> Queue:
    """Return the queue that the settings name; it connects at the first use."""
    return Queue(settings().queue_url)
