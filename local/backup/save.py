"""`assay backup`: a consistent copy of the local stack's database and objects, whether it is running or not.

The rows are dumped in one snapshot, and then the objects that they refer to are copied. This is consistent, because an
object never changes and its key is never reused for other bytes. Only deletions can happen in between. Rows are deleted
before objects, so a missing object means that its row was deleted, and a new snapshot replaces the first. Objects
without a row (of unfinished attempts, or scheduled for deletion) are not copied, and neither are the queue's messages,
which the next start of the stack sends again.

A backup contains no keys. The key that signs tokens would let anyone with a copy sign in as any user. New keys are
generated after a restore, which invalidates only tokens (valid for a day) and links (valid for an hour).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from psycopg.sql import SQL, Identifier

from local.aws.api import last_request_file
from local.backup.format import (
    DATABASE,
    FORMAT,
    BackedUpObject,
    BackupError,
    BackupManifest,
    Update,
    describe,
    disk_full,
    object_path,
    write_manifest,
)
from local.backup.home_data import opened
from local.home import make_private
from local.ministack.ministack import BUCKET
from local.postgres.given import without_password
from local.postgres.migrations import versions
from local.postgres.server import embedded_binaries
from local.postgres.tools import run_tool
from local.processes import StackError
from local.tokens import local_owner
from shared.object_store.keys import upload_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1024 * 1024
_SNAPSHOTS = 10

# An upload may not have arrived yet. Without the column stored_at of later versions, its jobs show whether it has.
_UPLOADS = """
select u.owner, u.sha256, u.size_bytes,
    case when to_jsonb(u) ? 'stored_at' then to_jsonb(u) ->> 'stored_at' is not null
    else exists (select from assay.jobs j where j.upload_id = u.upload_id
        and j.status in ('queued', 'running', 'needs_type', 'done')) end as needed
from assay.uploads u
"""
_OUTPUTS = "select object_key, sha256, size_bytes, true from assay.outputs"
_TABLES = "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r' order by 1"


@dataclass(frozen=True)
class _Object:
    """An object that a row refers to; `needed` is whether it must exist."""

    key: str
    sha256: str
    size_bytes: int
    needed: bool


@dataclass(frozen=True)
class _Snapshot:
    """The database's contents at one time."""

    taken_at: datetime
    migrations: list[str]
    rows: dict[str, int]
    objects: list[_Object]


def back_up(home: Path, folder: Path, update: Update) -> BackupManifest:
    """Back up the data in `home` into `folder`, which must be new or empty.

    The backup appears only when it is complete. Raises BackupError, StackError and OSError.
    """
    try:
        with _beside(folder) as new, opened(home) as data, without_password(data.database_url):
            s3 = data.ministack.s3()
            copied: dict[str, BackedUpObject] = {}
            for _ in range(_SNAPSHOTS):
                update(0, "dumping the database")
                snapshot = _dump(data.database_url, new / DATABASE)
                _require_space(new, snapshot.objects)
                for count, item in enumerate(snapshot.objects):
                    last_request_file(home).touch()  # a stack in the background stops when it is idle for long
                    update(count / len(snapshot.objects), "copying objects")
                    if item.key not in copied and (backed_up := _copy(s3, item, new)):
                        copied[item.key] = backed_up
                missing = {item.key for item in snapshot.objects if item.needed} - copied.keys()
                if not missing:
                    break
                _refuse_lost(data.database_url, missing)
            else:
                raise StackError("Objects kept being deleted during the copy. Try again later.")
            return _complete(new, snapshot, copied, local_owner(home))
    except OSError as error:
        if disk_full(error):
            raise _no_space(folder.resolve().parent) from error
        raise


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `folder` at the end, or deleted on an error."""
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError("backup_exists", f"{folder} exists and is not empty.", "Choose a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}.unfinished")
    handle = os.open(make_private(new), os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(
                "backup_under_way", f"Another backup is being written to {folder}.", "Wait until it has finished."
            ) from None
        try:
            for left in new.iterdir():  # left by a killed backup
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield new
            os.sync()
            new.rename(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
    finally:
        os.close(handle)


def _dump(url: str, path: Path) -> _Snapshot:
    """Dump the rows into a file, and return the objects that they refer to, from the same snapshot."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        ((exported, taken_at),) = connection.execute("select pg_export_snapshot(), now()").fetchall()
        arguments = ("--data-only", "--schema=assay", "--format=custom", f"--snapshot={exported}", f"--file={path}")
        run_tool(embedded_binaries() / "pg_dump", url, *arguments)
        applied = connection.execute("select version from supabase_migrations.schema_migrations order by 1").fetchall()
        migrations = [str(version) for (version,) in applied]
        if unknown := sorted(set(migrations) - set(versions())):
            raise BackupError(
                "newer_database",
                f"The database has migrations that this version of Assay does not have: {', '.join(unknown)}.",
                "Back it up with the version that it was last used with.",
            )
        return _Snapshot(taken_at, migrations, row_counts(connection), _objects(connection))


