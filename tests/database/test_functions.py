"""Every function of the database keeps its contract on each Postgres version."""

from __future__ import annotations

import pytest

from tests.contract.functions import FUNCTIONS
from tests.database.steps import Steps


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_function_keeps_its_contract(steps: Steps, function: str) -> None:
    FUNCTIONS[function](steps)
