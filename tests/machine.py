"""What a test needs of the machine, and not every machine has."""

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


def require_curl() -> None:
    """The documents' commands are run as they stand, and most call curl."""
    if shutil.which("curl") is None:
        not_tested_here("the documents' commands. There is no curl.")
