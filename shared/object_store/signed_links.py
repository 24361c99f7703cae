"""Signed links to objects, made with botocore's signer alone: no S3 client is created and no service model is loaded.

A link needs only a signature, no request (SigV4 in the query string,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). Creating a client takes longer than
signing here: docs/decisions/start-up.md. For the buckets that Assay supports, the links are byte for byte those of the
client. Not supported, because no setting needs them: S3 Express buckets (`…--x-s3`), access points and other ARNs as
bucket names; FIPS, dual-stack and accelerated endpoints; endpoints from AWS_ENDPOINT_URL or a profile; regional host
names for us-east-1; and the pseudo-region `aws-global`. The bucket's name is not validated; the store does that.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, EnvProvider
from botocore.endpoint_provider import RuleSetStandardLibrary
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader
from botocore.utils import (
    is_valid_endpoint_url,
    is_valid_ipv6_endpoint_url,
    percent_encode,
    validate_region_name,
)

from shared.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


class LinkSigner:
    """Signs links to the objects of one bucket.

    Raises ValueError for an invalid endpoint and botocore's InvalidRegionError for an invalid region.
    """

    def __init__(self, store: Settings) -> None:
        self._keys = store.object_store_keys
        self._region = store.object_store_region
        validate_region_name(self._region)
        self._bucket_url = _bucket_url(store.object_store_bucket, store.s3_endpoint, self._region)

    def link(self, method: str, key: str, seconds: int, *, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
        """Return a URL that allows a request with this method for `seconds`.

        The request must send these headers. `query` becomes part of the URL. Raises botocore's NoCredentialsError if
        neither the settings nor botocore have credentials.
        """
        url = f"{self._bucket_url}/{percent_encode(key, safe='/')}"
        request = AWSRequest(method, url, headers=headers, params=query)
        keys = self._credentials.get_frozen_credentials()
        S3SigV4QueryAuth(keys, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url)

    @cached_property
    def _credentials(self) -> Credentials:
        """Return the current credentials.

        A role's credentials change every few hours, so each link reads them again.
        """
        if self._keys is not None:
            return Credentials(*self._keys)
        # botocore reads the environment first, and Lambda puts the role's keys there. Any other source needs a session,
        # whose import takes another 20 ms.
        credentials = EnvProvider().load()
        if credentials is None:
            from botocore.session import get_session  # noqa: PLC0415  # rarely needed

            credentials = get_session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials


def _bucket_url(bucket: str, endpoint: str | None, region: str) -> str:
    """Return the bucket's URL by botocore's rules for S3 (data/s3/2006-03-01/endpoint-rule-set-1.json).

    With a custom endpoint the bucket is part of the path. On AWS it is part of the host, unless its name has dots: the
    wildcard certificate covers one label only.
    """
    rules = RuleSetStandardLibrary(Loader().load_data("partitions"))
    if endpoint is not None:
        valid = is_valid_endpoint_url(endpoint) or is_valid_ipv6_endpoint_url(endpoint)
        parts = rules.parse_url(endpoint) if valid else None
        if parts is None:
            raise ValueError("OBJECT_STORE_ENDPOINT must be an http or https URL without a query")
        return f"{parts['scheme']}://{parts['authority']}{parts['normalizedPath']}{percent_encode(bucket)}"
    suffix = rules.aws_partition(region)["dnsSuffix"]
    host = f"s3.{suffix}" if region == "us-east-1" else f"s3.{region}.{suffix}"
    if rules.aws_is_virtual_hostable_s3_bucket(bucket, allow_subdomains=False):
        return f"https://{bucket}.{host}"
    return f"https://{host}/{percent_encode(bucket)}"
