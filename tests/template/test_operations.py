"""docs/operations.md is true of the template and the database, and what it says to paste can be pasted."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import botocore.session
import psycopg
import pytest
from botocore import xform_name
from psycopg.rows import scalar_row

from local.postgres.migrations import apply_migrations
from local.postgres.server import Postgres, embedded_binaries
from tests.cloudformation import read_template
from tests.database.hosted import drop_database, new_database

from .conftest import ROOT

PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
PROSE = " ".join(PAGE.split())
BLOCKS = [
    (language, re.sub(r"^ {2,3}", "", text, flags=re.MULTILINE))
    for language, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", PAGE, flags=re.DOTALL | re.MULTILINE)
]
SHELL = [text for language, text in BLOCKS if language == "sh"]
# A command with the rest of its line; a line that ends in a backslash goes on.
AWS = re.findall(r"(?<![\w.])aws ([a-z0-9]+ [a-z0-9-]+)((?:(?!aws )[^`\n])*)", PAGE.replace("\\\n", " "))
# Options of the CLI itself, which has `aws s3` besides as a program of its own.
GLOBAL = {"query", "output", "cli-binary-format", "endpoint-url"}
RESOURCES = read_template()["Resources"]


def test_every_alarm_has_its_runbook() -> None:
    alarms = {name for name, resource in RESOURCES.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", PAGE, flags=re.DOTALL | re.MULTILINE))
    assert sections.keys() == alarms
    for name, text in sections.items():
        assert re.findall(r"^- \*\*(\w+):\*\*", text, flags=re.MULTILINE) == ["Means", "Look", "Do", "Over"], name


def test_what_was_deleted_is_kept_for_as_long_as_the_page_says() -> None:
    bucket = RESOURCES["Bucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "NoncurrentVersionExpiration" in rule]
    assert (rule["Status"], rule["ExpiredObjectDeleteMarker"]) == ("Enabled", True)
    days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert f"In the bucket it stays as a noncurrent version for {days} days (`{rule['Id']}`" in PROSE
    assert f"a window of {days} days" in PROSE
    assert f"interval '{days} days'" in PAGE


def test_every_resource_that_is_named_is_one() -> None:
    # Each event of a function becomes a resource whose name is the function's and the event's.
    events = {
        name + event
        for name, resource in RESOURCES.items()
        for event in resource["Properties"].get("Events", {})
        if resource["Type"] == "AWS::Serverless::Function"
    }
    named = set(re.findall(r'"?\$\(name (\w+)\)', PAGE))
    looped = {
        name for names in re.findall(r"^ *for \w+ in ([\w ]+);", PAGE, flags=re.MULTILINE) for name in names.split()
    }
    assert named | looped
    assert (named | looped) - RESOURCES.keys() - events == set()


def test_the_worker_is_stopped_in_all_that_starts_it() -> None:
    started_by = {f"ProcessFunction{event}" for event in RESOURCES["ProcessFunction"]["Properties"]["Events"]}
    for heading in ("**Stop.**", "**Start.**"):
        step = PAGE.split(heading)[1].split("```")[1]
        assert started_by == set(re.findall(r"ProcessFunction\w+", step))


@pytest.mark.parametrize("block", SHELL, ids=range(len(SHELL)))
def test_every_block_of_shell_can_be_read(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("command", "arguments"), AWS, ids=[command for command, _ in AWS])
def test_every_aws_command_has_only_options_that_there_are(command: str, arguments: str) -> None:
    service, operation = command.split()
    given = set(re.findall(r"(?<=\s)--([a-z0-9-]+)", arguments))
    if service == "s3":
        assert (operation, given) == ("sync", {"endpoint-url"})
        return
    model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
    (name,) = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape = model.operation_model(name).input_shape
    options = {xform_name(member, "-") for member in shape.members} if shape else set()
    assert given - GLOBAL - options - {f"no-{option}" for option in options} == set()


def test_aws_commands_are_found() -> None:
    assert {"sqs start-message-move-task", "s3api delete-object", "lambda invoke", "events enable-rule"} <= {
        command for command, _ in AWS
    }


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """A database as a hosted project has it, by the project's own login, which is no superuser."""
    url = new_database(postgres, "operated")
    try:
        apply_migrations(url)
        yield url
    finally:
        drop_database(postgres, "operated")


def test_every_statement_runs_as_the_project_s_own_login(database: str) -> None:
    statements = [text for language, text in BLOCKS if language == "sql"]
    assert len(statements) >= 8
    with psycopg.connect(database) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@dataclass(frozen=True)
