"""The machine and the versions that a benchmark ran with."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version


def described(*packages: str) -> str:
    """Say it in one line: cores, memory, system, Python and the versions of `packages`."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = f"Python {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, {python}{', ' if versions else ''}{versions}"
