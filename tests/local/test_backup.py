"""`assay backup` on real data: the contents of a backup, and its errors."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from typer.testing import CliRunner

import local.backup.save
from assay.cli.app import app
from assay.write.private import write_object
from local.backup.format import BackedUpObject, BackupError, object_path, read_manifest, verify
from local.backup.home_data import started
from local.home import PROJECT
from local.ministack.ministack import BUCKET
from local.postgres.migrations import versions
from local.processes import StackError
from local.running import announce, lock
from tests.local.kept import (
    ASSAY,
    OUTPUT,
    OWNER,
    Kept,
    backed_up,
    copy,
    keep,
    serving,
    upload_key,
    wait_until_seen,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(tmp_path_factory.mktemp("kept") / "home")


@pytest.fixture(scope="module")
def kept_with_more(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(tmp_path_factory.mktemp("more") / "home", more=60)


def test_a_backup_holds_the_rows_and_every_object_that_they_speak_of(kept: Kept, tmp_path: Path) -> None:
    manifest = backed_up(kept.home, tmp_path / "backup")
    assert read_manifest(tmp_path / "backup") == manifest
    verify(tmp_path / "backup", manifest, lambda *_: None)
    assert manifest.rows == {table: len(found) for table, found in kept.rows.items()}
    assert (str(manifest.owner), manifest.migrations) == (OWNER, versions())
    held = {one.key: object_path(tmp_path / "backup", one.sha256).read_bytes() for one in manifest.objects}
    assert held == kept.objects
    assert {one.media_type for one in manifest.objects} == {"text/csv"}
    files = [path for path in (tmp_path / "backup" / "objects").rglob("*") if path.is_file()]
    assert len(files) == len(set(kept.objects.values())) < len(kept.objects), "the same bytes are kept once"


def test_a_backup_is_for_its_user_alone_and_holds_no_key(kept: Kept, tmp_path: Path) -> None:
    backed_up(kept.home, tmp_path / "backup")
    found = [tmp_path / "backup", *(tmp_path / "backup").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o700, 0o600}
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [
        "database.dump",
        "manifest.json",
        "manifest.json.sha256",
        "objects",
    ]


def test_an_empty_folder_is_filled_and_any_other_is_left_alone(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    backed_up(kept.home, tmp_path / "empty")
    for taken in (tmp_path / "empty", tmp_path / "empty" / "manifest.json"):
        with pytest.raises(BackupError, match="exists and is not empty") as raised:
            backed_up(kept.home, taken)
        assert raised.value.code == "backup_exists"
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_folder_without_data_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(BackupError) as raised:
        backed_up(tmp_path / "home", tmp_path / "backup")
    assert raised.value.code == "no_data"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "home").mkdir()
    with pytest.raises(BackupError, match="no database"):
        backed_up(tmp_path / "home", tmp_path / "backup")


def test_two_backups_do_not_write_to_one_folder(kept: Kept, tmp_path: Path) -> None:
    unfinished = tmp_path / ".backup.unfinished"
    unfinished.mkdir()
    handle = os.open(unfinished, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(BackupError) as raised:
        backed_up(kept.home, tmp_path / "backup")
    assert raised.value.code == "backup_under_way"
    assert unfinished.exists(), "it is the other's"
    os.close(handle)
    backed_up(kept.home, tmp_path / "backup")


def test_bytes_that_came_without_the_row_s_knowledge_are_taken_and_others_are_not(kept: Kept, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    with started(home) as data:
        s3 = data.ministack.s3()
        s3.put_object(Bucket=BUCKET, Key=upload_key(b"awaiting_upload"), Body=b"awaiting_upload")
        s3.put_object(Bucket=BUCKET, Key=upload_key(b"expired"), Body=b"not what was announced")
        s3.put_object(Bucket=BUCKET, Key="outputs/of/an/attempt/that/runs", Body=b"unknown")
    manifest = backed_up(home, tmp_path / "backup")
    assert {one.key for one in manifest.objects} == {*kept.objects, upload_key(b"awaiting_upload")}


@pytest.mark.parametrize(("key", "body"), [("outputs/same.json", None), (upload_key(b"queued"), b"damaged")])
def test_an_object_that_is_lost_is_named_and_there_is_no_backup(
    kept: Kept, tmp_path: Path, key: str, body: bytes | None
) -> None:
    home = copy(kept, tmp_path / "home")
    with started(home) as data:
        s3 = data.ministack.s3()
        s3.delete_object(Bucket=BUCKET, Key=key) if body is None else s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    with pytest.raises(BackupError, match=f"1 objects: {key}") as raised:
        backed_up(home, tmp_path / "backup")
    assert raised.value.code == "objects_lost"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_what_is_deleted_while_it_is_copied_is_not_in_the_backup(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows first, then objects, as the service does; one object goes after it was copied, two before."""
    dump, take = local.backup.save._dump, local.backup.save._copy
    deleted = {upload_key(b"done"), "outputs/manifest.json", "outputs/same.json"}
    urls: list[str] = []

    def dumped(url: str, path: Path) -> local.backup.save._Snapshot:
        urls.append(url)
        return dump(url, path)

    def copied_and_deleted(s3: S3Client, one: local.backup.save._Object, new: Path) -> BackedUpObject | None:
        found = take(s3, one, new)
        if one.key == min(deleted) and found is not None:
            with psycopg.connect(urls[0]) as connection:
                connection.execute("delete from assay.uploads where filename = 'done.csv'")
            for key in deleted:
                s3.delete_object(Bucket=BUCKET, Key=key)
        return found

    monkeypatch.setattr(local.backup.save, "_dump", dumped)
    monkeypatch.setattr(local.backup.save, "_copy", copied_and_deleted)
    manifest = backed_up(copy(kept, tmp_path / "home"), tmp_path / "backup")
    assert len(urls) == 2
    assert {one.key for one in manifest.objects} == kept.objects.keys() - deleted
    assert manifest.rows["jobs"] == len(kept.rows["jobs"]) - 1
    assert not object_path(tmp_path / "backup", hashlib.sha256(OUTPUT).hexdigest()).exists()


