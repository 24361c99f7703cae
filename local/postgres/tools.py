"""Runs the programs that come with Postgres, such as pg_dump, on a database."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from local.processes import StackError


def run_tool(program: Path, url: str, *arguments: str) -> str:
    """Run the program on the database at `url` and return what it prints; files that it writes are for us alone.

    The password goes by the environment, where other users cannot see it. Raises StackError with what the program says.
    """
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    command = [str(program), "--host", parts["host"], "--port", parts["port"], "--username", parts["user"]]
    command += ["--dbname", parts["dbname"], *arguments]
    environment = os.environ | {"PGPASSWORD": parts["password"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, umask=0o077)
    if done.returncode != 0:
        raise StackError(f"{program.name} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}")
    return done.stdout
