"""What the functions refuse, and what is not the caller's, reaches the code as the same error by either transport."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from postgrest import APIError

from shared.auth import User
from shared.data_api import DataApiDatabase
from shared.database import Database
from shared.errors import Problem
from shared.transport import Argument
from tests.database.steps import Steps, Superuser
from tests.supabase.gateway import Gateway

NOBODY_S = str(UUID(int=0))
JOB_NOT_FOUND = (404, "job_not_found", "There is no such job.", "List your jobs with GET /jobs.")
OUTPUT_NOT_FOUND = (
    404,
    "output_not_found",
    "There is no such output.",
    "List a job's outputs with GET /jobs/{job_id}/outputs.",
)
NOT_SIGNED_IN = (401, "not_signed_in", "The request carries no signed-in user.", "Send a valid access token.")

PROBLEMS: list[tuple[Callable[[Steps], Any], tuple[int, str, str, str]]] = [
    (lambda steps: steps.job(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.cancel(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.outputs(NOBODY_S), JOB_NOT_FOUND),
    (lambda steps: steps.output(NOBODY_S), OUTPUT_NOT_FOUND),
    (
        lambda steps: steps.register("a" * 64, on_duplicate="ask"),
        (422, "invalid_request", "on_duplicate is neither reuse nor reprocess.", 'Send "reuse" or "reprocess".'),
    ),
    (
        lambda steps: steps.cancel(steps.done()[0]),
        (409, "job_not_cancellable", "The job is already done.", "Only a job that has not ended can be cancelled."),
    ),
]


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


def test_every_problem_in_the_database_s_code_is_tested(superuser: Superuser) -> None:
    rows = superuser.execute("select prosrc from pg_proc where prosrc ~ 'raise_problem[(][0-9]'").fetchall()
    raised = {
        (int(status), code)
        for (source,) in rows
        for status, code in re.findall(r"raise_problem\((\d+), '(\w+)'", str(source))
    }
    assert raised == {problem[:2] for _, problem in PROBLEMS} | {NOT_SIGNED_IN[:2]}


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
        (lambda steps, job_id, _: steps.outputs(job_id), JOB_NOT_FOUND),
        (lambda steps, _, output_id: steps.output(output_id), OUTPUT_NOT_FOUND),
    ],
    ids=["get_job", "cancel_job", "list_outputs", "get_output"],
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