def test_a_database_of_an_unknown_version_is_refused(kept: Kept, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    with started(home) as data, psycopg.connect(data.database_url) as connection:
        connection.execute("insert into supabase_migrations.schema_migrations (version) values ('29991231000000')")
    with pytest.raises(BackupError, match="29991231000000") as raised:
        backed_up(home, tmp_path / "backup")
    assert raised.value.code == "newer_database"


def test_a_disk_without_room_is_told_before_anything_is_copied(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    needed = sum(len(body) for body in set(kept.objects.values()))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=needed - 1))
    with pytest.raises(BackupError, match=f"The objects need {needed} bytes") as raised:
        backed_up(kept.home, tmp_path / "backup")
    assert raised.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_in_the_end_leaves_nothing_behind(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local.backup.save, "write_manifest", full)
    with pytest.raises(BackupError) as raised:
        backed_up(kept.home, tmp_path / "backup")
    assert raised.value.code == "disk_full"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("blocks", "reason"), [(2, "pg_dump failed"), (200, "File too large")])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    kept: Kept, tmp_path: Path, blocks: int, reason: str
) -> None:
    """With a limit on the size of files in place of a full disk: pg_dump, or this process itself, cannot go on."""
    home = copy(kept, tmp_path / "home")
    with serving(home) as data:
        body = b"x" * 1_000_000
        data.ministack.s3().put_object(Bucket=BUCKET, Key=upload_key(body), Body=body)
        with psycopg.connect(data.database_url) as connection:
            connection.execute(
                "insert into assay.uploads (owner, sha256, size_bytes, filename, stored_at) "
                "values (%s, %s, %s, 'x.csv', now())",
                (OWNER, hashlib.sha256(body).hexdigest(), len(body)),
            )
        done = subprocess.run(
            ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *ASSAY, "backup", str(tmp_path / "backup")],
            cwd=PROJECT,
            env={**os.environ, "ASSAY_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_stack_that_ends_meanwhile_ends_the_backup(kept: Kept, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    with serving(home) as data:
        data.ministack.stop()
        with pytest.raises(StackError, match="object store did not return"):
            backed_up(home, tmp_path / "backup")
    with serving(home):
        write_object(home / "ports.json", {"postgres": 1, "object_store": 1})
        with pytest.raises(StackError, match=r"The database at .* failed"):
            backed_up(home, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_database_that_is_not_the_folder_s_own_is_refused(kept: Kept, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    with lock(home):
        announce(home, "http://127.0.0.1:1", embedded_database=False)
        with pytest.raises(BackupError) as raised:
            backed_up(home, tmp_path / "backup")
    assert raised.value.code == "given_database"
    for command in ("backup", "restore"):
        environment = {"DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/db", "ASSAY_HOME": str(home)}
        done = CliRunner().invoke(app, [command, str(tmp_path)], env=environment)
        assert done.exit_code == 1
        assert "given_database" in done.stderr


@pytest.mark.faults
@pytest.mark.parametrize("sight", ["database.dump", "objects"])
def test_after_a_kill_9_the_same_command_succeeds(kept_with_more: Kept, tmp_path: Path, sight: str) -> None:
    command = [*ASSAY, "backup", str(tmp_path / "backup")]
    environment = {**os.environ, "ASSAY_HOME": str(kept_with_more.home)}
    killed = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    wait_until_seen(tmp_path / ".backup.unfinished" / sight, killed)
    killed.kill()
    killed.wait()
    assert not (tmp_path / "backup").exists()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["backup"]
    manifest = read_manifest(tmp_path / "backup")
    verify(tmp_path / "backup", manifest, lambda *_: None)
    assert {one.key for one in manifest.objects} == kept_with_more.objects.keys()
