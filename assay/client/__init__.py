"""A typed client of Assay's HTTP API, of any Assay anywhere."""

from assay.client.api import ENDED, Client, LocalFile, safe_name
from assay.client.refusals import Refused, refused

__all__ = ["ENDED", "Client", "LocalFile", "Refused", "refused", "safe_name"]
