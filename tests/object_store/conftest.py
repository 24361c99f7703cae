"""The S3 endpoints that the contract is tested on.

Set ASSAY_TEST_S3_ENDPOINT (`aws` for AWS S3), _REGION, _BUCKET, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY and
ASSAY_TEST_STORAGE (s3 or supabase) to test any other; ASSAY_TEST_S3_ORIGIN names a web origin that its CORS rules
allow. What the tests store there they delete.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

from local.ministack.ministack import BUCKET, REGION, MiniStack
from shared.object_store import ObjectStore
from tests.object_store.endpoint import NAMED, Endpoint, store_settings
from tests.supabase import storage, storage_http

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

_ORIGIN = "https://assay.example"


@pytest.fixture(params=["local", "supabase", *(["named"] if NAMED else [])])
def endpoint(request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    if request.param == "local":
        ministack: MiniStack = request.getfixturevalue("ministack")
        where = {"endpoint": ministack.endpoint, "region": REGION}
        key, kind = ministack.access_key, "s3"
        rule: CORSRuleTypeDef = {"AllowedOrigins": [_ORIGIN], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}
        ministack.s3().put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    elif request.param == "supabase":
        front: storage.StorageFront = request.getfixturevalue("storage_front")
        where = {"endpoint": front.endpoint, "region": storage_http.REGION}
        key, kind = front.key, "supabase"
    else:
        named = {name: os.environ[f"ASSAY_TEST_S3_{name.upper()}"] for name in ("endpoint", "region", "bucket")}
        where = {name: value for name, value in named.items() if (name, value) != ("endpoint", "aws")}
        key = (os.environ["ASSAY_TEST_S3_ACCESS_KEY_ID"], os.environ["ASSAY_TEST_S3_SECRET_ACCESS_KEY"])
        kind = os.environ["ASSAY_TEST_STORAGE"]
    at = store_settings(
        storage=kind,
        object_store_access_key_id=key[0],
        object_store_secret_access_key=key[1],
        **{f"object_store_{name}": value for name, value in where.items()},
    )
    origin = os.environ.get("ASSAY_TEST_S3_ORIGIN") if request.param == "named" else _ORIGIN
    with httpx.Client(trust_env=request.param == "named", timeout=60) as http:
        endpoint = Endpoint(ObjectStore(at), at, http, origin)
        yield endpoint
    if request.param == "named":
        _delete(endpoint)


def _delete(endpoint: Endpoint) -> None:
    at = endpoint.at
    assert at.object_store_access_key_id is not None
    assert at.object_store_secret_access_key is not None
    s3 = boto3.client(
        "s3",
        endpoint_url=at.object_store_endpoint,
        region_name=at.object_store_region,
        aws_access_key_id=at.object_store_access_key_id.get_secret_value(),
        aws_secret_access_key=at.object_store_secret_access_key.get_secret_value(),
    )
    for key in endpoint.keys:
        s3.delete_object(Bucket=at.object_store_bucket, Key=key)
