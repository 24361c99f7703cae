"""Every version, with rows in every table, goes up to the newest and down to the one before; schemas say the same."""

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
from local.postgres.migrations import FOLDER, apply_migrations
from local.postgres.server import Postgres
from local.processes import StackError
from shared.database.psycopg_database import PsycopgDatabase
from shared.sign_in.auth import User
from shared.wire.jobs import JobStatus
from tests.database.hosted import at, drop_database, new_database
from tests.database.steps import Steps
from tools.schema import apply_schemas, describe, difference, dump

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
    assert steps.arrive(seeded_sha256("awaiting_upload"))["jobs"] == [jobs["awaiting_upload"]]
    assert steps.finish(jobs["running"], 1)["status"] == "done"
    assert steps.cancel(jobs["needs_type"])["status"] == "cancelled"
    for waiting, attempt in (("queued", 3), ("awaiting_upload", 1)):
        assert steps.claim(jobs[waiting])["attempt"] == attempt
        assert steps.finish(jobs[waiting], attempt)["cost"]["request_count"] > 0
        assert steps.job(jobs[waiting])["status"] == "done"
    assert steps.register(seeded_sha256("done"))["cached"] is True
    for ended in ("failed", "cancelled", "expired"):
        assert steps.register(seeded_sha256(ended))["job"]["job_id"] != jobs[ended]


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
    up_to(url, VERSIONS[-1], tmp_path)
    (tmp_path / "20991231000000_broken.sql").write_text("create table assay.half (); select 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply_migrations(url, tmp_path)
    assert "half" not in rows(url)


def test_migrations_that_another_checkout_made_are_refused_in_words(url: str) -> None:
    apply_migrations(url)
    seed(url, VERSIONS[-1])
    with psycopg.connect(url) as connection:
        connection.execute("update supabase_migrations.schema_migrations set version = '20261121090000'")
    before = rows(url)
    with pytest.raises(StackError, match=r"Another checkout of Assay .*20261121090000.* ASSAY_HOME"):
        apply_migrations(url)
    assert rows(url) == before


def test_schemas_and_migrations_make_the_same(postgres: Postgres, url: str, described: list[str]) -> None:
    apply_migrations(url)
    assert difference(describe(url, postgres.binaries), described) == "", "see `make schema`"


@pytest.fixture
def described(postgres: Postgres) -> Iterator[list[str]]:
    """What supabase/schemas make."""
    try:
        url = new_database(postgres, "described")
        apply_schemas(url)
        yield describe(url, postgres.binaries)
    finally:
        drop_database(postgres, "described")


# A statement of a later migration or schema, and what the difference names then.
CHANGES = {
    "alter table assay.plans add column storage_months integer": "storage_months",
    "alter table assay.outputs alter column media_type drop not null": "media_type text",
    "create or replace function assay.refuse_change() returns trigger language plpgsql set search_path = '' as "
    "$$ begin return null; end $$": "begin return null; end",
    "grant execute on function public.set_plan to authenticated": "set_plan",
    "alter policy owner_reads on assay.jobs using (true)": "USING (true)",
    "drop trigger guard_status on assay.jobs": "guard_status",
    "drop function assay.forget_object cascade": "assay_forget_old_name",
    "drop index assay.deletions_by_due": "deletions_by_due",
    "comment on table assay.owners is 'a comment'": "a comment",
    "alter table assay.outbox disable row level security": "outbox ENABLE ROW",
    "update assay.plans set running_jobs = 3 where plan = 'free'": '"running_jobs": 3',
}


def test_every_kind_of_difference_is_seen(postgres: Postgres, url: str, described: list[str]) -> None:
    apply_migrations(url)
    with psycopg.connect(url) as connection:
        for statement in CHANGES:
            connection.execute(statement.encode())
    seen = [line for line in difference(describe(url, postgres.binaries), described).splitlines() if line[:1] in "+-"]
    for change in CHANGES.values():
        assert [line for line in seen if change in line], change


def test_the_order_of_columns_is_no_difference(postgres: Postgres, url: str, described: list[str]) -> None:
    """A later migration can add a column only behind the others; the schema has it where it belongs."""
    apply_migrations(url)
    with psycopg.connect(url) as connection:
        connection.execute("alter table assay.jobs drop column stage")
        connection.execute("alter table assay.jobs add column stage text")
    assert difference(describe(url, postgres.binaries), described) == ""