def _objects(connection: psycopg.Connection) -> list[_Object]:
    """Return every object that a row refers to, sorted by key."""
    uploads = connection.execute(_UPLOADS).fetchall()
    objects = [_Object(upload_key(owner, sha256), sha256, *rest) for owner, sha256, *rest in uploads]
    objects += [_Object(*row) for row in connection.execute(_OUTPUTS).fetchall()]
    return sorted(objects, key=lambda item: item.key)


def row_counts(connection: psycopg.Connection) -> dict[str, int]:
    """Count the rows of each table of the schema assay."""
    counts = {}
    for (table,) in connection.execute(_TABLES).fetchall():
        query = SQL("select count(*) from assay.{}").format(Identifier(table))
        ((counts[str(table)],),) = connection.execute(query).fetchall()
    return counts


def _copy(s3: S3Client, item: _Object, new: Path) -> BackedUpObject | None:
    """Copy an object. Return None if the store does not have it."""
    part = new / "object.part"
    digest, size = hashlib.sha256(), 0
    try:
        answer = s3.get_object(Bucket=BUCKET, Key=item.key)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise StackError(f"The object store did not return {item.key}: {error}") from error
    except BotoCoreError as error:
        raise StackError(f"The object store did not return {item.key}: {error}") from error
    if digest.hexdigest() != item.sha256:
        part.unlink()
        return None
    path = object_path(new, item.sha256)
    make_private(make_private(path.parent.parent) / path.parent.name)
    part.replace(path)
    return BackedUpObject(key=item.key, sha256=item.sha256, size_bytes=size, media_type=answer["ContentType"])


def _refuse_lost(url: str, missing: Collection[str]) -> None:
    """Raise BackupError if a row still needs one of the missing objects."""
    with psycopg.connect(url) as connection:
        lost = [item.key for item in _objects(connection) if item.needed and item.key in missing]
    if lost:
        rest = f" and {len(lost) - 10} more" if len(lost) > 10 else ""
        raise BackupError(
            "objects_lost",
            f"The object store has lost or damaged {len(lost)} objects: {', '.join(lost[:10])}{rest}.",
            "Delete their jobs (an output's key is outputs/OWNER/JOB/…) and back up again, "
            "or restore an earlier backup.",
        )


def _require_space(new: Path, objects: list[_Object]) -> None:
    needed = sum({item.sha256: item.size_bytes for item in objects if item.needed}.values())
    if shutil.disk_usage(new).free < needed:
        raise _no_space(new.parent, needed)


def _no_space(place: Path, needed: int | None = None) -> BackupError:
    return BackupError(
        "disk_full",
        f"The disk of {place} is too full for the backup." + (f" The objects need {needed:,} bytes." if needed else ""),
        "Free some space, or use a folder on another disk.",
    )


def _complete(new: Path, snapshot: _Snapshot, copied: dict[str, BackedUpObject], owner: UUID) -> BackupManifest:
    """Remove objects that the last snapshot does not refer to, and write the manifest."""
    manifest = BackupManifest(
        format=FORMAT,
        taken_at=snapshot.taken_at,
        owner=owner,
        migrations=snapshot.migrations,
        rows=snapshot.rows,
        database=describe(new / DATABASE),
        objects=[copied[entry.key] for entry in snapshot.objects if entry.key in copied],
    )
    kept = {object_path(new, sha256) for sha256 in manifest.object_bytes}
    for path in (new / "objects").rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    write_manifest(new, manifest)
    return manifest