class Restored:
    """A database as of an earlier moment, and the keys that the bucket has now."""

    connection: psycopg.Connection
    owner: UUID
    keys: list[str]

    def upload(self, name: str, *, stored: bool, there: bool) -> UUID:
        """Insert an upload; return its id."""
        ((upload_id, key),) = self.connection.execute(
            "insert into assay.uploads (owner, sha256, size_bytes, filename, stored_at) "
            "values (%s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'), 1, 'a.csv', case when %s then now() end) "
            "returning upload_id, 'uploads/' || owner || '/' || sha256",
            (self.owner, name, stored),
        ).fetchall()
        self.keys.extend([key] if there else [])
        return UUID(str(upload_id))

    def job(self, upload_id: UUID, columns: str, values: str) -> UUID:
        """Insert a job of the upload; return its id."""
        ((job_id,),) = self.connection.execute(
            f"insert into assay.jobs (owner, upload_id, filename, size_bytes, {columns}) "
            f"values (%s, %s, 'a.csv', 1, {values}) returning job_id".encode(),
            (self.owner, upload_id),
        ).fetchall()
        return UUID(str(job_id))

    def done(self, name: str, *, there: bool) -> UUID:
        """Insert a job that is done, with its upload and one output; return its id."""
        columns = "status, attempt, finished_at, pipeline, pipeline_version, manifest_sha256"
        upload_id = self.upload(name, stored=True, there=True)
        job_id = self.job(upload_id, columns, f"'done', 1, now(), 'p', '1', '{'a' * 64}'")
        key = f"outputs/{self.owner}/{job_id}/1/a.csv"
        self.connection.execute(
            "insert into assay.attempts (job_id, attempt, owner, worker, memory_mb, outcome, ended_at) "
            "values (%s, 1, %s, 'w', 1024, 'done', now())",
            (job_id, self.owner),
        )
        self.connection.execute(
            "insert into assay.outputs "
            "(job_id, owner, object_key, sha256, attempt, position, name, media_type, size_bytes) "
            "values (%s, %s, %s, %s, 1, 1, 'a.csv', 'text/csv', 1)",
            (job_id, self.owner, key, "b" * 64),
        )
        self.keys.extend([key] if there else [])
        return job_id

    def to_delete(self, key: str, *, there: bool) -> str:
        """Note an object that was about to be deleted; return its key."""
        self.connection.execute(
            "insert into assay.deletions (object_key, due_at, taken_at, reusable) values (%s, now(), now(), true)",
            (key,),
        )
        self.keys.extend([key] if there else [])
        return key


def test_after_a_restore_rows_and_files_come_together_and_nothing_is_deleted_at_once(
    database: str, tmp_path: Path
) -> None:
    (script,) = [
        found for block in SHELL for found in re.findall(r"<<'SQL'\n(.*?)^SQL$", block, re.DOTALL | re.MULTILINE)
    ]
    with psycopg.connect(database, autocommit=True) as connection:
        owner = uuid4()
        state = Restored(connection, owner, [])
        kept, deleted_since = state.done("kept", there=True), state.done("deleted since", there=False)
        arrived = state.job(state.upload("arrived since", stored=False, there=True), "status", "'awaiting_upload'")
        waiting = state.job(state.upload("never sent", stored=False, there=False), "status", "'awaiting_upload'")
        gone = state.job(state.upload("gone", stored=True, there=False), "status", "'queued'")
        due = state.to_delete(f"uploads/{owner}/{'c' * 64}", there=True)
        state.to_delete(f"uploads/{owner}/{'d' * 64}", there=False)
        new_upload = f"uploads/{owner}/{'e' * 64}"
        new_output, other_attempt = f"outputs/{owner}/{uuid4()}/1/a.csv", f"outputs/{owner}/{kept}/2/a.csv"
        (tmp_path / "keys.txt").write_text("\n".join([*state.keys, new_upload, new_output, other_attempt]) + "\n")

        psql = [str(embedded_binaries() / "psql"), database, "--set", "ON_ERROR_STOP=1", "--single-transaction"]
        done = subprocess.run(psql, input=script, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

        jobs: dict[UUID, str] = dict(connection.execute("select job_id, status from assay.jobs").fetchall())
        assert jobs == {kept: "done", arrived: "queued", waiting: "awaiting_upload"}
        assert {deleted_since, gone} & jobs.keys() == set()
        with connection.cursor(row_factory=scalar_row) as cursor:
            held = cursor.execute(
                "select object_key from assay.deletions where due_at > now() + interval '6 days' and taken_at is null"
            ).fetchall()
            reusable = cursor.execute(
                "select object_key from assay.deletions where reusable and due_at > now()"
            ).fetchall()
            at_once = cursor.execute("select object_key from assay.deletions where due_at <= now()").fetchall()
        assert set(held) == {due, new_upload, new_output}
        assert set(reusable) == {due, new_upload}
        assert all(str(deleted_since) in key or key.startswith("uploads/") for key in at_once)
        assert kept not in {UUID(key.split("/")[2]) for key in at_once if key.startswith("outputs/")}
