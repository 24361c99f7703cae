"""What an owner has, in the database: counted, given away page by page, and deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.home import PROJECT
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Problem
from tests.database.steps import Answer, Steps, Superuser, new_sha256
from tests.database.webhook_steps import WebhookSteps, write

LISTS = ("webhooks", "deliveries", "remembered_columns", "uploads", "jobs", "attempts", "events", "outputs")
KEYS = {
    "webhooks": ("webhook_id",),
    "deliveries": ("delivery_id",),
    "remembered_columns": ("choice_id",),
    "uploads": ("sha256",),
    "jobs": ("job_id",),
    "attempts": ("job_id", "attempt"),
    "events": ("job_id", "at"),
    "outputs": ("output_id",),
}


def pages(steps: Steps, limit: int) -> Iterator[Answer]:
    after = None
    for _ in range(200):
        page = steps.export(limit, after)
        yield page
        after = page["next"]
        if after is None:
            return
    raise AssertionError("the pages do not come to an end")


def things(page: Answer) -> list[tuple[str, ...]]:
    return [(name, *(str(item[key]) for key in KEYS[name])) for name in LISTS for item in page[name]]


def fill(steps: Steps, webhooks: WebhookSteps, superuser: Superuser) -> None:
    """One of each, and more than one where one hangs on another."""
    for _ in range(2):
        write(superuser, webhooks.create(), 3)
    webhooks.delete(webhooks.create())
    webhooks.create()
    steps.confirmed()
    steps.confirmed("b" * 64)
    done, sha256 = steps.done()
    steps.fail(steps.running(), 1)
    retried = steps.running()
    steps.fail(retried, 1, retry_after_seconds=0)
    steps.finish(retried, steps.claim(retried, "second")["attempt"])
    steps.register(sha256, parameters={"aggregate": "max"})
    steps.register(new_sha256())
    assert steps.outputs(done)


@pytest.fixture
def webhooks(steps: Steps, db: PsycopgDatabase) -> WebhookSteps:
    return WebhookSteps(db, steps.user)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_of_any_size_give_everything_once_in_the_same_order(
    steps: Steps, other_steps: Steps, db: PsycopgDatabase, superuser: Superuser, webhooks: WebhookSteps, limit: int
) -> None:
    fill(steps, webhooks, superuser)
    fill(other_steps, WebhookSteps(db, other_steps.user), superuser)
    whole = steps.export()
    assert whole["next"] is None
    assert all(whole[name] for name in LISTS)
    found = list(pages(steps, limit))
    assert all(0 < len(things(page)) <= limit for page in found)
    for name in LISTS:
        assert [item for page in found for item in page[name]] == whole[name]
    assert len(set(things(whole))) == len(things(whole))


def test_an_export_is_the_owner_s_and_holds_no_secret(
    steps: Steps, other_steps: Steps, db: PsycopgDatabase, superuser: Superuser, webhooks: WebhookSteps
) -> None:
    fill(steps, webhooks, superuser)
    theirs = WebhookSteps(db, other_steps.user)
    fill(other_steps, theirs, superuser)
    mine, others = steps.export(), other_steps.export()
    assert set(things(mine)).isdisjoint(things(others))
    assert "whsec_" not in str(mine)
    assert str(other_steps.user.owner) not in str(mine)
    # A place in the other's export leads to one's own things alone.
    place = other_steps.export(limit=3)["next"]
    assert set(things(steps.export(after=place))) < set(things(mine))


def test_the_whole_export_is_every_row_of_the_owner(steps: Steps, superuser: Superuser, webhooks: WebhookSteps) -> None:
    fill(steps, webhooks, superuser)
    whole = steps.export()
    counts = {table: len(rows_of(superuser, table, steps)) for table in tables_with_an_owner(superuser)}
    assert counts.pop("owners") == 1
    assert counts == {{"events": "job_events"}.get(name, name): len(whole[name]) for name in LISTS}


def test_what_comes_and_goes_between_two_pages_moves_nothing_else(steps: Steps) -> None:
    jobs = [steps.done()[0] for _ in range(3)]
    before = steps.export()
    walk = pages(steps, 5)
    seen = [next(walk)]
    steps.done()
    steps._call("delete_job", steps.user, job_id=jobs[2])
    seen += walk
    told = [thing for page in seen for thing in things(page)]
    assert len(set(told)) == len(told)
    stayed = [thing for thing in things(before) if thing[0] not in ("uploads", "outputs") and jobs[2] not in thing]
    assert set(stayed) <= set(told)
    assert ("jobs", jobs[2]) not in told


def test_a_page_ends_where_it_grows_too_large_for_an_answer(steps: Steps) -> None:
    sha256 = new_sha256()
    for number in range(40):
        steps.register(sha256, parameters={"template": [f"{number}", "x" * 60_000]})
    found = list(pages(steps, 500))
    assert len(found) == 3
    assert sum(len(page["jobs"]) for page in found) == 40
    assert all(len(str(page)) < 1_200_000 for page in found)


def test_uploads_left_are_those_that_are_let_in(steps: Steps) -> None:
    assert steps.account()["usage"] == {"running_jobs": 0, "uploads_left": 60, "stored_bytes": 0}
    for _ in range(57):
        steps.register(new_sha256())
    left = steps.account()["usage"]["uploads_left"]
    assert left >= 3
    made, refusal = register_until_refused(steps)
    assert (refusal.code, refusal.status) == ("uploads_limit", 429)
    # One comes back each minute, and this took less than one.
    assert made in (left, left + 1)
    assert steps.account()["usage"]["uploads_left"] == 0


def test_what_is_used_is_of_the_plan(steps: Steps) -> None:
    steps.done()
    assert steps.account()["usage"]["stored_bytes"] == 18
    steps._call("set_plan", None, owner=str(steps.user.owner), plan="pro")
    account = steps.account()
    assert (account["plan"], account["limits"]["uploads_per_hour"]) == ("pro", 600)
    assert account["usage"]["uploads_left"] >= 590


def test_the_page_tells_the_plans_as_they_are(superuser: Superuser) -> None:
    page = (PROJECT / "docs" / "account.md").read_text(encoding="utf-8")
    rows = superuser.execute(
        "select plan, running_jobs, uploads_per_hour, stored_bytes / 2^30, retention_days from assay.plans"
    ).fetchall()
    assert len(rows) == 3
    for plan, running, uploads, gib, days in rows:
        assert isinstance(gib, float)
        stored = f"{gib:.0f} GiB" if gib < 1024 else f"{gib / 1024:.0f} TiB"
        assert f"| `{plan}` | {running} | {uploads:,} | {stored} | {days} days |" in page


def test_a_deletion_leaves_nothing_but_the_plan_and_what_is_used_of_it(
    steps: Steps, other_steps: Steps, db: PsycopgDatabase, superuser: Superuser, webhooks: WebhookSteps
) -> None:
    fill(steps, webhooks, superuser)
    fill(other_steps, WebhookSteps(db, other_steps.user), superuser)
    steps.running()
    others = other_steps.export()
    keys = {item["object_key"] for name in ("uploads", "outputs") for item in steps.export()[name]} - {None}
    used = steps.account()["usage"]["uploads_left"]

    left = [steps.delete_account(limit=2)["left"] for _ in range(12)]
    assert left == sorted(left, reverse=True)
    assert left[2] > left[-1] == 0

    with_rows = {table for table in tables_with_an_owner(superuser) if rows_of(superuser, table, steps)}
    assert with_rows == {"owners"}
    assert steps.account()["usage"] == {"running_jobs": 0, "uploads_left": used, "stored_bytes": 0}
    assert [len(page[name]) for page in pages(steps, 10) for name in LISTS] == [0] * len(LISTS)
    assert things(other_steps.export()) == things(others)

    superuser.execute("update assay.deletions set due_at = now() where due_at > now()")
    to_delete = steps._call("clean_up", None, quiet_seconds=900)["keys"]
    assert all(any(key == noted or key.startswith(noted) for noted in to_delete) for key in keys)
    steps._call("objects_deleted", None, keys=to_delete)
    everywhere = {table for table in all_tables(superuser) if rows_that_name(superuser, table, steps)}
    assert everywhere == {"owners"}


def test_no_deletion_begins_a_job_after_two_seconds(steps: Steps, superuser: Superuser) -> None:
    for _ in range(3):
        steps.register(new_sha256())
    superuser.execute(
        "create function assay.slow() returns trigger language plpgsql set search_path = '' as "
        "$$begin perform pg_sleep(2.1); return old; end$$"
    )
    superuser.execute("revoke execute on function assay.slow from public")
    superuser.execute(
        "create trigger slow before delete on assay.jobs for each row "
        f"when (old.owner = '{steps.user.owner}') execute function assay.slow()"
    )
    try:
        assert steps.delete_account() == {"left": 2}
    finally:
        superuser.execute("drop function assay.slow cascade")


def register_until_refused(steps: Steps) -> tuple[int, Problem]:
    made = 0
    while True:
        try:
            steps.register(new_sha256())
        except Problem as problem:
            return made, problem
        made += 1


def tables_with_an_owner(superuser: Superuser) -> list[str]:
    rows = superuser.execute(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
        "where c.relnamespace = 'assay'::regnamespace and c.relkind = 'r' and a.attname = 'owner'"
    ).fetchall()
    return [str(name) for (name,) in rows]


def all_tables(superuser: Superuser) -> list[str]:
    rows = superuser.execute(
        "select relname from pg_class where relnamespace = 'assay'::regnamespace and relkind = 'r'"
    ).fetchall()
    return [str(name) for (name,) in rows]


def rows_of(superuser: Superuser, table: str, steps: Steps) -> list[tuple[object, ...]]:
    return superuser.execute(f"select 1 from assay.{table} where owner = %s", (steps.user.owner,)).fetchall()


def rows_that_name(superuser: Superuser, table: str, steps: Steps) -> list[tuple[object, ...]]:
    """Rows of any kind that have the owner's id in any of their columns."""
    return superuser.execute(
        f"select to_jsonb(t) from assay.{table} t where to_jsonb(t)::text like %s", (f"%{steps.user.owner}%",)
    ).fetchall()
