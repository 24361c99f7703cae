"""Analysing a text as transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from assay.run import Analysis
from tests.assay.analyses import MakeSource, run_in
from tests.assay.outputs import json_of
from tests.assay.transactions.tables import Kpis


@pytest.fixture
def analyse(tmp_path: Path, make_source: MakeSource) -> Callable[..., Analysis]:
    made = iter(range(99))

    def call(text: str, parameters: Mapping[str, JsonValue] | None = None) -> Analysis:
        found = run_in(tmp_path / f"out-{next(made)}", make_source(text), parameters, "transactions")
        assert isinstance(found, Analysis)
        return found

    return call


@pytest.fixture
def kpis(analyse: Callable[..., Analysis]) -> Kpis:
    return lambda text, parameters=None: json_of(analyse(text, parameters), "kpis.json")
