"""Run in a process of its own, as another user or in a namespace: the life of one Postgres, from initdb to its end.

Its arguments are a folder that holds the server's programs, and the folder of the stack. It prints JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil
import psycopg

from local.postgres.server import Postgres
from local.postgres.tools import run_tool
from local.processes import StackError


def main() -> None:
    """Start twice, write, read and dump between, and print what was seen."""
    binaries, home = Path(sys.argv[1]), Path(sys.argv[2])
    first, second = Postgres(home, binaries=binaries), Postgres(home, binaries=binaries)
    first.start()
    with psycopg.connect(first.superuser_url) as connection:
        connection.execute("create table if not exists kept as select 7 as number")
    second.start()  # a stray is recognised and ended, whoever it runs as
    stray_ended = not first.running
    with psycopg.connect(second.superuser_url) as connection:
        row = connection.execute("select number from kept").fetchone()
    dump = run_tool(binaries / "pg_dump", second.superuser_url, "--table=kept")
    second.stop()
    left = [process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(second.data)]
    seen = {"user": os.geteuid(), "row": row, "stray_ended": stray_ended, "dumped": "COPY public.kept" in dump}
    sys.stdout.write(json.dumps({**seen, "left": left}))


if __name__ == "__main__":
    try:
        main()
    except StackError as error:
        sys.exit(str(error))
