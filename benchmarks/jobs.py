"""How fast the job engine is, on one embedded Postgres: `make bench-jobs`.

1. Throughput with 1, 10 and 100 workers: register_upload, object_created, claim_job, finish_job of empty jobs with one
   output, beside procrastinate's defer and run of an empty task, on the same server in the same run. Both do all of
   phase one (register and arrive; defer) before phase two (claim and finish; run). procrastinate is given the better of
   its two ways: so many workers of one job each, or one worker of so many jobs at once.
2. What each SQL function takes with a million jobs in the table, p50 and p99, and register_upload beside a bare insert
   of the same rows.
3. A hundred connections at once, all of them held.

Aims: 3 times procrastinate; p99 below 50 ms; register_upload's p50 within 2 times the insert's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import psycopg

from benchmarks import jobs_functions, jobs_throughput
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres

WORKERS = (1, 10, 100)
CONNECTIONS = 250


def main() -> None:
    """Run all three parts on a Postgres of their own."""
    with tempfile.TemporaryDirectory() as home:
        server = Postgres(Path(home))
        server.start()
        try:
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                connection.execute(f"alter system set max_connections = {CONNECTIONS}".encode())
            server.stop()
            server.start()
            apply_migrations(server.superuser_url)
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                version = connection.execute("show server_version").fetchone()
                # The limits are not what is measured here.
                connection.execute(
                    "update assay.plans set uploads_per_hour = 1000000000, running_jobs = 1000000, "
                    "stored_bytes = 9000000000000000"
                )
            _print(f"Postgres {version[0] if version else '?'}, Python {sys.version.split()[0]}, fsync on\n")
            _print(jobs_throughput.table(server, WORKERS))
            jobs_functions.fill(server)
            _print(jobs_functions.table(jobs_functions.measure(server)))
            _print(jobs_functions.held(server, connections=100))
        finally:
            server.stop()


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
