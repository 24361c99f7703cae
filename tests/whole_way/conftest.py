from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.client import Client
from local.stack import Stack
from shared.auth import User


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded stack, whole; its leases are short, so that a killed worker is replaced soon."""
    stack = Stack(tmp_path_factory.mktemp("stack"), lease_seconds=3, retry_base_seconds=1)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture
def client(stack: Stack, user: User) -> Iterator[Client]:
    with Client(stack.url, stack.token_for(user.owner)) as client:
        yield client


@pytest.fixture
def measurements(tmp_path: Path, user: User) -> Path:
    """A small file that no other test has sent."""
    path = tmp_path / "river.csv"
    path.write_text(
        f"Station_ID,Date_Time,PCode,Result,Owner\nCT,2024-01-01 10:00,Data 1,1.411,{user.owner}\n"
        "CT,2024-01-01 11:00,Data 10,,\nTUS,2024-01-02 10:00,Data 2,176,\n"
    )
    return path
