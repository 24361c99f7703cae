"""Webhooks in the database: what ends is noted with the job, and everything is its owner's alone."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from local.postgres.server import Postgres
from shared.database.psycopg_database import PsycopgDatabase
from shared.errors import Problem
from tests.database.steps import ERROR, MANIFEST, VERSIONS, Steps, Superuser, let_lease_run_out
from tests.database.webhook_steps import URL, Answer, WebhookSteps, write

pytestmark = pytest.mark.usefixtures("no_webhooks")


def test_every_webhook_of_the_owner_is_told_of_a_done_job(
    steps: Steps, webhooks: WebhookSteps, others: WebhookSteps
) -> None:
    mine, theirs = [webhooks.create(), webhooks.create()], others.create()
    job_id, _ = steps.done()
    claimed = webhooks.claim()
    assert {delivery["url"] for delivery in claimed} == {webhook["url"] for webhook in webhooks.all()}
    assert len({delivery["delivery_id"] for delivery in claimed}) == 2
    for delivery in claimed:
        assert (delivery["type"], delivery["attempt"]) == ("job.done", 1)
        assert delivery["occurred_at"] == steps.job(job_id)["finished_at"]
        assert delivery["data"] == {
            "job_id": job_id,
            "status": "done",
            "dataset_type": "station_measurements",
            "pipeline": "station_measurements",
            "pipeline_version": VERSIONS["station_measurements"],
            "manifest_sha256": MANIFEST,
            "error_code": None,
        }
    assert [len(webhooks.deliveries(webhook_id)) for webhook_id in mine] == [1, 1]
    assert others.deliveries(theirs) == []


def test_a_failure_is_told_by_its_code_alone(steps: Steps, webhooks: WebhookSteps) -> None:
    webhooks.create()
    steps.fail(steps.running(), 1)
    [delivery] = webhooks.claim()
    assert (delivery["type"], delivery["data"]["error_code"]) == ("job.failed", ERROR["code"])
    assert ERROR["detail"] not in str(delivery)


def test_a_job_that_its_last_worker_lost_is_told_of(steps: Steps, webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhooks.create()
    job_id = steps.running()
    superuser.execute("update assay.jobs set max_attempts = 1 where job_id = %s", (job_id,))
    let_lease_run_out(superuser, job_id)
    steps.sweep()
    [delivery] = webhooks.claim()
    assert (delivery["type"], delivery["data"]["job_id"]) == ("job.failed", job_id)


def test_no_other_change_of_a_job_is_told_of(steps: Steps, webhooks: WebhookSteps) -> None:
    webhook_id = webhooks.create()
    steps.fail(steps.running(), 1, retry_after_seconds=60)
    steps.await_type(steps.running(), 1)
    steps.cancel(steps.queued()[0])
    job_id, _ = steps.done()
    assert steps.finish(job_id, 1)["accepted"], "the same ending again, whose answer was lost"
    assert [delivery["job_id"] for delivery in webhooks.deliveries(webhook_id)] == [job_id]


def test_the_note_stands_or_falls_with_the_ending(steps: Steps, webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhook_id = webhooks.create()
    job_id = steps.running()
    ending = 'select public.fail_job(%s, 1, \'{"code": "c", "detail": "d", "suggestion": "s"}\', null)'
    with superuser.transaction():
        superuser.execute(ending, (job_id,))
        raise psycopg.Rollback
    assert webhooks.deliveries(webhook_id) == []
    superuser.execute(ending, (job_id,))
    assert len(webhooks.deliveries(webhook_id)) == 1


def test_a_deleted_job_is_still_told_of(steps: Steps, webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhooks.create()
    job_id, _ = steps.done()
    superuser.execute("delete from assay.jobs where job_id = %s", (job_id,))
    assert [delivery["data"]["job_id"] for delivery in webhooks.claim()] == [job_id]


def test_a_webhook_that_is_removed_at_that_moment_does_not_keep_a_job_from_ending(
    postgres: Postgres, steps: Steps, webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    job_id = steps.running()
    waiting = "select count(*) from pg_locks where not granted"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres.superuser_url) as remover:
        remover.execute("delete from assay.webhooks where webhook_id = %s", (webhook_id,))
        ending = pool.submit(steps.finish, job_id, 1)
        while superuser.execute(waiting).fetchone() == (0,):
            assert not ending.done(), "it ended without waiting for the one that removes"
        remover.commit()
        assert ending.result()["status"] == "done"


def test_the_secret_is_never_read_again(steps: Steps, webhooks: WebhookSteps, superuser: Superuser) -> None:
    made = webhooks.register()
    webhook_id, secret = made["webhook_id"], made["secret"]
    steps.done()
    assert set(webhooks.all()[0]) == {"webhook_id", "url", "created_at", "failing_since"}
    assert secret not in str((webhooks.all(), webhooks.deliveries(webhook_id)))
    for role in ("authenticated", "service_role", "anon"):
        for column in ("secret", "*"):
            with superuser.transaction():
                superuser.execute(f"set local role {role}".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege), superuser.transaction():
                    superuser.execute(f"select {column} from assay.webhooks".encode())
    [delivery] = webhooks.claim()
    assert delivery["secret"] == secret


def test_by_itself_nobody_reads_another_owner_s(
    webhooks: WebhookSteps, others: WebhookSteps, superuser: Superuser
) -> None:
    write(superuser, webhooks.create(), 1)
    write(superuser, others.create(), 1)
    for table in ("webhooks", "deliveries"):
        with superuser.transaction():
            superuser.execute(
                "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
                (f'{{"sub": "{webhooks.user.owner}"}}',),
            )
            assert superuser.execute(f"select owner from assay.{table}".encode()).fetchall() == [(webhooks.user.owner,)]


def test_there_may_be_ten(webhooks: WebhookSteps, others: WebhookSteps) -> None:
    made = [webhooks.create() for _ in range(10)]
    with pytest.raises(Problem, match="You have 10 webhooks"):
        webhooks.create()
    others.create()
    webhooks.delete(made[0])
    webhooks.create()
    assert [webhook["webhook_id"] for webhook in webhooks.all()][:9] == made[1:]


def test_many_at_once_make_ten(postgres: Postgres, webhooks: WebhookSteps) -> None:
    def create(_: int) -> str | None:
        try:
            return WebhookSteps(PsycopgDatabase(postgres.authenticator_url), webhooks.user).create()
        except Problem:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [webhook_id for webhook_id in pool.map(create, range(24)) if webhook_id]
    assert len(made) == len(webhooks.all()) == 10


def test_a_call_whose_answer_was_lost_makes_no_second_webhook(
    webhooks: WebhookSteps, others: WebhookSteps, superuser: Superuser
) -> None:
    request_id = uuid4()
    first = webhooks.register(request_id=request_id)
    assert webhooks.register(request_id=request_id) == first
    assert others.register(request_id=request_id)["webhook_id"] != first["webhook_id"]
    superuser.execute("update assay.webhooks set created_at = created_at - interval '1 minute'")
    assert webhooks.register(request_id=request_id)["secret"] is None, "a minute later it is told to nobody"


def test_a_url_is_one_webhook_and_its_secret_is_told_once(webhooks: WebhookSteps, others: WebhookSteps) -> None:
    first = webhooks.register()
    assert first["new"] is True
    again = webhooks.register()
    assert again == first | {"new": False, "secret": None}
    assert [webhook["webhook_id"] for webhook in webhooks.all()] == [first["webhook_id"]]
    assert others.register()["new"] is True
    webhooks.delete(first["webhook_id"])
    anew = webhooks.register()
    assert (anew["new"], anew["secret"] != first["secret"]) == (True, True)


def test_the_same_url_at_once_makes_one_webhook(postgres: Postgres, webhooks: WebhookSteps) -> None:
    def register(_: int) -> Answer:
        return WebhookSteps(PsycopgDatabase(postgres.authenticator_url), webhooks.user).register()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(register, range(8)))
    assert len({webhook["webhook_id"] for webhook in made}) == sum(webhook["new"] for webhook in made) == 1


def test_the_table_holds_no_url_twice(webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhooks.register()
    with pytest.raises(psycopg.errors.UniqueViolation):
        superuser.execute(
            "insert into assay.webhooks (owner, url, secret) select owner, url, secret from assay.webhooks"
        )


def test_secrets_are_random_and_long_enough(webhooks: WebhookSteps) -> None:
    """24 to 64 bytes, says Standard Webhooks."""
    secrets = {webhooks.register(f"{URL}/{number}")["secret"] for number in range(10)}
    assert {len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) for secret in secrets} == {32}
    assert len(secrets) == 10


def test_a_deleted_webhook_is_told_nothing_more_and_leaves_nothing(
    steps: Steps, webhooks: WebhookSteps, superuser: Superuser
) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 1500)
    assert webhooks.due()
    webhooks.delete(webhook_id)
    assert (webhooks.all(), webhooks.due(), webhooks.claim()) == ([], False, [])
    for call in (webhooks.deliveries, webhooks.delete):
        with pytest.raises(Problem, match="There is no such webhook"):
            call(webhook_id)
    steps.done()
    secret = superuser.execute("select secret from assay.webhooks").fetchall()
    assert secret == [(None,)]
    for left in (500, 0):
        assert webhooks.claim(sweep=True) == []
        assert superuser.execute("select count(*) from assay.deliveries").fetchone() == (left,)
    assert superuser.execute("select from assay.webhooks").fetchone() is None


def test_pages_hold_every_delivery_once_newest_first(webhooks: WebhookSteps, superuser: Superuser) -> None:
    webhook_id = webhooks.create()
    write(superuser, webhook_id, 3, "1 hour")  # of one moment
    write(superuser, webhook_id, 2)
    whole = webhooks.deliveries(webhook_id)
    assert [page["occurred_at"] for page in whole] == sorted((page["occurred_at"] for page in whole), reverse=True)
    seen, last = list[Answer](), None
    while page := webhooks.deliveries(webhook_id, limit=2, after=last):
        seen, last = seen + page, page[-1]
    assert seen == whole
    assert len({delivery["delivery_id"] for delivery in seen}) == 5
