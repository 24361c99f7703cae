"""Every version, with rows in every table, goes up to the newest and down to the one before."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args
from uuid import UUID

import psycopg
import pytest

from local.home import PROJECT
from local.postgres.migrations import FOLDER, apply_migrations, bootstrap
from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.database.transport import Argument
from shared.sign_in.auth import User
from shared.wire.jobs import JobStatus
from tests.database.hosted import at, drop_database, new_database
from tests.database.steps import Steps
from tools.schema import dump, schema

ROLLBACK = PROJECT / "supabase" / "rollback"
SEEDS = Path(__file__).parent / "seeds"
VERSIONS = [path.name[:14] for path in sorted(FOLDER.glob("*.sql"))]
OWNER = User(UUID("00000000-0000-4000-8000-000000000000"))
_DATABASE = "migrated"

Rows = dict[str, list[dict[str, object]]]


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """A new database as a hosted project has it, as the role that migrates there."""
    try:
        yield new_database(postgres, _DATABASE)
    finally:
        drop_database(postgres, _DATABASE)


def up_to(url: str, version: str, folder: Path) -> None:
    """Apply every migration up to this one; `folder` comes to hold copies of them."""
    folder.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.sql"):
        if path.name[:14] <= version:
            shutil.copy(path, folder)
    apply_migrations(url, folder)


def seed(url: str, version: str, after: str = "") -> None:
    """Insert the rows of each version up to this one (and behind `after`) whose tables changed."""
    with psycopg.connect(url) as connection:
        for path in sorted(SEEDS.glob("*.sql")):
            if after < path.stem <= version:
                connection.execute(path.read_bytes())


def rows(url: str) -> Rows:
    """All rows of each table in schema assay."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = to_regnamespace('assay') and relkind = 'r'"
        ).fetchall()
        return {
            table: [row[0] for row in connection.execute(f"select to_jsonb(t) from assay.{table} t order by 1")]
            for (table,) in tables
        }


def assert_kept(before: Rows, after: Rows) -> None:
    """Every row of `before` is there, with its values, in the tables and columns that both know."""
    for table in before.keys() & after.keys():
        common = before[table][0].keys() & after[table][0].keys()
        known = [[{name: row[name] for name in common} for row in version[table]] for version in (before, after)]
        assert len(known[0]) == len(known[1])
        assert all(row in known[1] for row in known[0])


def downgrade(url: str, version: str) -> None:
    """What docs/migrations.md says: the file, in one transaction."""
    (path,) = ROLLBACK.glob(f"{version}_*.sql")
    with psycopg.connect(url) as connection:
        connection.execute(path.read_bytes())


def seeded_sha256(status: str) -> str:
    return hashlib.sha256(status.encode()).hexdigest()


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_of_a_version_go_up_and_are_worked_on(postgres: Postgres, url: str, tmp_path: Path, version: str) -> None:
    up_to(url, version, tmp_path / "up")
    seed(url, version)
    before = rows(url)
    assert {row["status"] for row in before["jobs"]} == set(get_args(JobStatus))
    assert all(before.values())

    apply_migrations(url)
    assert_kept(before, rows(url))
    work_on_old_rows(Steps(PsycopgDatabase(at(postgres.authenticator_url, _DATABASE)), OWNER))


def work_on_old_rows(steps: Steps) -> None:
    """Each old job can be listed, and does what a job of its status can do."""
    jobs = {job["status"]: cast("str", job["job_id"]) for job in steps.jobs()}
    assert jobs.keys() == set(get_args(JobStatus))
    steps.sweep()
    assert [output["name"] for output in steps.outputs(jobs["done"])] == ["manifest.json"]
    assert steps.register(seeded_sha256("done"))["cached"] is True
    for ended in ("failed", "cancelled", "expired"):
        assert steps.register(seeded_sha256(ended))["job"]["job_id"] != jobs[ended]
    assert steps.arrive(seeded_sha256("awaiting_upload"))["jobs"] == [jobs["awaiting_upload"]]
    assert steps.finish(jobs["running"], 1)["status"] == "done"
    assert steps.cancel(jobs["needs_type"])["status"] == "cancelled"
    for waiting, attempt in (("awaiting_upload", 1), ("queued", 3)):
        assert steps.claim(jobs[waiting], memory_mb=1024)["attempt"] == attempt
        assert steps.finish(jobs[waiting], attempt)["cost"]["request_count"] > 0
        assert steps.job(jobs[waiting])["status"] == "done"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_goes_down_to_the_one_before_and_up_again(
    postgres: Postgres, url: str, tmp_path: Path, version: str
) -> None:
    older = max((earlier for earlier in VERSIONS if earlier < version), default="")
    up_to(url, older, tmp_path / "older")
    schema_before = dump(url, postgres.binaries)
    seed(url, older)
    up_to(url, version, tmp_path / "newer")
    schema_after = dump(url, postgres.binaries)
    seed(url, version, after=older)
    kept = rows(url)

    downgrade(url, version)
    assert dump(url, postgres.binaries) == schema_before
    left = rows(url)
    assert_kept(kept, left)
    assert len(left) == schema_before.count("\nCREATE TABLE ")

    assert apply_migrations(url, tmp_path / "newer") == [version]
    assert dump(url, postgres.binaries) == schema_after
    assert_kept(left, rows(url))


