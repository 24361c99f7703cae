"""What SQS hands to a Lambda: batches of messages."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.api import BUCKET, QUEUE


def sqs_event(*bodies: str) -> dict[str, object]:
    """One batch; the messages' ids are `message 0`, `message 1` and so on.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {"Records": [_message(index, body) for index, body in enumerate(bodies)]}


def s3_events(*keys: str) -> dict[str, object]:
    """One batch with one S3 event for each key."""
    return sqs_event(*(s3_event(key) for key in keys))


def s3_event(key: str) -> str:
    """What S3 tells the queue of a new object."""
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}
    return json.dumps({"Records": [record]})


def failed(answer: Any) -> list[str]:
    """Return the ids of the messages that come again, from what the handler answered."""
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def _message(index: int, body: str) -> dict[str, object]:
    return {
        "messageId": f"message {index}",
        "receiptHandle": f"receipt {index}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode()).hexdigest(),  # noqa: S324  # SQS's own field
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}",
        "awsRegion": "us-east-1",
    }
