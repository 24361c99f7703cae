"""What comes through SQS: news, which is S3's own event notifications; and hints, which say only that there is work.

A hint names nothing: whoever takes one asks the database what is to be done, so that one too many, one too late and one
that anybody made up are all harmless.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from pydantic import BaseModel, Field

OUTBOX_HINT = '{"hint":"look_into_the_outbox"}'
"""Supabase Storage may hold new objects."""
RUN_HINT = '{"hint":"run_a_job"}'
"""A job may be due."""
CLEAN_UP_HINT = '{"hint":"clean_up"}'
"""Objects may be there to delete."""
DELIVER_HINT = '{"hint":"deliver"}'
"""Webhooks may be there to send."""


@dataclass(frozen=True)
class ObjectCreated:
    """New bytes lie under a key."""

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
    """Read an S3 event notification (keys are URL-encoded in it); the `s3:TestEvent` names no object.

    Raises ValueError (pydantic.ValidationError is one) for anything else.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    notification = _Notification.model_validate_json(body)
    if not notification.records and notification.event != "s3:TestEvent":
        raise ValueError("the message is no S3 event notification")
    return [
        ObjectCreated(unquote_plus(record.s3.object.key))
        for record in notification.records
        if record.event_name.startswith("ObjectCreated:")
    ]


def created_message(key: str) -> str:
    """Write the notification that tells of one object, for when S3's own may be lost."""
    record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": quote_plus(key, safe="/")}}}
    return json.dumps({"Records": [record]})
