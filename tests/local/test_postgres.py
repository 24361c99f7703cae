"""The embedded Postgres and its migrations, on the real thing."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres
from local.processes import StackError

OWNER = "7d444840-9dc0-41d1-b245-5ffdce74fad2"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    running = Postgres(tmp_path_factory.mktemp("postgres"))
    running.start()
    yield running
    running.stop()


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return None if row is None else row[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Postgres that is stopped and holds a table; each test leaves it so."""
    made = tmp_path_factory.mktemp("home") / "made" / "here"
    postgres = Postgres(made)
    postgres.start()
    one(postgres.superuser_url, "create table kept as select 7 as number")
    postgres.stop()
    return made


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def test_second_start_finds_the_data_of_the_first(home: Path) -> None:
    second = Postgres(home)
    second.start()
    try:
        assert one(second.superuser_url, "select number from kept") == 7
    finally:
        second.stop()


def test_start_after_kill_9_of_postgres(home: Path) -> None:
    first, second = Postgres(home), Postgres(home)
    first.start()
    postmaster(home).kill()
    try:
        second.start()
        assert one(second.superuser_url, "select number from kept") == 7
    finally:
        first.stop()
        second.stop()


def test_start_ends_a_postgres_that_was_left_running(home: Path) -> None:
    orphan, second = Postgres(home), Postgres(home)
    orphan.start()
    left = postmaster(home)
    try:
        second.start()
        assert one(second.superuser_url, "select number from kept") == 7
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
    finally:
        orphan.stop()
        second.stop()


def test_start_with_the_lock_file_of_a_pid_that_is_another_process_now(home: Path) -> None:
    first, second = Postgres(home), Postgres(home)
    first.start()
    lock = home / "postgres" / "postmaster.pid"
    left = lock.read_text().splitlines()
    first.stop()
    lock.write_text("\n".join([str(os.getppid()), *left[1:]]) + "\n")
    second.start()
    second.stop()


def test_start_that_fails_says_why(home: Path) -> None:
    settings = home / "postgres" / "postgresql.conf"
    before = settings.read_text()
    try:
        settings.write_text("no_such_setting = 1\n")
        with pytest.raises(StackError, match="no_such_setting"):
            Postgres(home).start()
    finally:
        settings.write_text(before)


def test_half_made_data_folder_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("16")
    postgres = Postgres(tmp_path)
    postgres.start()
    postgres.stop()


def test_listens_on_loopback_with_a_password_that_only_the_user_can_read(postgres: Postgres) -> None:
    assert one(postgres.superuser_url, "show listen_addresses") == "127.0.0.1"
    assert one(postgres.superuser_url, "show unix_socket_directories") == ""
    assert stat.S_IMODE((postgres.home / "postgres.json").stat().st_mode) == 0o600
    passwords = json.loads((postgres.home / "postgres.json").read_text())
    with pytest.raises(psycopg.OperationalError, match="password"):
        one(postgres.superuser_url.replace(passwords["postgres"], "guessed"), "select 1")


def test_authenticator_may_do_nothing_but_become_one_of_three_roles(postgres: Postgres) -> None:
    with psycopg.connect(postgres.authenticator_url) as connection:
        for role in ("anon", "authenticated", "service_role"):
            with connection.transaction():
                connection.execute(f"set local role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("set local role postgres")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("create table public.mine (a int)")


def test_auth_uid_reads_the_claims_of_the_transaction(postgres: Postgres) -> None:
    with psycopg.connect(postgres.authenticator_url) as connection:
        connection.execute("set local role authenticated")
        assert connection.execute("select auth.uid()").fetchone() == (None,)
        claims = json.dumps({"sub": OWNER, "role": "authenticated"})
        connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
        row = connection.execute("select auth.uid()::text").fetchone()
        assert row == (OWNER,)


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


@pytest.fixture
def database(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"migrations_{abs(hash(request.node.name))}"
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield postgres.superuser_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


def test_migrations_are_applied_once_and_recorded_as_the_supabase_cli_does(database: str, tmp_path: Path) -> None:
    write(tmp_path, "20260101000000_one.sql", "create table a (x int); insert into a values (1);")
    assert apply_migrations(database, tmp_path) == ["20260101000000"]
    write(tmp_path, "20260102000000_two.sql", "insert into a values (2);")
    assert apply_migrations(database, tmp_path) == ["20260102000000"]
    assert apply_migrations(database, tmp_path) == []
    assert one(database, "select sum(x) from a") == 3
    assert one(
        database, "select array_agg(version || name order by version) from supabase_migrations.schema_migrations"
    ) == [
        "20260101000000one",
        "20260102000000two",
    ]


def test_migration_that_fails_changes_nothing(database: str, tmp_path: Path) -> None:
    write(tmp_path, "20260101000000_one.sql", "create table a (x int); select 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply_migrations(database, tmp_path)
    assert one(database, "select to_regclass('a')") is None
    assert one(database, "select count(*) from supabase_migrations.schema_migrations") == 0


def test_migration_that_cannot_be_recorded_changes_nothing(database: str, tmp_path: Path) -> None:
    write(tmp_path, "20260101000000_one.sql", "create table a (x int); drop schema supabase_migrations cascade;")
    with pytest.raises(psycopg.errors.UndefinedTable):
        apply_migrations(database, tmp_path)
    assert one(database, "select to_regclass('a')") is None


def test_applied_migration_whose_file_is_gone_is_refused(database: str, tmp_path: Path) -> None:
    write(tmp_path, "20260101000000_one.sql", "select 1;")
    apply_migrations(database, tmp_path)
    (tmp_path / "20260101000000_one.sql").unlink()
    with pytest.raises(StackError, match="20260101000000"):
        apply_migrations(database, tmp_path)


@pytest.mark.parametrize("name", ["1_one.sql", "20260101000000.sql", "20260101000000-one.sql"])
def test_migration_with_another_kind_of_name_is_refused(database: str, tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "select 1;")
    with pytest.raises(StackError, match="must be named"):
        apply_migrations(database, tmp_path)


def test_migration_older_than_an_applied_one_is_refused(database: str, tmp_path: Path) -> None:
    write(tmp_path, "20260102000000_two.sql", "select 1;")
    apply_migrations(database, tmp_path)
    write(tmp_path, "20260101000000_one.sql", "select 1;")
    with pytest.raises(StackError, match="older"):
        apply_migrations(database, tmp_path)
