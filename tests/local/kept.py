"""A stack's folder with known data in it, made without a stack; and ways to look into one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from assay.write.private import write_object
from local.backup.format import BackupManifest
from local.backup.home_data import Data, started
from local.backup.restore import Restored, restore
from local.backup.save import back_up
from local.home import PROJECT
from local.ministack.ministack import BUCKET
from local.postgres.migrations import apply_migrations
from local.running import announce, lock, withdraw

ASSAY = [sys.executable, "-m", "assay.cli"]
SEEDS = PROJECT / "tests" / "database" / "seeds"
OWNER = "00000000-0000-4000-8000-000000000000"
OUTPUT = b"an output"
# What the seeds call outputs/manifest.json gets true bytes, and another output the same ones. An upload's bytes are its
# job's status.
_TRUE = """
set session_replication_role = replica;
update assay.uploads set size_bytes = length(split_part(filename, '.', 1));
update assay.outputs set size_bytes = {size}, sha256 = '{sha256}';
insert into assay.outputs (job_id, attempt, owner, position, name, media_type, object_key, size_bytes, sha256)
select job_id, attempt, owner, 2, 'same.json', media_type, 'outputs/same.json', size_bytes, sha256 from assay.outputs;
set session_replication_role = origin;
"""
_MORE = """
insert into assay.uploads (owner, sha256, size_bytes, filename, stored_at)
select %s, encode(sha256(convert_to('more ' || i, 'UTF8')), 'hex'), 8, 'more.csv', now() from generate_series(1, %s) i
"""


@dataclass(frozen=True)
class Kept:
    """A folder with data in it: a job of each status, rows in each table, and these objects."""

    home: Path
    objects: dict[str, bytes]
    rows: dict[str, list[str]]


def keep(home: Path, *, more: int = 0) -> Kept:
    """Fill a folder with the rows of tests/database/seeds, and with the objects that they speak of."""
    with started(home) as data:
        apply_migrations(data.database_url)
        with psycopg.connect(data.database_url) as connection:
            for path in sorted(SEEDS.glob("*.sql")):
                connection.execute(path.read_bytes())
            sha256 = hashlib.sha256(OUTPUT).hexdigest()
            connection.execute(_TRUE.format(size=len(OUTPUT), sha256=sha256).encode())
            connection.execute(_MORE, (OWNER, more))
        bodies = [b"queued", b"running", b"needs_type", b"done", b"failed", b"cancelled"]
        bodies += [b"more %d" % i for i in range(1, more + 1)]
        objects = {upload_key(body): body for body in bodies}
        objects |= {"outputs/manifest.json": OUTPUT, "outputs/same.json": OUTPUT}
        for key, body in objects.items():
            data.ministack.s3().put_object(Bucket=BUCKET, Key=key, Body=body, ContentType="text/csv")
        (home / "owner").write_text(f"{OWNER}\n")
        return Kept(home, objects, rows(data))


def copy(kept: Kept, home: Path) -> Path:
    """Copy the folder, for a test that changes it."""
    subprocess.run(["cp", "-a", str(kept.home), str(home)], check=True)  # with the owner of each file
    return home


@contextmanager
def serving(home: Path) -> Iterator[Data]:
    """Have the database and the store of the folder run as a stack's do, as far as a backup can tell."""
    with lock(home), started(home) as data:
        write_object(
            home / "ports.json", {"postgres": urlsplit(data.database_url).port, "object_store": data.ministack.port}
        )
        announce(home, "http://127.0.0.1:1", embedded_database=True)
        yield data
        withdraw(home)


def wait_until_seen(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the process has made this file or folder."""
    while not path.exists():
        assert process.poll() is None, f"it ended before {path.name} was seen"


def upload_key(body: bytes) -> str:
    """Key of an upload of the owner's."""
    return f"uploads/{OWNER}/{hashlib.sha256(body).hexdigest()}"


def backed_up(home: Path, folder: Path) -> BackupManifest:
    """Back up, with nobody watching."""
    return back_up(home, folder, _ignore)


def restored(home: Path, folder: Path, *, replace: bool = False) -> Restored:
    """Restore, with nobody watching."""
    return restore(home, folder, replace=replace, update=_ignore)


def _ignore(_done: float, _stage: str) -> None:
    pass


def rows(data: Data) -> dict[str, list[str]]:
    """All rows of each table in schema assay, as text, sorted."""
    with psycopg.connect(data.database_url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r'"
        ).fetchall()
        return {
            str(table): sorted(
                json.dumps(row[0], sort_keys=True)
                for row in connection.execute(f"select to_jsonb(t) from assay.{table} t".encode())
            )
            for (table,) in tables
        }


def stored(data: Data) -> dict[str, bytes]:
    """Every object that the store holds."""
    s3 = data.ministack.s3()
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
