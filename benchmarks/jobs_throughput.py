"""Jobs per second: Assay's SQL functions compared with procrastinate.

The workers of either side are spread over the same number of processes, four at most: as threads with a connection
each, or as procrastinate runs them, in one event loop a process.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import NamedTuple, cast
from uuid import UUID, uuid4

import procrastinate
import psycopg
from psycopg.conninfo import make_conninfo

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.database.transport import Argument
from shared.sign_in.auth import User

JOBS = {1: 2000, 10: 6000, 100: 6000}
_PROCESSES = 4
_SHA256 = "a" * 64


class Throughput(NamedTuple):
    """Seconds of the two phases for so many jobs."""

    jobs: int
    first: float
    second: float

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.jobs / (self.first + self.second)


def table(server: Postgres, workers: tuple[int, ...]) -> str:
    """Measure, and lay it out: jobs a second and the ratio."""
    lines = [
        "Jobs a second, and the seconds of both phases",
        (
            f"{'workers':>7}  {'procrastinate':>24}  {'bytes known':>24}{'ratio':>7}"
            f"  {'bytes sent':>24}{'ratio':>7}{'aim':>5}"
        ),
    ]
    for number in workers:
        theirs = max(_procrastinate(server, number, alone=True), _procrastinate(server, number, alone=False), key=_rate)
        known, sent = _assay(server, number, known=True), _assay(server, number, known=False)
        cells = [f"{one.rate:6.0f} ({one.first:6.2f} + {one.second:6.2f})" for one in (theirs, known, sent)]
        lines.append(
            f"{number:7}  {cells[0]:>24}  {cells[1]:>24}{known.rate / theirs.rate:7.2f}  "
            f"{cells[2]:>24}{sent.rate / theirs.rate:7.2f}{'3':>5}"
        )
    return "\n".join(lines) + "\n"


def _rate(one: Throughput) -> float:
    return one.rate


def _in_processes(target: Callable[..., None], workers: int, *arguments: object) -> tuple[float, float]:
    """Run it in processes that wait for one another before and after either phase; return the seconds of the phases."""
    spawn = multiprocessing.get_context("spawn")
    number = min(workers, _PROCESSES)
    barrier = spawn.Barrier(number + 1)
    shares = [workers // number + (index < workers % number) for index in range(number)]
    processes = [
        spawn.Process(target=target, args=(barrier, range(sum(shares[:index]), sum(shares[: index + 1])), *arguments))
        for index in range(number)
    ]
    for process in processes:
        process.start()
    times = []
    for _ in range(3):
        barrier.wait(timeout=600)
        times.append(time.perf_counter())
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError("a process of the benchmark failed")
    return times[1] - times[0], times[2] - times[1]


def _assay(server: Postgres, workers: int, *, known: bool) -> Throughput:
    """Register, then claim and finish; with bytes that lie in the store from before, or that are told of as new."""
    each = JOBS[workers] // workers
    files = {str(uuid4()): [hashlib.sha256(uuid4().bytes).hexdigest() for _ in range(each)] for _ in range(workers)}
    if known:
        with psycopg.connect(server.superuser_url) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "insert into assay.uploads (owner, sha256, size_bytes, filename, stored_at) "
                "values (%s, %s, 10, 'a', now())",
                [(owner, sha256) for owner, hashes in files.items() for sha256 in hashes],
            )
    first, second = _in_processes(_assay_process, workers, server.authenticator_url, known, files)
    return Throughput(each * workers, first, second)


def _assay_process(barrier: Barrier, workers: range, url: str, known: bool, files: dict[str, list[str]]) -> None:
    database = PsycopgDatabase(url)

    def register(worker: int) -> None:
        owner, hashes = list(files.items())[worker]
        for sha256 in hashes:
            database.call("register_upload", registration(sha256), User(UUID(owner)))
            if not known:
                database.call("object_created", {"p_key": f"uploads/{owner}/{sha256}"}, None)

    def process(worker: int) -> None:
        while True:
            arguments: dict[str, Argument] = {
                "p_worker": f"{worker}:{uuid4()}",
                "p_lease_seconds": 90,
                "p_memory_mb": 1024,
            }
            claim = cast("dict[str, dict[str, str]]", database.call("claim_job", arguments, None))
            if not claim["claimed"]:
                return
            database.call("finish_job", finished(claim["job"]["job_id"], cast("int", claim["attempt"])), None)

    together(workers, lambda _: database.ping())  # every connection is made
    barrier.wait()
    together(workers, register)
    barrier.wait()
    together(workers, process)
    barrier.wait()


def registration(sha256: str) -> dict[str, Argument]:
    """Arguments of register_upload for a file of ten bytes."""
    return {
        "p_filename": "river.csv",
        "p_size_bytes": 10,
        "p_sha256": sha256,
        "p_dataset_type": None,
        "p_parameters": {},
        "p_on_duplicate": "reuse",
        "p_pipeline_versions": {"station_measurements": "1.0.0"},
    }


def finished(job_id: str | UUID, attempt: int) -> dict[str, Argument]:
    """Arguments of finish_job with one output."""
    return {
        "p_job_id": job_id,
        "p_attempt": attempt,
        "p_dataset_type": "station_measurements",
        "p_pipeline": "station_measurements",
        "p_pipeline_version": "1.0.0",
        "p_summary": {"rows_read": 1},
        "p_manifest_sha256": _SHA256,
        "p_outputs": [{"name": "manifest.json", "media_type": "application/json", "size_bytes": 5, "sha256": _SHA256}],
    }


def together(workers: range, work: Callable[[int], None]) -> None:
    """Run it for each worker in a thread, all at once, and wait for them. Raises what the first of them raised."""
    errors: list[Exception] = []

    def one(worker: int) -> None:
        try:
            work(worker)
        except Exception as error:  # noqa: BLE001  # raised below, in the thread that waits
            errors.append(error)

    running = [threading.Thread(target=one, args=(worker,)) for worker in workers]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if errors:
        raise errors[0]


def _procrastinate(server: Postgres, workers: int, *, alone: bool) -> Throughput:
    """Defer, then run: in each process one worker that does several jobs at once, or several that do one each."""
    jobs = JOBS[workers] // workers
    name = f"procrastinate_{uuid4().hex}"
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    url = make_conninfo(server.superuser_url, dbname=name)
    with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open() as app:
        app.schema_manager.apply_schema()
    first, second = _in_processes(_procrastinate_process, workers, url, jobs, alone)
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from procrastinate_jobs where status = 'succeeded'").fetchone()
    if row != (jobs * workers,):
        raise RuntimeError(f"{row} of {jobs * workers} tasks ran")
    return Throughput(jobs * workers, first, second)


def _procrastinate_process(barrier: Barrier, workers: range, url: str, jobs: int, alone: bool) -> None:
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    asyncio.run(_procrastinate_loop(barrier, len(workers), url, jobs, alone=alone))


async def _procrastinate_loop(barrier: Barrier, workers: int, url: str, jobs: int, *, alone: bool) -> None:
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=url, min_size=workers, max_size=workers + 1)
    )

    @app.task(name="nothing")
    async def nothing(number: int) -> None:
        """Do nothing with an argument."""

    async def defer(worker: int) -> None:
        for number in range(jobs):
            await nothing.defer_async(number=worker * jobs + number)

    async with app.open_async():
        barrier.wait()
        await asyncio.gather(*(defer(worker) for worker in range(workers)))
        barrier.wait()
        await asyncio.gather(
            *(
                app.run_worker_async(
                    concurrency=workers if alone else 1,
                    wait=False,
                    install_signal_handlers=False,
                    listen_notify=False,
                )
                for _ in range(1 if alone else workers)
            )
        )
        barrier.wait()
