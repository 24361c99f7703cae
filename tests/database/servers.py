"""The Postgres servers at hand: hosted Supabase runs 15 or 17, the embedded one is 16."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from local.postgres.server import embedded_binaries


def servers() -> dict[str, Path]:
    """The `bin` folders of the wheel's two servers, and of the one on PATH if it is one that Supabase may run."""
    embedded = embedded_binaries()
    found = {"embedded": embedded, "newest": embedded.parents[1] / "pginstall18" / "bin"}
    if on_path := shutil.which("postgres"):
        version = subprocess.run([on_path, "--version"], capture_output=True, text=True, check=True).stdout
        if re.search(r"\) 1[5-7]\.", version):
            found["on PATH"] = Path(on_path).resolve().parent
    return found


SERVERS = servers()
# For servers whose data nobody needs after a crash of the machine.
WITHOUT_SYNC = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
