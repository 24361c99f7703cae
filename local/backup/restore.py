"""`assay restore`: restore the local stack from a backup.

The backup is verified first, then restored next to existing data, and moved into place at the end.
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
    """The restored manifest, and the folder of the previous data (None if there was none)."""

    manifest: BackupManifest
    former: Path | None


def restore(home: Path, backup: Path, *, replace: bool, update: Update) -> Restored:
    """Restore `backup` as the data of the stack in `home`. No stack may be running there.

    With `replace`, existing data is moved aside. Raises BackupError, StackError and OSError, and then nothing has
    changed.
    """
    manifest = read_manifest(backup)
    _refuse_newer(backup, manifest)
    # After a kill in the last step, this name tells a second call that this backup was being restored.
    name = describe(backup / MANIFEST).sha256[:12]
    with lock(make_private(home)):
        settled = settle(home)
        if name in settled:
            return Restored(manifest, settled[name])
        if has_data(home) and not replace:
            raise BackupError(
                "data_exists",
                f"{home} already has data.",
                "Use --replace to move it aside, or set ASSAY_HOME to another folder.",
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
    own_versions = [version for version in versions() if version <= manifest.migrations[-1]]
    if manifest.migrations != own_versions:
        raise BackupError(
            "newer_backup",
            f"{backup} was made by another version of Assay: this one has different migrations up to "
            f"{manifest.migrations[-1]}.",
            "Restore it with the version that made it or a later one.",
        )


def _clear(new: Path) -> None:
    """Remove the remains of an interrupted restore, and end its processes."""
    if new.exists():
        Postgres(new).stop_strays()
        processes.stop_recorded(new / "ministack.process.json")
        shutil.rmtree(new)


def _make(new: Path, backup: Path, manifest: BackupManifest, update: Update) -> None:
    """Restore all parts of the data into the folder `new`."""
    needed = sum(manifest.object_bytes.values())
    if shutil.disk_usage(new).free < needed:
        raise _no_space(new.parent)
    with started(new) as data, without_password(data.database_url):
        update(0, "loading the database")
        _load_rows(data, backup, manifest)
        _load_objects(data.ministack.s3(), backup, manifest, update)
    write_private(new / "owner", f"{manifest.owner}\n")
    write_object(new / "token.json", {})  # a kept token belongs to the previous owner
    # The queue is not kept: it has news of every object that was just stored.
    shutil.rmtree(new / "ministack")
    make_private(new / "ministack")
    os.sync()


def _load_rows(data: Data, backup: Path, manifest: BackupManifest) -> None:
    """Load the rows into the schema of the backup, then apply newer migrations."""
    url = data.database_url
    apply_migrations(url, until=manifest.migrations[-1])
    with psycopg.connect(url) as connection:
        # Migrations insert rows into some tables. Objects that were scheduled for deletion are not in the store.
        tables = SQL(", ").join(SQL("assay.{}").format(Identifier(table)) for table in row_counts(connection))
        connection.execute(SQL("truncate {}").format(tables))
    arguments = ("--data-only", "--disable-triggers", "--single-transaction", "--exit-on-error")
    run_tool(embedded_binaries() / "pg_restore", url, *arguments, str(backup / DATABASE))
    with psycopg.connect(url) as connection:
        counted = row_counts(connection)
        if counted != manifest.rows:
            raise StackError(f"The database has {counted} rows, not {manifest.rows} as in the backup.")
        if "deletions" in counted:
            connection.execute("truncate assay.deletions")
    apply_migrations(url)


def _load_objects(s3: S3Client, backup: Path, manifest: BackupManifest, update: Update) -> None:
    for count, entry in enumerate(manifest.objects):
        update(count / len(manifest.objects), "storing objects")
        try:
            with object_path(backup, entry.sha256).open("rb") as body:
                s3.put_object(Bucket=BUCKET, Key=entry.key, Body=body, ContentType=entry.media_type)
            _read_back(s3, entry)
        except (BotoCoreError, ClientError) as error:
            raise StackError(f"The object store did not accept {entry.key}: {error}") from error


def _read_back(s3: S3Client, entry: BackedUpObject) -> None:
    """Raise StackError unless the store returns the same bytes.

    On a full disk, MiniStack reports success and stores nothing.
    """
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=BUCKET, Key=entry.key)["Body"].iter_chunks():
        digest.update(chunk)
    if digest.hexdigest() != entry.sha256:
        raise StackError(f"The object store did not store {entry.key}. Is the disk full?")


def _no_space(home: Path) -> BackupError:
    return BackupError(
        "disk_full",
        f"The disk of {home} is too full for the restore.",
        "Free some space, or set ASSAY_HOME to a folder on another disk.",
    )
