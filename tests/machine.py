"""Requirements of tests that not every machine meets."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def not_tested_here(reason: str) -> NoReturn:
    """Skip the test and say why; in CI, where everything is installed, it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"NOT TESTED HERE: {reason}")


def require(*programs: str) -> None:
    """The documents' commands are run as they stand, with the programs that they call."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        not_tested_here(f"the documents' commands. Missing: {', '.join(missing)}.")
