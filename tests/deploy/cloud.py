"""An AWS account on the loopback address: MiniStack with every service that the template needs, and IAM enforced."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import boto3
from botocore.config import Config

from local import processes
from local.home import LOOPBACK, PROJECT, free_port, make_private
from local.ministack.ministack import wait_until_ready

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

REGION: Final = "eu-central-1"  # not the one that everything falls back to
MINISTACK = PROJECT / ".tools" / "ministack" / "bin" / "python"

_SERVICES = "apigateway,cloudformation,events,iam,lambda,logs,monitoring,s3,secretsmanager,sns,sqs,sts"


class Cloud:
    """A MiniStack of its own under `home`. As a context manager it runs, and ends with everything that it started.

    Its Lambdas are child processes on its own Python, with the credentials of their roles.
    """

    def __init__(self, home: Path) -> None:
        self.home = make_private(home)
        self.log = home / "ministack.log"
        self.endpoint = f"http://{LOOPBACK}:{free_port()}"
        self._key_id = "ASSAY" + secrets.token_hex(8).upper()
        self._secret = secrets.token_urlsafe(30)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        scratch = make_private(self.home / "tmp")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": self.endpoint.rsplit(":", 1)[1],
            "MINISTACK_HOST": LOOPBACK,  # what its URLs say; `localhost` may be ::1
            "SERVICES": _SERVICES,
            "AUTH": "true",
            "MINISTACK_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self._key_id,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": LOOPBACK,
            "STATE_DIR": str(scratch / "state"),
            "S3_DATA_DIR": str(scratch / "objects"),
        }
        self._process = processes.spawn([str(MINISTACK), "-I", "-m", "ministack"], self.log, env=environment)
        try:
            wait_until_ready(self._process, self.endpoint, self.log)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it and its Lambdas."""
        if self._process is not None:
            processes.stop(self._process, seconds=10)
            self._process = None

    def cloudformation(self) -> CloudFormationClient:
        return boto3.client("cloudformation", **self._access())

    def s3(self) -> S3Client:
        return boto3.client("s3", **self._access())

    def sqs(self) -> SQSClient:
        return boto3.client("sqs", **self._access())

    def client(self, service: str) -> Any:
        """Client of a service for which no stubs are installed."""
        return boto3.client(service, **self._access())  # type: ignore[call-overload]  # the stubs know no others

    def make_secret(self, name: str, value: str) -> str:
        """Keep a secret; return its ARN."""
        arn: str = self.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
        return arn

    def _access(self) -> dict[str, Any]:
        return {
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "aws_access_key_id": self._key_id,
            "aws_secret_access_key": self._secret,
            "config": Config(retries={"total_max_attempts": 1}, proxies={}),
        }
