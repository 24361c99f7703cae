"""Clients of S3 and SQS, whose calls are traced.

Imported where a client is made and not before: boto3 and a client take longer than all else that a link needs
(docs/decisions/start-up.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from shared.settings import Settings
from shared.telemetry import tracer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# It does nothing where nothing is traced.
tracer.patch(("botocore",))


def s3_client(at: Settings, read_seconds: int, attempts: int) -> S3Client:
    """Make a client of the object store that the settings name."""
    key_id, secret = at.object_store_keys or (None, None)
    client = boto3.client(
        "s3",
        endpoint_url=at.s3_endpoint,
        region_name=at.object_store_region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if at.s3_endpoint else "virtual"},
            connect_timeout=3,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # Stores other than AWS's know only the checksums that a request names.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # The store is where the settings say, for calls as for links.
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # missing from its stubs
        ),
    )
    client.meta.events.register("before-sign.s3.DeleteObjects", _say_xml)
    return client


def _say_xml(request: AWSRequest, **_: object) -> None:
    """Name the type of DeleteObjects' body, which boto3 does not: Supabase Storage reads none without (400)."""
    if "Content-Type" not in request.headers:  # a request that is tried again is signed again
        request.headers["Content-Type"] = "application/xml"


def sqs_client(read_seconds: int, attempts: int) -> SQSClient:
    """Make a client of the queues of the function's own region."""
    return boto3.client(
        "sqs",
        config=Config(
            connect_timeout=2,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
