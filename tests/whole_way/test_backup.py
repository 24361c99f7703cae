"""A stack is backed up while it works and then lost: the restored jobs end as usual."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from assay.client import Client, LocalFile
from local.backup.home_data import started
from local.home import PROJECT
from local.stack import Stack
from tests.whole_way.sending import write_measurements


def assay(home: Path, *arguments: object) -> str:
    """Run the command in a process of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "assay.cli", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, "ASSAY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def send(client: Client, path: Path) -> UUID:
    file = LocalFile.read(path)
    answer = client.register(file, None, {}, "reuse")
    if answer.put is not None:
        client.send(file, answer.put)
    return answer.job.job_id


def saved(client: Client, job_id: UUID, folder: Path) -> dict[str, bytes]:
    """Every output by its signed link; the client checks each hash."""
    folder.mkdir()
    outputs = client.outputs(job_id)
    return {one.name: client.save(one, client.link(one), folder).read_bytes() for one in outputs}


@pytest.mark.faults
def test_a_backup_in_the_middle_of_the_work_loses_nothing(tmp_path: Path) -> None:
    home, files = tmp_path / "home", [write_measurements(tmp_path / f"{rows}.csv", rows) for rows in range(10, 17)]
    long = write_measurements(tmp_path / "long.csv", 60_000)
    first = Stack(home, lease_seconds=3, retry_base_seconds=1)
    first.start()
    try:
        with Client(first.url, first.token_for(first.owner)) as client:
            done = send(client, files[0])
            assert client.wait(done).status == "done"
            before = saved(client, done, tmp_path / "before")
            running = send(client, long)
            while (status := client.job(running).status) != "running":
                assert status in {"awaiting_upload", "queued"}, "done before it could be stopped in the middle"
            assert first.worker_pid is not None
            os.kill(first.worker_pid, signal.SIGSTOP)  # it is in the middle until the backup is made
            uploading = threading.Thread(target=lambda: [send(client, file) for file in files])
            uploading.start()
            printed = assay(home, "backup", tmp_path / "backup")
            uploading.join()
            os.kill(first.worker_pid, signal.SIGCONT)
        owner = first.owner
    finally:
        first.stop()
    assert str(tmp_path / "backup") in printed
    shutil.rmtree(home)

    assay(home, "restore", tmp_path / "backup")
    with started(home) as data, psycopg.connect(data.database_url) as connection:
        kept: dict[UUID, str] = dict(connection.execute("select job_id, status from assay.jobs").fetchall())
    assert (kept[done], kept[running]) == ("done", "running")

    second = Stack(home, lease_seconds=3, retry_base_seconds=1)
    second.start()
    try:
        assert second.owner == owner
        with Client(second.url, second.token_for(owner)) as client:
            assert saved(client, done, tmp_path / "after") == before
            # Whoever sent a file whose bytes the backup came before sends it again.
            sent = [send(client, file) for file in files]
            assert {client.wait(job).status for job in {*kept, *sent, running}} == {"done"}
            assert set(kept) <= {*sent, running}
            assert len(client.job(running).attempts) == 2
            for job in kept:
                assert saved(client, job, tmp_path / str(job))
    finally:
        second.stop()
