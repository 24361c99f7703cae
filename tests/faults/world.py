"""A whole Assay whose parts can be made to fail: the real Postgres and MiniStack behind proxies, and real workers.

The API's handlers run in this process; each worker is a process of its own, so that it can be killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from functions.download.app import handler as download
from functions.upload.app import handler as upload
from local.ministack.ministack import BUCKET, NEWS_QUEUE, QUEUE, REGION, MiniStack
from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from tests.api import Answer, Client
from tests.environment import forget
from tests.faults.proxy import Proxy
from tests.issuer import Issuer

LEASE_SECONDS = 2
_LOG_BYTES = 4000
_END_SECONDS = 90
_PAUSE_SECONDS = 0.05


class Worker:
    """One worker process with a fault in it."""

    def __init__(self, env: dict[str, str], log: Path, step: str, what: str) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", step, what],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )

    def wait_until_killed(self) -> None:
        """Return when it has ended itself by SIGKILL."""
        assert self._process.wait(_END_SECONDS) == -signal.SIGKILL
        self._close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Wait until it has come to its step; let it go on at the end of the block."""
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        for line in self._process.stdout:
            if line == b"paused\n":
                break
        else:
            raise AssertionError("the worker ended before its step")
        yield
        self._process.stdin.write(b"go on\n")
        self._process.stdin.flush()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Wait until it has stopped itself, heartbeat and all (SIGSTOP); wake it at the end of the block."""
        pid, status = os.waitpid(self._process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status
        yield
        os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it and whatever it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()


class World:
    """Postgres, object store and queue behind proxies; `client` is a signed-in user of the API."""

    def __init__(self, home: Path, issuer: Issuer) -> None:
        self.home = home
        self.postgres = Postgres(home / "postgres")
        self.postgres.start()
        apply_migrations(self.postgres.superuser_url)
        self.ministack = MiniStack(home / "ministack", visibility_seconds=LEASE_SECONDS + 1)
        self.ministack.start()
        self.s3, self.sqs = self.ministack.s3(), self.ministack.sqs()
        self.database = Proxy(self.postgres.port)
        self.store = Proxy(self.ministack.port)
        self.queue = Proxy(self.ministack.port)
        self.log = home / "worker.log"
        self._issuer = issuer
        self._workers: list[Worker] = []
        self._log_from = 0
        key_id, secret = self.ministack.access_key
        self.env = {
            "DATABASE_URL": make_conninfo(self.postgres.authenticator_url, port=str(self.database.port)),
            "SUPABASE_URL": issuer.url.removesuffix("/auth/v1"),
            "OBJECT_STORE_BUCKET": BUCKET,
            "OBJECT_STORE_ENDPOINT": f"http://127.0.0.1:{self.store.port}",
            "OBJECT_STORE_ACCESS_KEY_ID": key_id,
            "OBJECT_STORE_SECRET_ACCESS_KEY": secret,
            "QUEUE_URL": self.ministack.queue_url(QUEUE),
            "NEWS_QUEUE_URL": self.ministack.queue_url(NEWS_QUEUE),
            "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{self.queue.port}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "RETRY_BASE_SECONDS": "1",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "TMPDIR": str(home / "tmp"),
        }
        (home / "tmp").mkdir()

    def close(self) -> None:
        """Stop all of it."""
        self.stop_workers()
        for proxy in (self.database, self.store, self.queue):
            proxy.close()
        self.ministack.stop()
        self.postgres.stop()

    def stop_workers(self) -> None:
        """Kill every worker."""
        while self._workers:
            self._workers.pop().stop()
        self._log_from = self.log.stat().st_size if self.log.exists() else 0

    def worker(self, step: str = "-", what: str = "none") -> Worker:
        """Start a worker; without arguments a healthy one."""
        worker = Worker({"PATH": os.environ["PATH"], **self.env}, self.log, step, what)
        self._workers.append(worker)
        return worker

    def user(self) -> User:
        """A new user of this Assay."""
        return User(self, uuid4(), self._issuer)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask Postgres itself, past the proxy and past row level security."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, query: str, *values: object) -> None:
        """Wait until a query finds a row. Raises AssertionError with the end of the worker's log."""
        pause = threading.Event()
        for _ in range(int(_END_SECONDS / _PAUSE_SECONDS)):
            if self.rows(query, *values):
                return
            pause.wait(_PAUSE_SECONDS)
        raise AssertionError(f"never came: {query}\n{self.log.read_bytes()[-_LOG_BYTES:].decode()}")

    def wait_for_log(self, words: str) -> None:
        """Wait until a worker has logged something since the last call of `stop_workers`."""
        pause = threading.Event()
        for _ in range(int(_END_SECONDS / _PAUSE_SECONDS)):
            if words.encode() in self.log.read_bytes()[self._log_from :]:
                return
            pause.wait(_PAUSE_SECONDS)
        raise AssertionError(f"never logged: {words}\n{self.log.read_bytes()[-_LOG_BYTES:].decode()}")

    def wait_until_ended(self, job_id: str) -> None:
        """Wait until a job has ended."""
        self.wait_for("select 1 from assay.jobs where job_id = %s and finished_at is not null", job_id)

    def keys(self) -> set[str]:
        """Every key in the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {one["Key"] for page in pages for one in page.get("Contents", [])}

    def purge(self) -> None:
        """Lose every message."""
        for name in (QUEUE, NEWS_QUEUE):
            self.sqs.purge_queue(QueueUrl=self.ministack.queue_url(name))

    def tell(self, message: str) -> None:
        """Tell of an object, as the object store does."""
        self.sqs.send_message(QueueUrl=self.ministack.queue_url(NEWS_QUEUE), MessageBody=message)

    def hint(self, message: str) -> None:
        """Put a hint into the queue."""
        self.sqs.send_message(QueueUrl=self.ministack.queue_url(QUEUE), MessageBody=message)


class User:
    """A signed-in client of the API."""

    def __init__(self, world: World, owner: UUID, issuer: Issuer) -> None:
        self.world = world
        self.owner = owner
        self._uploads = Client(upload, issuer, owner)
        self._queries = Client(download, issuer, owner)

    def register(self, content: bytes) -> Answer:
        """POST /uploads for bytes that come by the link."""
        body = {"filename": "river.csv", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return self._uploads.call("POST", "/uploads", json_body=body)

    def post_bytes(self, content: bytes) -> Answer:
        """POST /uploads with the bytes themselves."""
        return self._uploads.call("POST", "/uploads", body=content, query={"filename": "river.csv"})

    def put(self, registered: Answer, content: bytes) -> int:
        """PUT bytes to the link of an answer; return the HTTP status, 0 for none."""
        link = registered.json()["put"]
        try:
            return httpx.put(link["url"], content=content, headers=link["headers"], trust_env=False).status_code
        except httpx.TransportError:
            return 0

    def send(self, content: bytes) -> str:
        """Register and put; return the job's id."""
        registered = self.register(content)
        assert registered.status == 201, registered.body
        assert self.put(registered, content) == 200
        return cast("str", registered.json()["job"]["job_id"])

    def post(self, path: str) -> Answer:
        """Send a command."""
        return self._uploads.call("POST", path)

    def delete(self, path: str) -> Answer:
        """Have something deleted."""
        return self._uploads.call("DELETE", path)

    def job(self, job_id: str) -> dict[str, Any]:
        """A job as the API shows it."""
        return cast("dict[str, Any]", self._queries.call("GET", f"/jobs/{job_id}").json())

    def outputs(self, job_id: str) -> dict[str, bytes]:
        """Download each output by its link; its hash is compared with what the API says."""
        found = {}
        for output in self._queries.call("GET", f"/jobs/{job_id}/outputs").json()["outputs"]:
            answer = self._queries.call(
                "GET", f"/outputs/{output['output_id']}/download", headers={"accept": "application/json"}
            )
            content = httpx.get(answer.json()["url"], trust_env=False).content
            assert hashlib.sha256(content).hexdigest() == output["sha256"], output["name"]
            found[output["name"]] = content
        return found


def measurements(rows: int, mark: object) -> bytes:
    """A file that no other test sends; 40,000 rows are some 1.5 MB, which come in several pieces."""
    lines = [
        f"CT,2024-01-{1 + row % 28:02} {row % 24:02}:00,Data {row % 5},{row / 7:.3f},{mark}\n" for row in range(rows)
    ]
    return ("Station_ID,Date_Time,PCode,Result,Owner\n" + "".join(lines)).encode()


def manifest(outputs: dict[str, bytes]) -> dict[str, Any]:
    """The lineage among a job's outputs."""
    return cast("dict[str, Any]", json.loads(outputs["manifest.json"]))


@contextmanager
def environment(world: World) -> Iterator[None]:
    """Let the handlers of this process be those of this world."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.env.items():
            patch.setenv(name, value)
        forget()
        yield
    forget()
