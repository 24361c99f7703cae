"""Clients of S3 and SQS, whose calls are traced.

Import this module only where a client is made: boto3 and its client take longer to load than everything else that
signing a link needs (docs/decisions/start-up.md).
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

# A no-op where tracing is off.
tracer.patch(("botocore",))


def s3_client(store: Settings, read_seconds: int, attempts: int) -> S3Client:
    """Return an S3 client for the configured object store."""
    key_id, secret = store.object_store_keys or (None, None)
    client = boto3.client(
        "s3",
        endpoint_url=store.s3_endpoint,
        region_name=store.object_store_region,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if store.s3_endpoint else "virtual"},
            connect_timeout=3,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # Stores other than AWS reject the checksums that botocore adds by default.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # The settings alone decide the endpoint, for calls and for links.
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # missing from its stubs
        ),
    )
    client.meta.events.register("before-sign.s3.DeleteObjects", _say_xml)
    return client


def _say_xml(request: AWSRequest, **_: object) -> None:
    """Set the Content-Type of DeleteObjects, which boto3 omits: Supabase Storage answers 400 without it."""
    if "Content-Type" not in request.headers:  # a retried request is signed again
        request.headers["Content-Type"] = "application/xml"


def sqs_client(read_seconds: int, attempts: int) -> SQSClient:
    """Return an SQS client for the function's region."""
    return boto3.client(
        "sqs",
        config=Config(
            connect_timeout=2,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )
