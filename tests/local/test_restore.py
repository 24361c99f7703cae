"""`assay restore` on real data: what comes back, what is refused, and what a kill -9 leaves."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from assay.write.private import read_object
from local.backup.format import MANIFEST, BackupError, BackupManifest, write_manifest
from local.backup.home_data import PARTS, has_data, place, settle, started
from local.home import PROJECT
from local.postgres.migrations import FOLDER, apply_migrations, versions
from local.postgres.tools import run_tool
from local.processes import StackError
from local.running import lock
from local.stack import Stack
from tests.local.kept import (
    ASSAY,
    OWNER,
    Kept,
    backed_up,
    copy,
    keep,
    restored,
    rows,
    stored,
    wait_until_seen,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return keep(tmp_path_factory.mktemp("kept") / "home")


@pytest.fixture(scope="module")
def backup(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "backup"
    backed_up(kept.home, folder)
    return folder


def assert_restored(home: Path, kept: Kept) -> None:
    """The folder has the same rows and objects, but for what was to be deleted: that was not in the backup."""
    assert (home / "owner").read_text() == f"{OWNER}\n"
    with started(home) as data:
        assert rows(data) == {**kept.rows, "deletions": []}
        assert stored(data) == kept.objects
    assert not list(home.glob("restor*"))


def test_rows_objects_and_owner_come_back(kept: Kept, backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    assert restored(home, backup).former is None
    assert list((home / "ministack").iterdir()) == [], "no queue holds the news of what was just stored"
    assert_restored(home, kept)
    assert {stat.S_IMODE((home / part).stat().st_mode) for part in PARTS} == {0o700, 0o600}
    again = backed_up(home, tmp_path / "again")
    assert again.objects == BackupManifest.model_validate_json((backup / MANIFEST).read_bytes()).objects


def test_data_that_is_there_stays_unless_it_may_be_replaced(kept: Kept, backup: Path, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    (home / "owner").write_text("another\n")
    (home / "token-key.pem").write_text("the key that signs tokens")
    (home / "token.json").write_text('{"token": "of the other owner"}')
    with pytest.raises(BackupError, match="already") as raised:
        restored(home, backup)
    assert raised.value.code == "data_exists"
    assert (home / "owner").read_text() == "another\n"

    former = restored(home, backup, replace=True).former
    assert former is not None
    assert former.parent == home
    assert (former / "owner").read_text() == "another\n"
    assert (home / "token-key.pem").read_text() == "the key that signs tokens", "tokens that are out stay valid"
    assert read_object(home / "token.json") == {}
    assert_restored(home, kept)
    for part in PARTS:
        shutil.rmtree(home / part) if (home / part).is_dir() else (home / part).unlink()
        (former / part).rename(home / part)
    with started(home) as data:
        assert rows(data) == kept.rows, "and back again"


def test_what_comes_after_the_snapshot_is_not_in_the_backup(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy(kept, tmp_path / "home")

    def late(program: Path, url: str, *arguments: str) -> str:
        with psycopg.connect(url) as connection:
            connection.execute("update assay.jobs set stage = 'later'")
            connection.execute("delete from assay.outputs")
        return run_tool(program, url, *arguments)

    monkeypatch.setattr("local.backup.save.run_tool", late)
    backed_up(home, tmp_path / "backup")
    monkeypatch.undo()
    restored(tmp_path / "new", tmp_path / "backup")
    assert_restored(tmp_path / "new", kept)


def test_bytes_that_change_after_they_were_verified_are_found(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(backup, tmp_path / "backup")
    min((tmp_path / "backup").glob("objects/*/*")).write_bytes(b"changed")
    monkeypatch.setattr("local.backup.restore.verify", lambda *_: None)
    with pytest.raises(StackError, match="did not store"):
        restored(tmp_path / "home", tmp_path / "backup")
    assert not has_data(tmp_path / "home")


def test_objects_alone_are_data_too(backup: Path, tmp_path: Path) -> None:
    """As a stack has them that ran with DATABASE_URL."""
    (tmp_path / "home" / "objects").mkdir(parents=True)
    with pytest.raises(BackupError) as raised:
        restored(tmp_path / "home", backup)
    assert raised.value.code == "data_exists"
    with pytest.raises(BackupError) as raised:
        backed_up(tmp_path / "home", tmp_path / "another")
    assert raised.value.code == "no_data"


def test_an_older_backup_comes_up_to_date(
    kept: Kept, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version has one more migration."""
    later = Path(shutil.copytree(FOLDER, tmp_path / "later"))
    (later / "20991231000000_later.sql").write_text("alter table assay.jobs add column later integer default 1;")
    monkeypatch.setattr("local.backup.restore.versions", partial(versions, later))
    monkeypatch.setattr("local.backup.restore.apply_migrations", partial(apply_migrations, folder=later))
    restored(tmp_path / "home", backup)
    with started(tmp_path / "home") as data:
        now = rows(data)
        assert stored(data) == kept.objects
        with psycopg.connect(data.database_url) as connection:
            applied = connection.execute("select version from supabase_migrations.schema_migrations order by 1")
            assert [version for (version,) in applied] == [*versions(), "20991231000000"]
    assert now == {
        **kept.rows,
        "deletions": [],
        "jobs": [json.dumps(json.loads(row) | {"later": 1}, sort_keys=True) for row in kept.rows["jobs"]],
    }


