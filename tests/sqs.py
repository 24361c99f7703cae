"""Batches of SQS messages and the sweep's event, as Lambda receives them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import boto3

from functions.process.app import handler
from tests.api import BUCKET, NEWS_QUEUE, QUEUE, Context

SWEEP: dict[str, object] = {"source": "aws.events", "detail-type": "Scheduled Event"}


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


def take_out(queue: str = QUEUE) -> list[str]:
    """Take every message out of one of moto's queues that is not delayed; return their bodies."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def work(*keys: str) -> None:
    """Tell the worker of these objects, and let it work until its queues hold nothing but what is delayed."""
    messages = [s3_event(key) for key in keys]
    while messages := messages + take_out(NEWS_QUEUE) + take_out():
        assert failed(handler(sqs_event(*messages), Context())) == []
        messages = []


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
