from __future__ import annotations

import pytest

from shared.auth import User
from shared.database import PsycopgDatabase
from tests.database.steps import Steps


@pytest.fixture
def steps(db: PsycopgDatabase, user: User) -> Steps:
    return Steps(db, user)


@pytest.fixture
def other_steps(db: PsycopgDatabase, other_user: User) -> Steps:
    return Steps(db, other_user)
