"""The commands on a job that is there, against a server of the test's own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assay.cli.app import app
from tests.local.fixed_answers import JOB, NOW, Assay, Assayed, job, will_answer

pytestmark = pytest.mark.usefixtures("elsewhere")
ERROR = {"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}
NO_FAULT_OF_THE_FILE = {
    "code": "internal_error",
    "detail": "The service met an error.",
    "suggestion": "Try again with POST /jobs/{job_id}/retry; if it fails again, report the job's id.",
}


def answering(assay: Assay, answer: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--url", assay.url, "--token", "T", *arguments], input=answer)


@pytest.mark.parametrize(("command", "status"), [("retry", 200), ("reprocess", 201), ("reprocess", 200)])
def test_retry_and_reprocess_wait_and_save_as_run_does(assay: Assay, cli: Assayed, command: str, status: int) -> None:
    will_answer(assay, job(), put=False)
    assay.answers["POST", f"/jobs/{JOB}/{command}"] = (status, job("queued"))
    done = cli(command, JOB)
    assert done.exit_code == 0, done.output
    assert Path("results", JOB, "out.csv").read_bytes() == b"result"
    assert f"{assay.url}/store/out" not in done.stdout
    assert f"{assay.url}/store/out" in cli(command, JOB, "--links").stdout
    assert [(method, path) for method, path, *_ in assay.asked[:2]] == [
        ("POST", f"/jobs/{JOB}/{command}"),
        ("GET", f"/jobs/{JOB}"),
    ]
    printed = json.loads(cli(command, JOB, "--json", "--out", "there").stdout)
    assert (printed["job"]["status"], printed["outputs"][0]["path"]) == ("done", "there/out.csv")


def test_a_retry_that_fails_again_ends_with_1(assay: Assay, cli: Assayed) -> None:
    will_answer(assay, job("failed", error=ERROR), put=False)
    assay.answers["POST", f"/jobs/{JOB}/retry"] = (200, job("queued"))
    done = cli("retry", JOB)
    assert done.exit_code == 1
    assert "Add one." in done.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("command", ["retry", "reprocess", "delete --yes", "show", "account", "delete-account --yes"])
def test_what_the_service_refuses_is_told(assay: Assay, cli: Assayed, command: str) -> None:
    problem = {"title": "T", "status": 409, "detail": "It is so.", "code": "so", "suggestion": "Be patient."}
    name, *options = command.split()
    path = "/me" if "account" in name else f"/jobs/{JOB}"
    for method in ("GET", "POST", "DELETE"):
        for asked in (path, f"{path}/{name}"):
            assay.answers[method, asked] = (409, problem)
    done = cli(name, *([] if "account" in name else [JOB]), *options, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problem"]["code"] == "so"
    assert "Be patient." in done.stderr


def test_a_limit_is_told_with_the_time_to_come_again(assay: Assay, cli: Assayed, sent: Path) -> None:
    detail, suggestion = 'Your plan "free" allows 60 uploads an hour.', "Try again in 44 seconds."
    problem = {"title": "Too Many Requests", "status": 429, "detail": detail, "code": "uploads_limit"}
    assay.answers["POST", "/uploads"] = (429, {**problem, "suggestion": suggestion})
    done = cli("run", sent)
    assert done.exit_code == 1
    for text in ("Too Many Requests", detail, suggestion, "uploads_limit"):
        assert text in done.stderr


def test_delete_asks_first(assay: Assay) -> None:
    will_answer(assay, job(), put=False)
    assay.answers["DELETE", f"/jobs/{JOB}"] = (204, b"")
    for answer in ("n\n", "\n", ""):
        refused = answering(assay, answer, "delete", JOB, "--json")
        assert refused.exit_code == 1
        assert refused.stdout == ""
        assert "a.csv, done" in refused.stderr
    assert not [path for method, path, *_ in assay.asked if method == "DELETE"]
    agreed = answering(assay, "y\n", "delete", JOB, "--json")
    assert agreed.exit_code == 0, agreed.output
    assert json.loads(agreed.stdout) == {"deleted": JOB}
    assert [path for method, path, *_ in assay.asked if method == "DELETE"] == [f"/jobs/{JOB}"]


def test_delete_with_yes_asks_nothing(assay: Assay, cli: Assayed) -> None:
    assay.answers["DELETE", f"/jobs/{JOB}"] = (204, b"")
    done = cli("delete", JOB, "--yes")
    assert done.exit_code == 0, done.output
    assert "is deleted" in done.stdout
    assert [(method, path) for method, path, *_ in assay.asked] == [("DELETE", f"/jobs/{JOB}")]


def test_show_tells_of_every_attempt_and_of_the_end(assay: Assay, cli: Assayed) -> None:
    lost = {"code": "worker_lost", "detail": "The worker was not heard of.", "suggestion": "None."}
    tried = {"worker": "w", "started_at": NOW, "ended_at": NOW, "error": None}
    attempts = [
        {**tried, "attempt": 1, "duration_seconds": 61.4, "outcome": "lost", "error": lost},
        {**tried, "attempt": 2, "duration_seconds": 1.25, "outcome": "failed", "error": ERROR},
        {**tried, "attempt": 3, "ended_at": None, "duration_seconds": None, "outcome": None},
    ]
    found = job("failed", error=ERROR, attempts=attempts, expires_at="2026-02-01T00:00:00Z")
    will_answer(assay, found, put=False)
    shown = cli("show", JOB).stdout
    assert ", 0:01:01: lost: The worker was not heard of. (worker_lost)" in shown
    assert ", 1.2 s: failed: No header was found. (no_header)" in shown
    assert "attempt 3" in shown
    assert ": running" in shown
    assert "kept until" in shown
    assert "assay retry" not in shown


@pytest.mark.parametrize(("status", "error"), [("failed", NO_FAULT_OF_THE_FILE), ("cancelled", None)])
def test_what_ended_by_no_fault_of_the_file_may_be_tried_again(
    assay: Assay, cli: Assayed, sent: Path, status: str, error: dict[str, str] | None
) -> None:
    will_answer(assay, job(status, error=error), put=True)
    assert f"assay retry {JOB}" in cli("run", sent).stderr
    assert f"assay retry {JOB}" in cli("show", JOB).stdout


def test_retry_is_not_offered_where_the_file_is_at_fault(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job("failed", error=ERROR), put=True)
    done = cli("run", sent)
    assert "Add one." in done.stderr
    assert "retry" not in done.stderr


def test_an_expired_job_is_to_be_sent_again(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job("expired"), put=True)
    done = cli("run", sent)
    assert "assay run" in done.stderr
    assert "assay retry" not in done.stderr


def test_choose_says_what_the_file_is_and_waits_and_saves(assay: Assay, cli: Assayed) -> None:
    choice = {"dataset_type": "table", "chosen_by": JOB, "chosen_at": NOW}
    will_answer(assay, job(type_choice=choice), put=False)
    assay.answers["PATCH", f"/jobs/{JOB}"] = (200, job("queued", type_choice=choice))
    done = cli("choose", JOB, "table")
    assert done.exit_code == 0, done.output
    assert Path("results", JOB, "out.csv").read_bytes() == b"result"
    assert (assay.asked[0][0], json.loads(assay.asked[0][3])) == ("PATCH", {"dataset_type": "table"})
    assert f"by {JOB}" in cli("show", JOB).stdout


@pytest.mark.parametrize(
    ("options", "sent"),
    [(["--param", "top=5", "--param", "currency=EUR"], {"top": 5, "currency": "EUR"}), (["--no-param"], {})],
)
def test_choose_gives_the_job_other_parameters(
    assay: Assay, cli: Assayed, options: list[str], sent: dict[str, object]
) -> None:
    choice = {"dataset_type": "table", "parameters": sent, "chosen_by": JOB, "chosen_at": NOW}
    will_answer(assay, job(type_choice=choice), put=False)
    assay.answers["PATCH", f"/jobs/{JOB}"] = (200, job("queued", type_choice=choice))
    assert cli("choose", JOB, "table", *options).exit_code == 0
    assert json.loads(assay.asked[0][3]) == {"dataset_type": "table", "parameters": sent}
    assert json.dumps(sent) in cli("show", JOB).stdout


def test_choose_takes_parameters_or_none(assay: Assay, cli: Assayed) -> None:
    assert cli("choose", JOB, "table", "--no-param", "--param", "top=5").exit_code == 2
    assert assay.asked == []


def test_types_are_listed_without_a_stack_and_from_elsewhere(assay: Assay, cli: Assayed) -> None:
    here = CliRunner().invoke(app, ["types", "--json"])
    found = json.loads(here.stdout)
    assert {"station_measurements", "table"} <= {one["dataset_type"] for one in found["dataset_types"]}
    assert "Needs: Station_ID; Date_Time; PCode; Result" in CliRunner().invoke(app, ["types"]).stdout
    assert assay.asked == []
    there = {**found["dataset_types"][0], "title": "Victims", "dataset_type": "victims"}
    assay.answers["GET", "/dataset-types"] = (200, {"dataset_types": [there]})
    assert json.loads(cli("types", "--json").stdout) == {"dataset_types": [there]}


def test_suggestions_speak_of_commands(assay: Assay, cli: Assayed, sent: Path) -> None:
    suggestion = "List your jobs with GET /jobs, or try POST /jobs/{job_id}/retry; see GET /openapi.json."
    error = {"code": "c", "detail": "D", "suggestion": suggestion}
    problem = {"title": "T", "status": 404, **error}
    told = "List your jobs with `assay jobs`, or try `assay retry JOB`; see GET /openapi.json."
    assay.answers["GET", f"/jobs/{JOB}"] = (404, problem)
    assert told in cli("show", JOB).stderr
    assert json.loads(cli("show", JOB, "--json").stdout)["problem"]["suggestion"] == suggestion
    will_answer(assay, job("failed", error=error), put=True)
    assert told in cli("run", sent).stderr
    assert "`assay jobs`" in cli("show", JOB).stdout


def test_a_job_is_named_by_how_its_id_begins(assay: Assay, cli: Assayed) -> None:
    will_answer(assay, job(), put=False)
    other = "0a7b8000-51b5-4f0e-9d0c-0c5a3f4d8a11"
    assay.answers["GET", "/jobs"] = (200, {"jobs": [job(), job(job_id=other)], "next_cursor": None})
    assay.answers["POST", f"/jobs/{JOB}/cancel"] = (200, job("cancelled"))
    for prefix in ("0a7b7", "0A7B7F1E-51", JOB[:-1]):
        assert f"Job {JOB} is cancelled." in cli("cancel", prefix).stdout
    shared = cli("cancel", "0a7b")
    assert shared.exit_code == 1
    assert all(text in shared.stderr for text in ("ambiguous_job", JOB, other))
    unknown = cli("cancel", "ffff")
    assert unknown.exit_code == 1
    assert "no_such_job" in unknown.stderr


@pytest.mark.parametrize("name", ["0a7", "0a7g", "", f"{JOB}0"])
def test_what_no_id_begins_with_is_a_usage_error(assay: Assay, cli: Assayed, name: str) -> None:
    assert cli("show", name).exit_code == 2
    assert assay.asked == []