def test_a_worker_of_before_goes_on_while_the_database_goes_up(postgres: Postgres, url: str, tmp_path: Path) -> None:
    """Its connection has seen the old functions, and it calls claim_job without what is new."""
    db = PsycopgDatabase(at(postgres.authenticator_url, _DATABASE))
    steps = Steps(db, OWNER)

    def claim(job_id: str) -> object:
        arguments: dict[str, Argument] = {"p_job_id": job_id, "p_worker": "old", "p_lease_seconds": 60}
        return cast("dict[str, object]", db.call("claim_job", arguments, None))["attempt"]

    up_to(url, "20261121090300", tmp_path / "before")
    jobs = [steps.queued()[0] for _ in range(3)]
    assert claim(jobs[0]) == claim(jobs[1]) == 1
    assert steps.finish(jobs[0], 1)["accepted"]
    apply_migrations(url)
    assert steps.report(jobs[1], 1)["accepted"]
    assert steps.finish(jobs[1], 1) == {"accepted": True, "status": "done", "cost": None, "more": True}
    assert claim(jobs[2]) == 1


def test_supabase_db_push_makes_the_same(postgres: Postgres, url: str) -> None:
    """The CLI sends a file's statements in one pipeline, which is one transaction (its pkg/migration/file.go)."""
    apply_migrations(url)
    expected = dump(url, postgres.binaries)
    other = new_database(postgres, "pushed")
    try:
        with psycopg.connect(other, autocommit=True) as connection:
            for path in sorted(FOLDER.glob("*.sql")):
                connection.execute("reset all")
                with connection.pipeline():
                    for statement in statements(path.read_text(encoding="utf-8")):
                        connection.execute(statement.encode(), prepare=False)
        assert dump(other, postgres.binaries) == expected
    finally:
        drop_database(postgres, "pushed")


def statements(text: str) -> list[str]:
    """Split at each semicolon that ends a line outside of a `$$` body, which is how these files are written."""
    pieces, open_body = [""], False
    for line in text.splitlines(keepends=True):
        pieces[-1] += line
        open_body ^= line.count("$$") % 2 == 1
        if not open_body and line.split("--")[0].rstrip().endswith(";"):
            pieces.append("")
    assert not pieces[-1].strip()
    return pieces[:-1]


def test_a_migration_that_fails_changes_nothing(url: str, tmp_path: Path) -> None:
    up_to(url, "20261121130000", tmp_path)
    (tmp_path / "20991231000000_broken.sql").write_text("create table assay.half (); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply_migrations(url, tmp_path)
    assert "half" not in rows(url)


def test_a_local_stack_of_before_gets_what_is_missing(postgres: Postgres, tmp_path: Path) -> None:
    """Its data folder was made when Supabase Storage's tables were not."""
    new_database(postgres, _DATABASE)
    url = at(postgres.superuser_url, _DATABASE)
    try:
        with psycopg.connect(url) as connection:
            connection.execute("drop schema storage cascade")
        up_to(url, "20261121090300", tmp_path / "before")
        seed(url, "20261121090300")
        before = rows(url)
        for _ in range(2):
            with psycopg.connect(url) as connection:
                bootstrap(connection)
            apply_migrations(url)
        assert_kept(before, rows(url))
    finally:
        drop_database(postgres, _DATABASE)


def test_schema_sql_is_what_the_migrations_make() -> None:
    written = (PROJECT / "supabase" / "schema.sql").read_text(encoding="utf-8")
    assert schema() == written, "write it anew with `make schema`"
