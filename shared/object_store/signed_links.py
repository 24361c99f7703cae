"""Links to objects, signed by botocore's own signer alone: no S3 client is made and no service model is read.

A link takes no word with S3, only a signature (SigV4 in the query string,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). The client, which could sign as well,
takes longer to make than all that is here: docs/decisions/start-up.md. The links are the same, byte for byte, for any
bucket of the kind that a setup has. What a client knows and this does not, because no setting of ours asks for it:
S3 Express (`…--x-s3`) buckets, access points and other ARNs in a bucket's place; the FIPS, dual-stack and accelerated
endpoints; endpoints from AWS_ENDPOINT_URL or a profile; regional names for us-east-1; the pseudo-region `aws-global`;
and the check of a bucket's name, which the store makes itself.
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

    Raises ValueError for an endpoint, and botocore's InvalidRegionError for a region, that can be none.
    """

    def __init__(self, at: Settings) -> None:
        self._keys = at.object_store_keys
        self._region = at.object_store_region
        validate_region_name(self._region)
        self._bucket_url = _bucket_url(at.object_store_bucket, at.s3_endpoint, self._region)

    def link(self, method: str, key: str, seconds: int, *, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
        """Return the URL with which a request of this method is let through for so long.

        The request must have these headers; `query` becomes a part of the URL. Raises botocore's NoCredentialsError
        where the settings hold no key and botocore finds none.
        """
        url = f"{self._bucket_url}/{percent_encode(key, safe='/')}"
        request = AWSRequest(method, url, headers=headers, params=query)
        keys = self._credentials.get_frozen_credentials()
        S3SigV4QueryAuth(keys, "s3", self._region, expires=seconds).add_auth(request)
        return str(request.url)

    @cached_property
    def _credentials(self) -> Credentials:
        """Whose keys these are; they may change (a role's do every few hours), so each link asks for those of now."""
        if self._keys is not None:
            return Credentials(*self._keys)
        # The environment is where botocore looks first, and where Lambda puts the role's keys. To look elsewhere takes
        # a session, and another 20 ms to import it.
        found = EnvProvider().load()
        if found is None:
            from botocore.session import get_session  # noqa: PLC0415  # only where it is needed

            found = get_session().get_credentials()
        if found is None:
            raise NoCredentialsError
        return found


def _bucket_url(bucket: str, endpoint: str | None, region: str) -> str:
    """Return the bucket's URL as botocore's rules for S3 make it (data/s3/2006-03-01/endpoint-rule-set-1.json).

    At an endpoint of its own the bucket is a part of the path; on AWS of the host, if it can be one with the
    certificate's single `*`: a name with dots can't.
    """
    rules = RuleSetStandardLibrary(Loader().load_data("partitions"))
    if endpoint is not None:
        valid = is_valid_endpoint_url(endpoint) or is_valid_ipv6_endpoint_url(endpoint)
        parts = rules.parse_url(endpoint) if valid else None
        if parts is None:
            raise ValueError("OBJECT_STORE_ENDPOINT is not an http or https URL without a query")
        return f"{parts['scheme']}://{parts['authority']}{parts['normalizedPath']}{percent_encode(bucket)}"
    suffix = rules.aws_partition(region)["dnsSuffix"]
    host = f"s3.{suffix}" if region == "us-east-1" else f"s3.{region}.{suffix}"
    if rules.aws_is_virtual_hostable_s3_bucket(bucket, allow_subdomains=False):
        return f"https://{bucket}.{host}"
    return f"https://{host}/{percent_encode(bucket)}"
