"""`assay restore`: a backup becomes the data of this machine's stack.

Everything is verified first, then made anew beside the data that may be there, and put in its place at the very end.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from psycopg.sql import SQL, Identifier

from assay.write.private import write_object, write_private
from local import processes
from local.backup.format import (
    DATABASE,
    MANIFEST,
    BackedUpObject,
    BackupError,
    BackupManifest,
    Update,
    describe,
    disk_full,
    object_path,
    read_manifest,
    verify,
)
from local.backup.home_data import Data, has_data, place, settle, started
from local.backup.save import row_counts
from local.home import make_private
from local.ministack.ministack import BUCKET
from local.postgres.given import without_password
from local.postgres.migrations import apply_migrations, versions
from local.postgres.server import Postgres, embedded_binaries
from local.postgres.tools import run_tool
from local.processes import StackError
from local.running import lock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Restored:
    """What was restored, and the folder that the former data is in now (None if there was none)."""

    manifest: BackupManifest
    former: Path | None


def restore(home: Path, backup: Path, *, replace: bool, update: Update) -> Restored:
    """Make what is in `backup` the data of the stack in `home`; no stack may run there.

    Data that is there already is put aside if `replace` says so. Raises BackupError, StackError and OSError; nothing
    has changed then.
    """
    manifest = read_manifest(backup)
    _refuse_newer(backup, manifest)
    # By this name the same command knows, when it was killed at its last step, that it was this backup.
    name = describe(backup / MANIFEST).sha256[:12]
    with lock(make_private(home)):
        settled = settle(home)
        if name in settled:
            return Restored(manifest, settled[name])
        if has_data(home) and not replace:
            raise BackupError(
                "data_exists",
                f"There is data in {home} already.",
                "Restore with --replace, which puts it aside, or set ASSAY_HOME to another folder.",
            )
        verify(backup, manifest, update)
        new = home / "restoring"
        _clear(new)
        try:
            _make(make_private(new), backup, manifest, update)
            return Restored(manifest, place(home, new, name))
        except OSError as error:
            if disk_full(error):
                raise _no_space(home) from error
            raise
        finally:
            _clear(new)


def _refuse_newer(backup: Path, manifest: BackupManifest) -> None:
    known = [version for version in versions() if version <= manifest.migrations[-1]]
    if manifest.migrations != known:
        raise BackupError(
            "newer_backup",
            f"{backup} was made by another version of Assay: this one has not the same migrations up to "
            f"{manifest.migrations[-1]}.",
            "Restore it with the version that made it, or a later one.",
        )


def _clear(new: Path) -> None:
    """Remove what a restore has left, with the processes that may still work on it."""
    if new.exists():
        Postgres(new).stop_strays()
        processes.stop_recorded(new / "ministack.process.json")
        shutil.rmtree(new)


def _make(new: Path, backup: Path, manifest: BackupManifest, update: Update) -> None:
    """Make all parts of the data in the folder `new`."""
    needed = sum(manifest.object_bytes.values())
    if shutil.disk_usage(new).free < needed:
        raise _no_space(new.parent)
    with started(new) as data, without_password(data.database_url):
        update(0, "loading the database")
        _load_rows(data, backup, manifest)
        _load_objects(data.ministack.s3(), backup, manifest, update)
    write_private(new / "owner", f"{manifest.owner}\n")
    write_object(new / "token.json", {})  # a token that is kept is the former owner's
    # The queue is left behind: it holds the news of every object that was just stored.
    shutil.rmtree(new / "ministack")
    make_private(new / "ministack")
    os.sync()


def _load_rows(data: Data, backup: Path, manifest: BackupManifest) -> None:
    """Load the rows into tables as they were at the time of the backup, and bring them up to date."""
    url = data.database_url
    apply_migrations(url, until=manifest.migrations[-1])
    with psycopg.connect(url) as connection:
        # Migrations fill some tables. What was to be deleted from the store is not in it now.
        tables = SQL(", ").join(SQL("assay.{}").format(Identifier(table)) for table in row_counts(connection))
        connection.execute(SQL("truncate {}").format(tables))
    arguments = ("--data-only", "--disable-triggers", "--single-transaction", "--exit-on-error")
    run_tool(embedded_binaries() / "pg_restore", url, *arguments, str(backup / DATABASE))
    with psycopg.connect(url) as connection:
        found = row_counts(connection)
        if found != manifest.rows:
            raise StackError(f"The database has {found} rows, not {manifest.rows} as it had.")
        if "deletions" in found:
            connection.execute("truncate assay.deletions")
    apply_migrations(url)


def _load_objects(s3: S3Client, backup: Path, manifest: BackupManifest, update: Update) -> None:
    for count, one in enumerate(manifest.objects):
        update(count / len(manifest.objects), "storing objects")
        try:
            with object_path(backup, one.sha256).open("rb") as body:
                s3.put_object(Bucket=BUCKET, Key=one.key, Body=body, ContentType=one.media_type)
            _read_back(s3, one)
        except (BotoCoreError, ClientError) as error:
            raise StackError(f"The object store did not take {one.key}: {error}") from error


def _read_back(s3: S3Client, one: BackedUpObject) -> None:
    """Raise StackError unless the store gives the right bytes: on a full disk MiniStack says yes and keeps nothing."""
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=BUCKET, Key=one.key)["Body"].iter_chunks():
        digest.update(chunk)
    if digest.hexdigest() != one.sha256:
        raise StackError(f"The object store did not keep {one.key}; is the disk full?")


def _no_space(home: Path) -> BackupError:
    return BackupError(
        "disk_full",
        f"The disk of {home} has no room for it.",
        "Free space there, or set ASSAY_HOME to a folder on another disk.",
    )
