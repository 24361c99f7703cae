"""Tells the queue again of every upload whose job waits, at the start of the local stack.

MiniStack loses its queues in a `kill -9`; the objects and the database stay. On AWS the queue is durable and nothing of
this is needed. An event too many is harmless: events come at least once anyway.
"""

from __future__ import annotations

import math

import psycopg
from botocore.exceptions import ClientError
from psycopg.rows import namedtuple_row

from local.ministack import BUCKET, MiniStack
from shared.events import created_message

_LONGEST_DELAY_SECONDS = 900  # SQS's own limit

# A job that ran when the stack was killed is taken over when its lease is over, not before.
_WAITING = """
select 'uploads/' || u.owner || '/' || u.sha256 as key,
       greatest(0, extract(epoch from min(coalesce(j.lease_expires_at, j.run_after)) - now()))::float as delay
from assay.jobs j join assay.uploads u using (upload_id)
where j.status in ('awaiting_upload', 'queued', 'running')
group by u.owner, u.sha256
"""


def tell_again(database_url: str, ministack: MiniStack) -> int:
    """Send an event for each upload that is there and whose job waits; return how many."""
    with psycopg.connect(database_url, row_factory=namedtuple_row) as connection:
        waiting = connection.execute(_WAITING).fetchall()
    s3, sqs = ministack.s3(), ministack.sqs()
    sent = 0
    for key, delay in waiting:
        try:
            s3.head_object(Bucket=BUCKET, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            continue  # the client has not sent it yet, and its own PUT will tell
        sqs.send_message(
            QueueUrl=ministack.queue_url(),
            MessageBody=created_message(key),
            DelaySeconds=min(_LONGEST_DELAY_SECONDS, math.ceil(delay)),
        )
        sent += 1
    return sent
