"""The time of each SQL function with a million jobs in the table and a hundred concurrent connections."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg

from benchmarks.jobs_throughput import finished, registration, together
from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.database.transport import Argument
from shared.sign_in.auth import User

_FILL = Path(__file__).with_name("million_jobs.sql")
ROUNDS = 1_000
_FEW = 100  # of what asks for all jobs at once
_LARGEST = UUID(int=0)  # the owner of every tenth job


def fill(server: Postgres) -> None:
    """Put a million jobs of a thousand owners into the tables; one owner has a tenth of them."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(
            "truncate assay.owners, assay.uploads, assay.jobs, assay.attempts, assay.outputs, assay.job_events, "
            "assay.deletions cascade"
        )
        connection.execute(_FILL.read_bytes())
        connection.execute("vacuum analyze")


def measure(server: Postgres) -> dict[str, list[float]]:
    """Call each function as the largest owner, or the worker, would; milliseconds of each call, sorted."""
    database = PsycopgDatabase(server.authenticator_url)
    user = User(_LARGEST)
    times: dict[str, list[float]] = {}

    def timed(name: str, arguments: dict[str, Argument], as_user: User | None = None) -> Any:  # noqa: ANN401  # looked into freely
        start = time.perf_counter()
        answer = database.call(name.partition(" ")[0], arguments, as_user)
        times.setdefault(name, []).append((time.perf_counter() - start) * 1000)
        return answer

    for number in range(ROUNDS):
        sha256 = hashlib.sha256(uuid4().bytes).hexdigest()
        registered = timed("register_upload", registration(sha256), user)
        timed("object_created", {"p_key": f"uploads/{_LARGEST}/{sha256}"})
        claim: dict[str, Argument] = {"p_worker": str(uuid4()), "p_lease_seconds": 90, "p_memory_mb": 1024}
        claimed = timed("claim_job", claim)
        job_id, attempt = claimed["job"]["job_id"], claimed["attempt"]
        fence: dict[str, Argument] = {"p_job_id": job_id, "p_attempt": attempt}
        timed(
            "report_progress",
            fence
            | {
                "p_lease_seconds": 90,
                "p_progress": 0.5,
                "p_stage": "reading",
                "p_detection": None,
                "p_max_attempts": None,
            },
        )
        ends: list[Callable[[], object]] = [
            lambda: timed("finish_job", finished(job_id, attempt)),  # noqa: B023  # called at once
            lambda: timed(
                "fail_job",
                fence  # noqa: B023
                | {"p_error": {"code": "c", "detail": "d", "suggestion": "s"}, "p_retry_after_seconds": None},
            ),
            lambda: timed("await_type", fence | {"p_detection": {"confidence": 0.1}}),  # noqa: B023
        ]
        ends[number % 3]()
        timed("register_upload (cached)", registration(sha256), user)
        mine = {"p_job_id": registered["job"]["job_id"]}
        timed("get_job", mine, user)
        timed("list_outputs", mine, user)
        page: dict[str, Argument] = {"p_limit": 21, "p_before_created_at": None, "p_before_job_id": None}
        jobs = timed("list_jobs", page | {"p_status": None}, user)
        timed("list_jobs (one status)", page | {"p_status": "done"}, user)
        last = jobs[-1]
        timed(
            "list_jobs (next page)",
            page | {"p_status": None, "p_before_created_at": last["created_at"], "p_before_job_id": last["job_id"]},
            user,
        )
        timed("cancel_job", mine, user)
        timed("retry_job", mine, user)
        timed("cancel_job", mine, user)
        timed("reprocess_job", mine, user)
        timed("delete_job", mine, user)
    for _ in range(_FEW):
        timed("sweep_jobs", {"p_upload_seconds": 86400, "p_quiet_seconds": 900})
        timed("clean_up", {"p_quiet_seconds": 120})
    for values in times.values():
        values.sort()
    times["insert of the same rows"] = sorted(_inserts(server))
    return times


def _inserts(server: Postgres) -> list[float]:
    """Insert what register_upload inserts, in one statement, with no trigger and no check of rights."""
    statement = """
        with upload as (
            insert into assay.uploads (owner, sha256, size_bytes, filename) values (%s, %s, 10, 'river.csv')
            returning upload_id, owner
        ), job as (
            insert into assay.jobs (owner, upload_id, filename, size_bytes)
            select owner, upload_id, 'river.csv', 10 from upload returning job_id, owner
        )
        insert into assay.job_events (job_id, owner, attempt, event) select job_id, owner, 0, 'awaiting_upload' from job
    """
    times = []
    with psycopg.connect(
        server.superuser_url,
        autocommit=True,
        options="-c session_replication_role=replica",
        cursor_factory=psycopg.ClientCursor,
    ) as connection:
        for _ in range(ROUNDS):
            values = (_LARGEST, hashlib.sha256(uuid4().bytes).hexdigest())
            start = time.perf_counter()
            connection.execute(statement, values)
            times.append((time.perf_counter() - start) * 1000)
    return times


def table(times: dict[str, list[float]]) -> str:
    """Lay it out, the slowest p99 first."""
    lines = ["With a million jobs (ms)", f"{'':28}{'p50':>8}{'p99':>8}{'aim':>6}"]
    for name, values in sorted(times.items(), key=lambda item: -_p99(item[1])):
        lines.append(f"{name:28}{median(values):8.2f}{_p99(values):8.2f}{'50':>6}")
    ratio = median(times["register_upload"]) / median(times["insert of the same rows"])
    lines.append(f"register_upload's p50 is {ratio:.2f} times the insert's (aim 2)")
    return "\n".join(lines) + "\n"


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]


def held(server: Postgres, connections: int) -> str:
    """Call from so many connections at once, each of which is kept; count what Postgres says are there."""
    database = PsycopgDatabase(server.authenticator_url)
    times: list[float] = []

    def work(_: int) -> None:
        user = User(uuid4())
        for _ in range(20):
            start = time.perf_counter()
            database.call("register_upload", registration(hashlib.sha256(uuid4().bytes).hexdigest()), user)
            times.append((time.perf_counter() - start) * 1000)

    together(range(connections), work)
    with psycopg.connect(server.superuser_url) as connection:
        row = connection.execute("select count(*) from pg_stat_activity where usename = 'authenticator'").fetchone()
    return (
        f"{cast('tuple[int]', row)[0]} connections held after {connections} threads called register_upload 20 times "
        f"each: p50 {median(times):.1f} ms, p99 {_p99(sorted(times)):.1f} ms, no error\n"
    )
