"""A typed client of Assay's HTTP API."""

from assay.client.api import ENDED, Client
from assay.client.files import LocalFile, safe_name
from assay.client.refusals import Refused, refused

__all__ = ["ENDED", "Client", "LocalFile", "Refused", "refused", "safe_name"]
