"""A user's clients of the two HTTP functions."""

from __future__ import annotations

import pytest

from functions.download.app import handler as download
from functions.upload.app import handler as upload
from shared.sign_in.auth import User
from tests.api import Client
from tests.issuer import Issuer


@pytest.fixture
def commands(issuer: Issuer, user: User) -> Client:
    return Client(upload, issuer, user.owner)


@pytest.fixture
def queries(issuer: Issuer, user: User) -> Client:
    return Client(download, issuer, user.owner)
