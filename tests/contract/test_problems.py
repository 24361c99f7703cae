"""What the functions refuse, and what is not the caller's, reaches the code as the same error by either transport."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from postgrest import APIError

from shared.database import Database
from shared.database.data_api import DataApiDatabase
from shared.database.transport import Argument
from shared.errors import Problem
from shared.sign_in.auth import User
from tests.database.steps import Steps, Superuser, new_sha256
from tests.database.webhook_steps import WebhookSteps
from tests.supabase.gateway import Gateway

NOBODY_S = str(UUID(int=0))
JOB_NOT_FOUND = (404, "job_not_found", "There is no such job.", "List your jobs with GET /jobs.")
OUTPUT_NOT_FOUND = (
    404,
    "output_not_found",
    "There is no such output.",
    "List a job's outputs with GET /jobs/{job_id}/outputs.",
)
COLUMNS_NOT_FOUND = (
    404,
    "columns_not_found",
    "There are no such remembered columns.",
    "List yours with GET /columns.",
)
WEBHOOK_NOT_FOUND = (404, "webhook_not_found", "There is no such webhook.", "List your webhooks with GET /webhooks.")
TOO_MANY_WEBHOOKS = (
    409,
    "too_many_webhooks",
    "You have 10 webhooks, which is the maximum.",
    "Delete one with DELETE /webhooks/{webhook_id}; GET /webhooks lists them.",
)
BYTES_MISSING = (
    409,
    "bytes_missing",
    "The file is not in the object store.",
    "Upload the file again with POST /uploads.",
)
NOT_SIGNED_IN = (401, "not_signed_in", "The request has no signed-in user.", "Send a valid access token.")

PROBLEMS: list[tuple[Callable[[Steps], Any], tuple[int, str, str, str]]] = [
    (lambda steps: steps.job(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.cancel(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.outputs(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.output(NOBODY_S), OUTPUT_NOT_FOUND),
    (lambda steps: steps.forget_columns(NOBODY_S), COLUMNS_NOT_FOUND),
    (lambda steps: steps.edit_columns(NOBODY_S, {"revenue": "Gross"}), COLUMNS_NOT_FOUND),
    (
        lambda steps: steps.edit_columns(NOBODY_S, {"revenue": 1}),
        (
            422,
            "invalid_columns",
            "The columns are not an object of roles and headers.",
            'Send an object such as {"revenue": "Gross"}; null means that there is no such column.',
        ),
    ),
    (
        lambda steps: steps.register("a" * 64, on_duplicate="ask"),
        (422, "invalid_request", "on_duplicate must be reuse or reprocess.", 'Send "reuse" or "reprocess".'),
    ),
    (
        lambda steps: steps.cancel(steps.done()[0]),
        (409, "job_not_cancellable", "The job is already done.", "Only a job that has not ended can be cancelled."),
    ),
    (lambda steps: steps.retry(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.reprocess(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.delete(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.choose_type(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.choose_type(cancelled_before_its_bytes(steps)), BYTES_MISSING),
    (
        lambda steps: steps.choose_type(steps.done()[0], "No type!"),
        (422, "unknown_dataset_type", "There is no such dataset type.", "List them with GET /dataset-types."),
    ),
    (
        lambda steps: steps.choose_type(failed_and_sent_again(steps)),
        (
            409,
            "already_under_way",
            "Another job is already processing this file.",
            "Find it with GET /jobs, and choose its type.",
        ),
    ),
    (
        lambda steps: steps.register(steps.done()[1], size_bytes=11),
        (
            409,
            "size_mismatch",
            "The file with this SHA-256 has 10 bytes, not 11.",
            "Send the size and the SHA-256 of the same file.",
        ),
    ),
    (
        lambda steps: steps.retry(steps.done()[0]),
        (
            409,
            "job_not_retryable",
            "The job is done.",
            "Only a failed or cancelled job can be retried; for a done job use POST /jobs/{job_id}/reprocess.",
        ),
    ),
    (lambda steps: steps.reprocess(cancelled_before_its_bytes(steps)), BYTES_MISSING),
    (lambda steps: steps.retry(cancelled_before_its_bytes(steps)), BYTES_MISSING),
    (
        lambda steps: steps.retry(failed_and_sent_again(steps)),
        (
            409,
            "already_under_way",
            "Another job is already doing the same with this file.",
            "Find it with GET /jobs, and wait for it.",
        ),
    ),
    (
        lambda steps: steps.set_plan("gold"),
        (422, "unknown_plan", "There is no such plan.", "Choose one of: free, pro, enterprise."),
    ),
    (lambda steps: WebhookSteps.of(steps).delete(NOBODY_S), WEBHOOK_NOT_FOUND),
    (lambda steps: WebhookSteps.of(steps).deliveries(NOBODY_S), WEBHOOK_NOT_FOUND),
    (lambda steps: [WebhookSteps.of(steps).create() for _ in range(11)], TOO_MANY_WEBHOOKS),
]
LIMITS: list[tuple[Callable[[Steps], Any], tuple[int, str, str, str], int]] = [
    (
        lambda steps: [steps.register(new_sha256()) for _ in range(61)],
        (
            429,
            "uploads_limit",
            'Your plan "free" allows 60 uploads an hour.',
            "Try again in {} seconds, or ask for a larger plan.",
        ),
        60,
    ),
    (
        lambda steps: steps.register(new_sha256(), size_bytes=5 * 2**30 + 1),
        (
            429,
            "storage_limit",
            'Your plan "free" stores up to 5368709120 bytes; with this file you would have 5368709121.',
            "Delete jobs that you no longer need (DELETE /jobs/{job_id}), or ask for a larger plan.",
        ),
        3600,
    ),
    (
        lambda steps: steps.register(being_deleted(steps)),
        (503, "being_deleted", "An earlier upload of this file is being deleted.", "Try again in 5 seconds."),
        5,
    ),
]


def cancelled_before_its_bytes(steps: Steps) -> str:
    job_id: str = steps.register(new_sha256())["job"]["job_id"]
    steps.cancel(job_id)
    return job_id


def failed_and_sent_again(steps: Steps) -> str:
    job_id, sha256 = steps.queued()
    steps.fail(job_id, steps.claim(job_id)["attempt"])
    steps.register(sha256)
    return job_id


def being_deleted(steps: Steps) -> str:
    job_id, sha256 = steps.done()
    steps.delete(job_id)
    assert f"uploads/{steps.user.owner}/{sha256}" in steps.clean_up()["keys"]
    return sha256


def caught(call: Callable[[], object]) -> tuple[int, str, str, str]:
    with pytest.raises(Problem) as raised:
        call()
    problem = raised.value
    return problem.status, problem.code, problem.detail, problem.suggestion


@pytest.mark.parametrize(("refused", "problem"), PROBLEMS)
def test_a_refusal_is_the_same_problem(
    steps: Steps, refused: Callable[[Steps], Any], problem: tuple[int, str, str, str]
) -> None:
    assert caught(lambda: refused(steps)) == problem


@pytest.mark.parametrize(("refused", "problem", "seconds"), LIMITS, ids=[problem[1] for _, problem, _ in LIMITS])
def test_a_limit_says_when_to_ask_again(
    steps: Steps, refused: Callable[[Steps], Any], problem: tuple[int, str, str, str], seconds: int
) -> None:
    with pytest.raises(Problem) as raised:
        refused(steps)
    said = raised.value
    assert said.retry_after_seconds is not None
    assert seconds - 10 < said.retry_after_seconds <= seconds  # some may have passed since the first of 61 uploads
    status, code, detail, suggestion = problem
    assert (said.status, said.code, said.detail) == (status, code, detail)
    assert said.suggestion == suggestion.format(said.retry_after_seconds, job_id="{job_id}")


def test_every_problem_in_the_database_s_code_is_tested(superuser: Superuser) -> None:
    rows = superuser.execute("select prosrc from pg_proc where prosrc ~ 'raise_problem[(][0-9]'").fetchall()
    raised = {
        (int(status), code)
        for (source,) in rows
        for status, code in re.findall(r"raise_problem\((\d+), '(\w+)[' ]", str(source))
    }
    assert raised == {problem[:2] for _, problem in PROBLEMS} | {problem[:2] for _, problem, _ in LIMITS} | {
        NOT_SIGNED_IN[:2]
    }


def test_a_token_that_names_nobody_is_not_signed_in(supabase_project: Gateway) -> None:
    """By psycopg it cannot happen: the claims are made from the user."""
    nobody = User(uuid4(), supabase_project.issuer.token(sub=None))
    db = DataApiDatabase(supabase_project.url, publishable_key=supabase_project.publishable_key, secret_key=None)
    assert caught(lambda: Steps(db, nobody).register("a" * 64)) == NOT_SIGNED_IN


@pytest.mark.parametrize(
    ("look", "problem"),
    [
        (lambda steps, job_id, _: steps.job(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.cancel(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.retry(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.reprocess(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.choose_type(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.delete(job_id), JOB_NOT_FOUND),
        (lambda steps, job_id, _: steps.outputs(job_id), JOB_NOT_FOUND),
        (lambda steps, _, output_id: steps.output(output_id), OUTPUT_NOT_FOUND),
    ],
    ids=[
        "get_job",
        "cancel_job",
        "retry_job",
        "reprocess_job",
        "choose_type",
        "delete_job",
        "list_outputs",
        "get_output",
    ],
)
def test_another_owner_s_things_are_not_there(
    steps: Steps, other_steps: Steps, look: Callable[[Steps, str, str], object], problem: tuple[int, str, str, str]
) -> None:
    job_id, sha256 = steps.done()
    output_id = steps.outputs(job_id)[0]["output_id"]
    assert caught(lambda: look(other_steps, job_id, output_id)) == problem
    assert other_steps.jobs() == []
    assert other_steps.register(sha256)["job"]["job_id"] != job_id
    assert steps.job(job_id)["status"] == "done"


def test_another_owner_s_webhooks_are_not_there(steps: Steps, other_steps: Steps) -> None:
    mine, theirs = WebhookSteps.of(steps), WebhookSteps.of(other_steps)
    webhook_id = mine.create()
    assert caught(lambda: theirs.deliveries(webhook_id)) == WEBHOOK_NOT_FOUND
    assert caught(lambda: theirs.delete(webhook_id)) == WEBHOOK_NOT_FOUND
    assert theirs.all() == []
    assert len(mine.all()) == 1


def sqlstate(call: Callable[[], object]) -> str | None:
    """The SQLSTATE of an error that is a bug of ours: raised as the transport's own."""
    try:
        answer = call()
    except psycopg.Error as error:
        return error.sqlstate
    except APIError as error:
        return error.code
    pytest.fail(f"no error, but {answer}")


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("object_created", {"p_key": "x"}), ("sweep_jobs", {"p_upload_seconds": 1, "p_quiet_seconds": 1})],
)
def test_a_user_may_not_do_the_worker_s_part(
    db: Database, user: User, function: str, arguments: dict[str, Argument]
) -> None:
    assert sqlstate(lambda: db.call(function, arguments, user)) == "42501"


def test_the_worker_may_not_do_a_user_s_part(db: Database, steps: Steps) -> None:
    job_id, _ = steps.done()
    assert sqlstate(lambda: db.call("get_job", {"p_job_id": job_id}, None)) == "42501"


def test_what_a_constraint_forbids_is_a_bug_and_no_problem(steps: Steps) -> None:
    assert sqlstate(lambda: steps.register("not a hash")) == "23514"


def test_text_that_postgres_cannot_hold_is_refused(steps: Steps) -> None:
    assert sqlstate(lambda: steps.register("a" * 64, parameters={"nul": "\x00"})) == "22P05"


def test_an_argument_that_the_function_has_not_is_refused(db: Database, user: User) -> None:
    assert sqlstate(lambda: db.call("get_job", {"p_id": NOBODY_S}, user)) in {"42883", "PGRST202"}