@pytest.mark.parametrize("file", ["manifest.json", "manifest.json.sha256", "database.dump", "objects/*/*"])
@pytest.mark.parametrize("damage", ["a byte is another", "the end is missing", "it is gone"])
def test_a_damaged_backup_is_refused_by_the_name_of_its_file(
    backup: Path, tmp_path: Path, file: str, damage: str
) -> None:
    shutil.copytree(backup, tmp_path / "backup")
    path = min((tmp_path / "backup").glob(file))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "it is gone":
        path.unlink()
    else:
        path.write_bytes(content if damage == "a byte is another" else content[:-1])
    with pytest.raises(BackupError, match=path.name.removesuffix(".sha256")) as raised:
        restored(tmp_path / "home", tmp_path / "backup")
    assert raised.value.code in {"damaged_backup", "no_backup"}
    assert not has_data(tmp_path / "home")


def changed(backup: Path, folder: Path, changes: dict[str, object]) -> Path:
    """Copy a backup and write its manifest anew, with other values."""
    shutil.copytree(backup, folder)
    manifest = BackupManifest.model_validate_json((backup / MANIFEST).read_bytes())
    write_manifest(folder, manifest.model_copy(update=changes))
    return folder


def test_a_backup_of_another_version_is_refused(backup: Path, tmp_path: Path) -> None:
    others: list[dict[str, object]] = [
        {"format": 2},
        {"migrations": [*versions(), "29991231000000"]},
        {"migrations": ["20260101000000"]},
    ]
    for number, changes in enumerate(others):
        with pytest.raises(BackupError, match=r"(another|newer) version") as raised:
            restored(tmp_path / "home", changed(backup, tmp_path / str(number), changes))
        assert raised.value.code == "newer_backup"
    assert not (tmp_path / "home").exists()


def test_a_backup_that_is_less_than_it_says_leaves_the_folder_as_it_was(backup: Path, tmp_path: Path) -> None:
    manifest = BackupManifest.model_validate_json((backup / MANIFEST).read_bytes())
    fewer = changed(backup, tmp_path / "backup", {"rows": {**manifest.rows, "jobs": 100}})
    with pytest.raises(StackError, match="100"):
        restored(tmp_path / "home", fewer)
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["lock"]


def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError) as raised:
        restored(tmp_path / "home", tmp_path)
    assert raised.value.code == "no_backup"


def test_nothing_is_restored_under_a_stack_that_runs(kept: Kept, backup: Path, tmp_path: Path) -> None:
    home = copy(kept, tmp_path / "home")
    with lock(home), pytest.raises(StackError, match="already runs"):
        restored(home, backup, replace=True)


def test_a_disk_without_room_is_told(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1))
    with pytest.raises(BackupError) as raised:
        restored(tmp_path / "home", backup)
    assert raised.value.code == "disk_full"
    assert not has_data(tmp_path / "home")


