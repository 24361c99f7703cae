"""A user's client of functions/download."""

from __future__ import annotations

import pytest

from functions.download.app import handler
from shared.sign_in.auth import User
from tests.api import Client
from tests.issuer import Issuer


@pytest.fixture
def client(issuer: Issuer, user: User) -> Client:
    return Client(handler, issuer, user.owner)
