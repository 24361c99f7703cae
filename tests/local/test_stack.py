"""The local stack: start, stop, and start after a kill -9."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.client import Client, LocalFile
from assay.client.models import Job
from local.aws.api import last_request_file
from local.home import PROJECT
from local.postgres.server import Postgres
from local.processes import StackError, is_alive, recorded
from local.running import has_embedded_database, running_stack
from local.stack import Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("stack"))
    running.start()
    yield running
    running.stop()


def test_everything_listens_on_loopback_alone(stack: Stack) -> None:
    us = psutil.Process()
    listening = [
        connection.laddr.ip
        for process in us.children(recursive=True)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_secrets_are_for_the_user_alone(stack: Stack) -> None:
    readable = [
        path.name
        for path in stack.home.iterdir()
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077 and path.stat().st_size
    ]
    assert readable == []


def test_whose_machine_it_is_has_the_largest_plan(stack: Stack) -> None:
    with psycopg.connect(stack.superuser_url) as connection:
        plan = connection.execute("select plan from assay.owners where owner = %s", (stack.owner,)).fetchone()
    assert plan == ("enterprise",)


def test_second_stack_on_the_same_folder_is_refused(stack: Stack) -> None:
    with pytest.raises(StackError, match="already runs"):
        Stack(stack.home).start()
    assert httpx.get(f"{stack.url}/health", trust_env=False).status_code == 200


def test_up_on_a_stack_that_runs_prints_its_address_and_a_token(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(stack.home))
    for option in ([], ["--port", stack.url.rsplit(":", 1)[1]]):
        done = CliRunner().invoke(app, ["up", *option])
        assert (done.exit_code, "runs already" in done.stderr) == (0, True), done.output
        variables = dict(line.removeprefix("export ").split("=", 1) for line in re.findall("export .*", done.stdout))
        assert variables["ASSAY_URL"] == stack.url
        headers = {"authorization": f"Bearer {variables['ASSAY_TOKEN']}"}
        assert httpx.get(f"{stack.url}/jobs", headers=headers, trust_env=False).status_code == 200
    refused = CliRunner().invoke(app, ["up", "--port", "1"])
    assert (refused.exit_code, "already runs" in refused.stderr) == (1, True), "it does not listen there"


def test_port_that_is_taken_is_refused(stack: Stack, tmp_path: Path) -> None:
    port = int(stack.url.rsplit(":", 1)[1])
    with pytest.raises(StackError, match=f"Port {port} is taken"):
        Stack(tmp_path, port=port).start()


def test_tokens_of_the_stack_sign_in_and_others_do_not(stack: Stack, tmp_path: Path) -> None:
    def jobs(token: str) -> int:
        headers = {"authorization": f"Bearer {token}"}
        return httpx.get(f"{stack.url}/jobs", headers=headers, trust_env=False).status_code

    assert jobs(stack.token_for(uuid.uuid4())) == 200
    other = Stack(tmp_path)
    other.url = stack.url
    assert jobs(other.token_for(uuid.uuid4())) == 401


def test_worker_that_is_killed_is_started_again(stack: Stack) -> None:
    killed = stack.worker_pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while stack.worker_pid in {None, killed}:
        assert time.monotonic() < deadline
        assert httpx.get(f"{stack.url}/health", trust_env=False).status_code == 200  # the API goes on meanwhile


Up = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def up() -> Iterator[Up]:
    """Start `assay up` in a process of its own and wait until it says that it is up."""
    started: list[subprocess.Popen[str]] = []

    def start(home: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "assay.cli", "up"],
            cwd=PROJECT,
            env={**os.environ, "ASSAY_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Assay is running at http://127.0.0.1:")
        return process

    yield start
    for process in started:
        process.terminate()
        process.send_signal(signal.SIGCONT)
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what is left over")
def test_kill_9_of_the_supervisor_leaves_nothing_running(up: Up, tmp_path: Path) -> None:
    stack = up(tmp_path / "home")
    children = psutil.Process(stack.pid).children(recursive=True)
    stack.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [child for child in alive if is_alive(child)] == []
    assert running_stack(tmp_path / "home") is None


@pytest.mark.faults
def test_start_after_kill_9_of_everything_finds_and_finishes_the_job(up: Up, tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "a.csv"
    file.write_text("Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00:00,Data 2,1.411\n")
    first = up(home)
    stack = Stack(home)
    stack.url = str(running_stack(home))
    with Client(stack.url, stack.token_for(stack.owner)) as client:
        local = LocalFile.read(file)
        answer = client.register(local, None, {}, "reuse")
        first.send_signal(signal.SIGSTOP)  # or it would start again what dies
        poller = recorded(home / "poller.process.json")
        assert poller is not None
        poller.kill()
        assert answer.put is not None
        client.send(local, answer.put)  # so that nothing but the queue knows of it
    for child in psutil.Process(first.pid).children(recursive=True):
        child.kill()
    first.kill()
    first.wait()

    second = up(home)
    assert running_stack(home) == stack.url, "links made before the kill still lead here"
    with Client(stack.url, stack.token_for(stack.owner)) as client:
        deadline = time.monotonic() + 60

        def in_time(_job: Job) -> None:
            assert time.monotonic() < deadline

        job = client.wait(answer.job.job_id, in_time)
        assert job.status == "done", job
    began = time.monotonic()
    second.send_signal(signal.SIGINT)
    assert second.stdout is not None
    printed = second.stdout.read()
    assert second.wait(15) == 0
    assert time.monotonic() - began < 10
    assert running_stack(home) is None
    assert "ASSAY_TOKEN=" in printed


@pytest.mark.faults
@pytest.mark.parametrize("part", ["MiniStack", "Postgres"])
def test_stack_ends_when_a_part_that_it_needs_is_killed(up: Up, tmp_path: Path, part: str) -> None:
    home = tmp_path / "home"
    first = up(home)
    started = {"MiniStack": "ministack/server.py", "Postgres": "-D"}[part]
    (victim,) = [child for child in psutil.Process(first.pid).children() if started in " ".join(child.cmdline())]
    victim.kill()
    _, printed = first.communicate(timeout=30)
    assert first.returncode == 1
    assert f"{part} ended unexpectedly" in printed
    assert "Traceback" not in printed
    assert running_stack(home) is None
    up(home)


def test_busy_stack_is_not_idle_and_a_job_starts_the_clock_again(stack: Stack) -> None:
    last_request = last_request_file(stack.home)
    owner, an_hour_ago = stack.owner, time.time() - 3600
    with psycopg.connect(stack.superuser_url) as connection:
        connection.execute(
            "insert into assay.uploads (owner, sha256, size_bytes, filename) values (%s, %s, 1, 'a.csv')",
            (owner, "e" * 64),
        )
        connection.execute(
            "insert into assay.jobs (owner, upload_id, filename, size_bytes, status, run_after) select owner, "
            "upload_id, filename, size_bytes, 'queued', now() + interval '1 h' from assay.uploads where sha256 = %s",
            ("e" * 64,),
        )
    os.utime(last_request, (an_hour_ago, an_hour_ago))
    assert not stack.is_idle(3000)
    assert last_request.stat().st_mtime > an_hour_ago + 3000
    with psycopg.connect(stack.superuser_url) as connection:
        connection.execute("delete from assay.jobs where owner = %s", (owner,))
    assert not stack.is_idle(3000)
    os.utime(last_request, (an_hour_ago, an_hour_ago))
    assert stack.is_idle(3000)


def test_worker_s_copies_of_files_stay_in_the_home_and_go_at_the_next_start(up: Up, tmp_path: Path) -> None:
    scratch = tmp_path / "home" / "tmp"
    left = scratch / "assay-killed" / "secret.csv"
    left.parent.mkdir(parents=True)
    left.write_text("a")
    process = up(tmp_path / "home")
    assert not left.parent.exists()
    (worker,) = [one for one in psutil.Process(process.pid).children() if "local.aws.poller" in one.cmdline()]
    assert worker.environ()["TMPDIR"] == str(scratch)


def test_stack_stops_when_its_folder_s_state_is_gone(up: Up, tmp_path: Path) -> None:
    process = up(tmp_path / "home")
    assert json.loads((tmp_path / "home" / "stack.json").read_text())["pid"] == process.pid
    (tmp_path / "home" / "stack.json").unlink()
    assert process.wait(15) == 0


def test_stack_in_the_background_stops_when_nobody_asks_for_anything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assay.cli", "up", "--idle-stop", "0"]
    environment = {**os.environ, "ASSAY_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=90, check=False)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert running_stack(tmp_path / "home") is None


def test_another_postgres_takes_the_place_of_the_embedded_one(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "elsewhere")
    postgres.start()
    stack = Stack(tmp_path / "home", database_url=postgres.superuser_url)
    try:
        stack.start()
        with Client(stack.url, stack.token_for(stack.owner)) as client:
            assert client.jobs() == []
        assert not (tmp_path / "home" / "postgres").exists()
        assert not has_embedded_database(stack.home)
    finally:
        stack.stop()
        postgres.stop()