@pytest.mark.faults
@pytest.mark.parametrize("sight", ["restoring/postgres", "restoring/objects"])
def test_after_a_kill_9_the_same_command_succeeds(kept: Kept, backup: Path, tmp_path: Path, sight: str) -> None:
    command = [*ASSAY, "restore", str(backup)]
    environment = {**os.environ, "ASSAY_HOME": str(tmp_path / "home")}
    killed = subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL)
    wait_until_seen(tmp_path / "home" / sight, killed)
    killed.kill()
    killed.wait()
    assert not has_data(tmp_path / "home")
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_restored(tmp_path / "home", kept)


@pytest.mark.faults
def test_after_a_kill_9_at_the_last_step_the_same_command_finds_its_work_done(
    kept: Kept, backup: Path, tmp_path: Path
) -> None:
    home = copy(kept, tmp_path / "home")
    (home / "owner").write_text("another\n")
    # The fifth renaming: some parts are in place, others are not.
    killer = (
        "import os, pathlib, signal, sys\nfrom assay.cli.app import app\nrename, count = pathlib.Path.rename, 0\n"
        "def counted(path, target):\n    global count\n    count += path.name != 'postgres.new'\n"
        "    count == 5 and os.kill(os.getpid(), signal.SIGKILL)\n    return rename(path, target)\n"
        "pathlib.Path.rename = counted\napp()\n"
    )
    arguments = ["restore", str(backup), "--replace"]
    environment = {**os.environ, "ASSAY_HOME": str(home)}
    killed = subprocess.run([sys.executable, "-c", killer, *arguments], cwd=PROJECT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    done = subprocess.run(
        [*ASSAY, *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (former,) = home.glob("replaced-*")
    assert str(former) in done.stdout
    assert (former / "owner").read_text() == "another\n"
    assert_restored(home, kept)


class Killed(BaseException):
    """Ends what runs where a kill would."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Raise Killed in place of that renaming, the first of which is 1."""
    rename: Callable[[Path, Path], Path] = Path.rename
    left = step

    def interrupted(path: Path, target: Path) -> Path:
        nonlocal left
        left -= path.name != "postgres.new"
        if left == 0:
            raise Killed
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)


@pytest.mark.parametrize("had_data", [False, True])
@pytest.mark.parametrize("step", range(1, 2 * len(PARTS) + 2))
def test_parts_change_places_all_or_none_wherever_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, had_data: bool
) -> None:
    new = tmp_path / "restoring"
    new.mkdir()
    for part in PARTS:
        (new / part).write_text("new")
        if had_data:
            (tmp_path / part).write_text("old")
    kill_at(monkeypatch, step)
    with contextlib.suppress(Killed):
        place(tmp_path, new, "it")
    monkeypatch.undo()
    settle(tmp_path)
    found = {part: (tmp_path / part).read_text() for part in PARTS if (tmp_path / part).exists()}
    if step == 1:
        assert found == (dict.fromkeys(PARTS, "old") if had_data else {})
        return
    assert found == dict.fromkeys(PARTS, "new")
    former = [{part: (folder / part).read_text() for part in PARTS} for folder in tmp_path.glob("replaced-it-*")]
    assert former == ([dict.fromkeys(PARTS, "old")] if had_data else [])
    assert not list(tmp_path.glob("restored-*"))


def test_what_is_not_whole_is_not_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "restoring").mkdir()
    with pytest.raises(FileNotFoundError):
        place(tmp_path, tmp_path / "restoring", "it")
    assert [path.name for path in tmp_path.iterdir()] == ["restoring"]


def test_a_backup_finishes_what_a_restore_began(
    kept: Kept, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_at(monkeypatch, 4)
    with pytest.raises(Killed):
        restored(tmp_path / "home", backup)
    monkeypatch.undo()
    assert not (tmp_path / "home" / "postgres").exists()
    manifest = backed_up(tmp_path / "home", tmp_path / "again")
    assert {one.key for one in manifest.objects} == kept.objects.keys()


def test_a_stack_finishes_what_a_restore_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "restored-it-1").mkdir()
    (tmp_path / "restored-it-1" / "postgres").write_text("new")
    monkeypatch.setattr(Stack, "_start", lambda _stack, _tell: None)
    stack = Stack(tmp_path)
    stack.start()
    stack.stop()
    assert (tmp_path / "postgres").read_text() == "new"
