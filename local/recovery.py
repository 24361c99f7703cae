"""Sends messages for waiting work again when the local stack starts.

MiniStack loses its queues in a `kill -9`; the objects and the database stay. On AWS the queues are durable, and this is
not needed. Duplicate messages are harmless, because delivery is at-least-once anyway. The sweep finds jobs that were
running when the stack was killed, when their leases expire.
"""

from __future__ import annotations

import math

import psycopg
from botocore.exceptions import ClientError

from local.ministack.ministack import BUCKET, NEWS_QUEUE, MiniStack
from shared.object_store.keys import upload_key
from shared.queue.events import RUN_HINT, created_message

_LONGEST_DELAY_SECONDS = 900  # SQS's own limit

_ANNOUNCED = """
select distinct u.owner, u.sha256
from assay.jobs j join assay.uploads u using (upload_id)
where j.status = 'awaiting_upload'
"""
_QUEUED = """
select greatest(0, extract(epoch from run_after - now()))::float as delay
from assay.jobs where status = 'queued' order by turn
"""


def tell_again(database_url: str, ministack: MiniStack) -> int:
    """Send news of each stored upload that a job waits for, and a hint for each queued job.

    Returns the number of messages.
    """
    with psycopg.connect(database_url) as connection:
        announced = connection.execute(_ANNOUNCED).fetchall()
        queued = connection.execute(_QUEUED).fetchall()
    s3, sqs = ministack.s3(), ministack.sqs()
    sent = 0
    for owner, sha256 in announced:
        key = upload_key(owner, sha256)
        try:
            s3.head_object(Bucket=BUCKET, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            continue  # the client has not sent it yet, and its PUT will send news
        sqs.send_message(QueueUrl=ministack.queue_url(NEWS_QUEUE), MessageBody=created_message(key))
        sent += 1
    for (delay,) in queued:
        sqs.send_message(
            QueueUrl=ministack.queue_url(),
            MessageBody=RUN_HINT,
            DelaySeconds=min(_LONGEST_DELAY_SECONDS, math.ceil(delay)),
        )
        sent += 1
    return sent
