"""The data in a stack's folder: its database and its objects, and how a restored set takes their place."""

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
"""Files and folders that belong together: they are put aside, and put in place, all or none."""

_RESTORED = "restored-"
_REPLACED = "replaced-"


@dataclass(frozen=True)
class Data:
    """A database by the URL of its superuser, and the object store that belongs to it; both answer."""

    database_url: str
    ministack: MiniStack


def has_database(home: Path) -> bool:
    """Whether the folder holds a database of its own."""
    return (home / "postgres").exists()


def has_data(home: Path) -> bool:
    """Whether the folder holds a database or objects; with DATABASE_URL there are objects alone."""
    return has_database(home) or (home / "objects").exists()


@contextmanager
def opened(home: Path) -> Iterator[Data]:
    """Give access to the data: through the stack that runs on it, or else with its database and store alone started.

    Nothing else starts, so that no job runs and no migration is applied. Raises StackError if that cannot be, and
    BackupError if there is no data, or if the stack runs on another database than its own.
    """
    if not home.exists():
        raise _no_data(home)
    held = _held(home)
    if held is None:
        yield _running(home)
        return
    with held:
        settle(home)
        if not has_database(home):
            raise _no_data(home)
        with started(home) as data:
            yield data


@contextmanager
def started(home: Path) -> Iterator[Data]:
    """Start a database and an object store on the folder, which nobody else may use, and stop them afterwards."""
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
    """Lock the folder, or return None once a stack runs on it; one may be starting or stopping just now."""
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
    """The error for a database that is not the folder's own."""
    return BackupError(
        "given_database",
        "The database is another than Assay's own (DATABASE_URL); only its own is backed up and restored.",
        "Back that database up with its own tools (pg_dump), and the folder `objects` of ASSAY_HOME (.assay) after it.",
    )


def _no_data(home: Path) -> BackupError:
    return BackupError(
        "no_data", f"There is no database in {home}.", "Set ASSAY_HOME to the folder of the stack that is meant."
    )


def place(home: Path, new: Path, name: str) -> Path | None:
    """Put the parts of the data in `new`, a folder within `home`, in the place of those in `home`, at once.

    However this is interrupted: before its first step nothing has changed, after it `settle` does the rest. `name`
    tells this data from other data. Returns the folder that the former parts are in now, if there were any.
    """
    for part in PARTS:
        if not (new / part).exists():
            raise FileNotFoundError(f"{new} has no {part}")
    new.rename(home / f"{_RESTORED}{name}-{time.strftime('%Y%m%dT%H%M%S')}")
    return settle(home).get(name)


def settle(home: Path) -> dict[str, Path | None]:
    """Do what an interrupted `place` has left to do; only for whoever holds the folder's lock.

    Returns, by the name that was given, the folder of the former parts (None if there were none).
    """
    settled: dict[str, Path | None] = {}
    for new in sorted(home.glob(f"{_RESTORED}*")):
        aside = home / new.name.replace(_RESTORED, _REPLACED, 1)
        # A part that is in `new` no more is in place already; the one that it replaced went before it.
        for part in PARTS:
            if (new / part).exists():
                if (home / part).exists():
                    (home / part).rename(make_private(aside) / part)
                (new / part).rename(home / part)
        name = new.name.removeprefix(_RESTORED).rpartition("-")[0]
        settled[name] = aside if aside.exists() else None
        shutil.rmtree(new)
    return settled
