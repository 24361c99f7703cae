"""The local object store and queue: MiniStack, with Assay's bucket, queues and notification."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

from assay.write.private import read_object, write_object
from local import processes
from local.home import LOOPBACK, PROJECT, free_port, make_private

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

BUCKET = "assay"
QUEUE = "assay"
NEWS_QUEUE = "assay-news"
DEAD_LETTER_QUEUE = "assay-dlq"
REGION = "us-east-1"
MAX_RECEIVE_COUNT = 3

_PYTHON = PROJECT / ".tools" / "ministack" / "bin" / "python"
_SERVER = Path(__file__).with_name("server.py")


def wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    """Return when MiniStack answers at this address. Raises StackError if it does not."""
    with httpx.Client(trust_env=False, timeout=5) as client:

        def ready() -> bool:
            try:
                return client.get(f"{endpoint}/_ministack/ready").is_success
            except httpx.TransportError:
                return False  # not listening yet

        processes.wait_until(ready, process, "MiniStack", log)


class MiniStack:
    """S3 and SQS under `home`, on the loopback address only. Every request must be signed with the key in `home`.

    `visibility_seconds` is the visibility timeout of received messages.
    """

    def __init__(self, home: Path, *, port: int | None = None, visibility_seconds: int = 35) -> None:
        self.home = home.resolve()
        self.log = self.home / "logs" / "ministack.log"
        self.port = port or free_port()
        self.visibility_seconds = visibility_seconds
        self._record = self.home / "ministack.process.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Address of both S3 and SQS."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def access_key(self) -> tuple[str, str]:
        """Access key id and secret access key. They are kept, so that signed links survive a restart."""
        path = self.home / "object-store-key.json"
        if not path.exists():
            write_object(path, {"id": "ASSAY" + secrets.token_hex(8).upper(), "secret": secrets.token_urlsafe(30)})
        key = read_object(path)
        return str(key["id"]), str(key["secret"])

    @property
    def running(self) -> bool:
        """Whether the process that this object started is running."""
        return self._process is not None and self._process.poll() is None

    def s3(self) -> S3Client:
        """Client of the object store."""
        key_id, secret = self.access_key
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            proxies={},  # the user's proxy cannot reach the loopback address
        )
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=config,
        )

    def sqs(self) -> SQSClient:
        """Client of the queues."""
        key_id, secret = self.access_key
        return boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def queue_url(self, name: str = QUEUE) -> str:
        """URL of a queue, in MiniStack's format: endpoint and account."""
        return f"{self.endpoint}/000000000000/{name}"

    def start(self) -> None:
        """Start, wait until it answers, and create missing resources. Raises StackError."""
        make_private(self.home)
        make_private(self.log.parent)
        processes.stop_recorded(self._record)
        if not _PYTHON.exists():
            raise processes.StackError(
                "MiniStack is not installed under .tools/ministack: run `make setup` in the project."
            )
        scratch = make_private(self.home / "tmp")
        key_id, secret = self.access_key
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),  # it writes a pid file there
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "SERVICES": "s3,sqs",
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(make_private(self.home / "ministack")),
            "S3_DATA_DIR": str(make_private(self.home / "objects")),
        }
        # -I: neither this folder nor the user's site-packages must take precedence over MiniStack's.
        command = [str(_PYTHON), "-I", str(_SERVER)]
        self._process = processes.spawn(command, self.log, env=environment, record=self._record)
        try:
            wait_until_ready(self._process, self.endpoint, self.log)
            self._make_bucket()
            self._make_queues()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop. Does nothing if it does not run."""
        if self._process is not None:
            processes.stop(self._process, seconds=10)  # it saves its queues
            self._process = None
            self._record.unlink(missing_ok=True)

    def _make_bucket(self) -> None:
        s3 = self.s3()
        try:
            s3.head_bucket(Bucket=BUCKET)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            s3.create_bucket(Bucket=BUCKET)

    def _make_queues(self) -> None:
        """Create the queues and the notification. Idempotent."""
        sqs, s3 = self.sqs(), self.s3()
        prefix = f"arn:aws:sqs:{REGION}:000000000000:"
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": prefix + NEWS_QUEUE,
                    "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{BUCKET}"}},
                }
            ],
        }
        redrive = {"deadLetterTargetArn": prefix + DEAD_LETTER_QUEUE, "maxReceiveCount": str(MAX_RECEIVE_COUNT)}
        present = {url.rsplit("/", 1)[-1] for url in sqs.list_queues().get("QueueUrls", [])}
        for name in (DEAD_LETTER_QUEUE, QUEUE, NEWS_QUEUE):
            if name not in present:
                sqs.create_queue(QueueName=name)
        attributes: dict[QueueAttributeNameType, str] = {
            "VisibilityTimeout": str(self.visibility_seconds),
            "RedrivePolicy": json.dumps(redrive),
        }
        sqs.set_queue_attributes(QueueUrl=self.queue_url(), Attributes=attributes)
        attributes["Policy"] = json.dumps(policy)
        sqs.set_queue_attributes(QueueUrl=self.queue_url(NEWS_QUEUE), Attributes=attributes)
        # Each call sends a test event, so it is made only if the notification is missing or has another queue.
        configured = s3.get_bucket_notification_configuration(Bucket=BUCKET).get("QueueConfigurations", [])
        if [entry["QueueArn"] for entry in configured] != [prefix + NEWS_QUEUE]:
            s3.put_bucket_notification_configuration(
                Bucket=BUCKET,
                NotificationConfiguration={
                    "QueueConfigurations": [
                        {
                            "QueueArn": prefix + NEWS_QUEUE,
                            "Events": ["s3:ObjectCreated:*"],
                            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "uploads/"}]}},
                        }
                    ]
                },
            )
