"""The messages in SQS: news (S3 event notifications) and hints (there is work to do).

A hint carries no data: its receiver asks the database for work. Duplicate, late and forged hints are harmless.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from pydantic import BaseModel, Field

OUTBOX_HINT = '{"hint":"look_into_the_outbox"}'
"""Supabase Storage may have new objects."""
RUN_HINT = '{"hint":"run_a_job"}'
"""A job may be due."""
CLEAN_UP_HINT = '{"hint":"clean_up"}'
"""There may be objects to delete."""
DELIVER_HINT = '{"hint":"deliver"}'
"""There may be webhooks to send."""


@dataclass(frozen=True)
class ObjectCreated:
    """An object was stored under a key."""

    key: str


class _Object(BaseModel):
    key: str


class _S3(BaseModel):
    object: _Object


class _Record(BaseModel):
    event_name: str = Field(alias="eventName")
    s3: _S3


class _Notification(BaseModel):
    records: list[_Record] = Field(default=[], alias="Records")
    event: str | None = Field(default=None, alias="Event")


def objects_created(body: str) -> list[ObjectCreated]:
    """Read an S3 event notification and decode its URL-encoded keys. `s3:TestEvent` has no objects.

    Raises ValueError (pydantic.ValidationError is one) for anything else.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    notification = _Notification.model_validate_json(body)
    if not notification.records and notification.event != "s3:TestEvent":
        raise ValueError("the message is not an S3 event notification")
    return [
        ObjectCreated(unquote_plus(record.s3.object.key))
        for record in notification.records
        if record.event_name.startswith("ObjectCreated:")
    ]


def created_message(key: str) -> str:
    """Return a notification of one object, to replace one of S3's that may be lost."""
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": quote_plus(key, safe="/")}}}
    return json.dumps({"Records": [record]})
