"""The data in a stack's folder (database and objects), and its replacement by restored data."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assay.write.private import read_object
from local.backup.format import BackupError
from local.home import make_private
from local.ministack.ministack import MiniStack
from local.postgres.server import Postgres
from local.processes import START_SECONDS, StackError
from local.running import has_embedded_database, lock, running_stack

PARTS = ("objects", "ministack", "token.json", "owner", "postgres.json", "postgres")
"""The parts of the data. They are moved together or not at all."""

_RESTORED = "restored-"
_REPLACED = "replaced-"


@dataclass(frozen=True)
class Data:
    """A running database, by the URL of its superuser, and its object store."""

    database_url: str
    ministack: MiniStack


def has_database(home: Path) -> bool:
    """Whether the folder has a database."""
    return (home / "postgres").exists()


def has_data(home: Path) -> bool:
    """Whether the folder has a database or objects; with DATABASE_URL there are only objects."""
    return has_database(home) or (home / "objects").exists()


@contextmanager
def opened(home: Path) -> Iterator[Data]:
    """Open the data: through the running stack, or by starting only its database and object store.

    Nothing else is started, so no job runs and no migration is applied. Raises StackError if that fails, and
    BackupError if there is no data or the stack uses the database of DATABASE_URL.
    """
    if not home.exists():
        raise _no_data(home)
    lock = _held(home)
    if lock is None:
        yield _running(home)
        return
    with lock:
        settle(home)
        if not has_database(home):
            raise _no_data(home)
        with started(home) as data:
            yield data


@contextmanager
def started(home: Path) -> Iterator[Data]:
    """Start the database and the object store on the locked folder, and stop them afterwards."""
    postgres = Postgres(home)
    postgres.start()
    try:
        ministack = MiniStack(home)
        ministack.start()
        try:
            yield Data(postgres.superuser_url, ministack)
        finally:
            ministack.stop()
    finally:
        postgres.stop()


def _held(home: Path) -> IO[bytes] | None:
    """Lock the folder, or return None if a stack is running on it. Waits while a stack is starting or stopping."""
    deadline = time.monotonic() + START_SECONDS
    while running_stack(home) is None:
        try:
            return lock(home)
        except StackError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
    return None


def _running(home: Path) -> Data:
    if not has_embedded_database(home):
        raise given_database()
    ports = {name: port for name, port in read_object(home / "ports.json").items() if isinstance(port, int)}
    return Data(Postgres(home, port=ports["postgres"]).superuser_url, MiniStack(home, port=ports["object_store"]))


def given_database() -> BackupError:
    """Return the error for the database of DATABASE_URL."""
    return BackupError(
        "given_database",
        "DATABASE_URL is set; only the embedded database can be backed up and restored.",
        "Back up that database with its own tools (pg_dump), and then the folder `objects` of ASSAY_HOME (.assay).",
    )


def _no_data(home: Path) -> BackupError:
    return BackupError("no_data", f"There is no database in {home}.", "Set ASSAY_HOME to the folder of the stack.")


def place(home: Path, new: Path, name: str) -> Path | None:
    """Replace the data in `home` by the data in `new`, a folder inside `home`, atomically.

    If it is interrupted after its first step, `settle` completes it. `name` identifies the new data. Returns the folder
    with the previous data, if there was any.
    """
    for part in PARTS:
        if not (new / part).exists():
            raise FileNotFoundError(f"{new} has no {part}")
    new.rename(home / f"{_RESTORED}{name}-{time.strftime('%Y%m%dT%H%M%S')}")
    return settle(home).get(name)


def settle(home: Path) -> dict[str, Path | None]:
    """Complete an interrupted `place`. The caller must hold the folder's lock.

    Returns the folder of the previous data (None if there was none), by the name of the new data.
    """
    settled: dict[str, Path | None] = {}
    for new in sorted(home.glob(f"{_RESTORED}*")):
        aside = home / new.name.replace(_RESTORED, _REPLACED, 1)
        # A part that is no longer in `new` is already in place, and the part that it replaced was moved before.
        for part in PARTS:
            if (new / part).exists():
                if (home / part).exists():
                    (home / part).rename(make_private(aside) / part)
                (new / part).rename(home / part)
        name = new.name.removeprefix(_RESTORED).rpartition("-")[0]
        settled[name] = aside if aside.exists() else None
        shutil.rmtree(new)
    return settled
