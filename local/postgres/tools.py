"""Runs Postgres's client programs, such as pg_dump."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from local.processes import StackError


def run_tool(program: Path, url: str, *arguments: str) -> str:
    """Run the program on the database at `url` and return its output. Files that it writes are private to the user.

    The password is passed in the environment, where other users cannot see it. Raises StackError with the program's
    error.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    command = [str(program), "--host", parts["host"], "--port", parts["port"], "--username", parts["user"]]
    command += ["--dbname", parts["dbname"], *arguments]
    environment = os.environ | {"PGPASSWORD": parts["password"]}
    completed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, umask=0o077)
    if completed.returncode != 0:
        raise StackError(
            f"{program.name} failed: {completed.stderr.strip() or f'it ended with {completed.returncode}'}"
        )
    return completed.stdout
