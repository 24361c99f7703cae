"""The local stack: Postgres, MiniStack, the API and the queue's poller on one machine, in one folder.

stack = Stack(home)
stack.start()
...  # stack.url, stack.token_for(owner)
stack.stop()
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO

import httpx
import psycopg

from assay.write.private import read_object, write_object
from local import processes
from local.aws.api import last_request_file
from local.aws.keeper import Keeper
from local.backup.home_data import settle
from local.home import LOOPBACK, free_port, make_private
from local.ministack.ministack import BUCKET, NEWS_QUEUE, REGION, MiniStack
from local.postgres.given import without_password
from local.postgres.migrations import apply_migrations, bootstrap
from local.postgres.server import Postgres
from local.processes import StackError
from local.recovery import tell_again
from local.running import announce, lock, withdraw
from local.tokens import Issuer, local_owner

_BUSY = "select exists (select from assay.jobs where status in ('queued', 'running'))"
_LARGEST_PLAN = """
select public.set_plan(%(owner)s, 'enterprise')
where not exists (select from assay.owners where owner = %(owner)s and plan = 'enterprise')
"""


class Stack:
    """A local stack under `home`.

    `port` is the API's; by default the last one is used again if it is free. `database_url` replaces the embedded
    Postgres; its user must be allowed to create roles. Call `start` from a thread that outlives the stack: on Linux,
    Postgres and MiniStack end with the thread that started them, so that nothing survives a `kill -9`.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        database_url: str | None = None,
        lease_seconds: int = 30,
        retry_base_seconds: int = 2,
    ) -> None:
        self.home = home.resolve()
        self._port = port
        self._given_database_url = database_url
        self._lease_seconds = lease_seconds
        self._retry_base_seconds = retry_base_seconds
        self._lock: IO[bytes] | None = None
        self._postgres: Postgres | None = None
        self._ministack: MiniStack | None = None
        self._keepers: list[Keeper] = []
        self.url = ""
        self.env: dict[str, str] = {}

    @property
    def database_url(self) -> str:
        """The database URL of the functions: the role `authenticator` in the embedded Postgres."""
        return self._given_database_url or self.postgres.authenticator_url

    @property
    def superuser_url(self) -> str:
        """The database URL for migrations, and for tests that bypass row level security."""
        return self._given_database_url or self.postgres.superuser_url

    @property
    def postgres(self) -> Postgres:
        """The embedded Postgres. Raises StackError if there is none."""
        if self._postgres is None:
            raise StackError("The embedded Postgres is not running: the stack is not started, or DATABASE_URL is set.")
        return self._postgres

    @property
    def ministack(self) -> MiniStack:
        """The object store and the queue. Raises StackError before the start."""
        if self._ministack is None:
            raise StackError("The stack is not started.")
        return self._ministack

    @property
    def worker_pid(self) -> int | None:
        """Process id of the poller, which runs functions/process; None while it is restarted."""
        return next((keeper.pid for keeper in self._keepers if keeper.name == "poller"), None)

    @property
    def owner(self) -> uuid.UUID:
        """The user that the command line signs in as."""
        return local_owner(self.home)

    def token_for(self, owner: uuid.UUID, lifetime: timedelta = timedelta(hours=1)) -> str:
        """Return a token for this user."""
        return Issuer(self.home, self.url).issue_token(owner, lifetime)

    def start(self, tell: Callable[[str], None] = lambda _step: None) -> None:
        """Start all parts and wait until the API answers. On an error, stops the started parts and raises StackError.

        `tell` is called with each slow step.
        """
        make_private(self.home)
        make_private(self.home / "logs")
        self._lock = lock(self.home)
        try:
            settle(self.home)
            self._start(tell)
        except BaseException:
            self.stop()
            raise

    def _start(self, tell: Callable[[str], None]) -> None:
        for leftover in ("api", "poller", "ministack"):
            processes.stop_recorded(self.home / f"{leftover}.process.json")
        scratch = self.home / "tmp"
        if scratch.exists():
            shutil.rmtree(scratch)  # a killed worker leaves its copy of a file there
        make_private(scratch)
        kept = read_object(self.home / "ports.json")
        ports = {name: free_port(_port(kept.get(name))) for name in ("api", "object_store", "postgres")}
        if self._port is not None:
            if free_port(self._port) != self._port:
                raise StackError(f"Port {self._port} is taken: free it, or choose another one with ASSAY_PORT.")
            ports["api"] = self._port
        write_object(self.home / "ports.json", {**ports})
        self.url = f"http://{LOOPBACK}:{ports['api']}"

        if self._given_database_url is None:
            tell("Starting Postgres")
            self._postgres = Postgres(self.home, port=ports["postgres"])
            self._postgres.start()
        tell("Applying the database migrations")
        with without_password(self.superuser_url):
            if self._given_database_url is not None:
                with psycopg.connect(self._given_database_url) as connection:
                    bootstrap(connection)
            apply_migrations(self.superuser_url)
            with psycopg.connect(self.superuser_url) as connection:
                connection.execute(_LARGEST_PLAN, {"owner": self.owner})  # the owner of the machine
        tell("Starting MiniStack, the object store and queue")
        self._ministack = MiniStack(self.home, port=ports["object_store"], visibility_seconds=self._lease_seconds + 5)
        self._ministack.start()
        with without_password(self.superuser_url):
            tell_again(self.superuser_url, self._ministack)

        tell("Starting the API and the worker")
        self.env = self._environment()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_"))}
        environment = {**inherited, **self.env, "ASSAY_HOME": str(self.home), "TMPDIR": str(scratch)}
        for name in ("api", "poller"):
            keeper = Keeper(name, [sys.executable, "-m", f"local.aws.{name}"], self.home, environment)
            self._keepers.append(keeper)
            keeper.start()
        self._wait()
        last_request_file(self.home).touch()
        announce(self.home, self.url, embedded_database=self._postgres is not None)

    def stop(self) -> None:
        """Stop all parts within seconds. Does nothing if none is running."""
        withdraw(self.home)
        while self._keepers:
            self._keepers.pop().stop()
        if self._ministack is not None:
            self._ministack.stop()
        if self._postgres is not None:
            self._postgres.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def dead_part(self) -> str | None:
        """An error message if a part has ended that is not restarted, or not any more; otherwise None."""
        if self._postgres is not None and not self._postgres.running:
            return f"Postgres ended unexpectedly; its log is {self._postgres.log}."
        if self._ministack is not None and not self._ministack.running:
            return f"MiniStack ended unexpectedly; its log is {self._ministack.log}."
        for keeper in self._keepers:
            if keeper.gave_up:
                return f"The process {keeper.name} ended soon after each start; its log is {keeper.log}."
        return None

    def is_idle(self, seconds: float) -> bool:
        """Whether there was no request for this long and no job is queued or running. Such a job counts as a request.

        Raises StackError if the database does not answer.
        """
        last_request = last_request_file(self.home)
        if time.time() - last_request.stat().st_mtime <= seconds:
            return False
        with without_password(self.superuser_url), psycopg.connect(self.superuser_url) as connection:
            row = connection.execute(_BUSY).fetchone()
        if row is not None and row[0]:
            last_request.touch()
            return False
        return True

    def _environment(self) -> dict[str, str]:
        """Return the environment for shared/settings.py, boto3 and Powertools."""
        key_id, secret = self.ministack.access_key
        around_proxies = ",".join(filter(None, [os.environ.get("NO_PROXY"), LOOPBACK, "localhost"]))
        return {
            "DATABASE_URL": self.database_url,
            "SUPABASE_URL": self.url,
            "OBJECT_STORE_BUCKET": BUCKET,
            "OBJECT_STORE_ENDPOINT": self.ministack.endpoint,
            "OBJECT_STORE_REGION": REGION,
            "OBJECT_STORE_ACCESS_KEY_ID": key_id,
            "OBJECT_STORE_SECRET_ACCESS_KEY": secret,
            "QUEUE_URL": self.ministack.queue_url(),
            "NEWS_QUEUE_URL": self.ministack.queue_url(NEWS_QUEUE),
            "LEASE_SECONDS": str(self._lease_seconds),
            "RETRY_BASE_SECONDS": str(self._retry_base_seconds),
            "WEBHOOK_PRIVATE_ADDRESSES": "true",
            "AWS_ENDPOINT_URL_SQS": self.ministack.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_CONFIG_FILE": os.devnull,  # ignore the user's AWS profile
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": around_proxies,
            "no_proxy": around_proxies,
            "POWERTOOLS_TRACE_DISABLED": "true",
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + processes.START_SECONDS
        api = self._keepers[0]
        with httpx.Client(trust_env=False, timeout=10) as client:
            while True:
                try:
                    answer = client.get(f"{self.url}/health")
                    if answer.is_success:
                        return
                    reason = answer.text
                except httpx.TransportError as error:
                    reason = str(error)
                if time.monotonic() > deadline or api.ended > 1:
                    raise StackError(
                        f"The API did not start ({reason}). The last lines of {api.log}:\n{processes.tail(api.log)}"
                    )
                time.sleep(0.05)


def _port(value: object) -> int | None:
    return value if isinstance(value, int) else None
