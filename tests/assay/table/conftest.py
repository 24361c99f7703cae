from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.assay.table.profiles import Profile, profile_in


@pytest.fixture
def profiled(tmp_path: Path) -> Profile:
    numbers = itertools.count()
    return lambda content: profile_in(tmp_path / str(next(numbers)), content)
