"""Every function of the database answers the same by either transport."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from shared.database import Database
from shared.database.transport import Argument
from shared.sign_in.auth import User
from tests.contract.functions import FUNCTIONS
from tests.database.steps import Steps, Superuser


class Recorder:
    """A database that notes which functions were called."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.called: set[str] = set()

    def call(self, function: str, arguments: Mapping[str, Argument], as_user: User | None) -> JsonValue:
        self.called.add(function)
        return self._db.call(function, arguments, as_user)

    def ping(self) -> None:
        self._db.ping()


def test_every_function_of_the_database_has_its_contract(superuser: Superuser) -> None:
    rows = superuser.execute("select proname from pg_proc where pronamespace = 'public'::regnamespace").fetchall()
    assert sorted(str(name) for (name,) in rows) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_function_keeps_its_contract(db: Database, user: User, function: str) -> None:
    recorder = Recorder(db)
    FUNCTIONS[function](Steps(recorder, user))
    assert function in recorder.called


def test_ping(db: Database) -> None:
    db.ping()
