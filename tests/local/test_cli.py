"""The command line against a server of the test's own: exit codes, and what is printed where."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.cli.terminal import screen
from tests.local.fixed_answers import JOB, Assay, Assayed, job, will_answer

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_run_sends_waits_and_saves(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=True)
    done = cli("run", sent, "--param", "aggregate=median", "--param", 'template=["A"]', "--param", "n=2")
    assert done.exit_code == 0, done.output
    assert Path("results", JOB, "out.csv").read_bytes() == b"result"
    assert sorted(path.name for path in Path("results", JOB).iterdir()) == ["manifest.json", "out.csv"]
    assert f"{assay.url}/store/out" not in done.stdout
    assert done.stdout.endswith(f"Saved in results/{JOB}\n"), "there is no dashboard to open"
    posted = json.loads(assay.asked[0][3])
    assert posted["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert posted["parameters"] == {"aggregate": "median", "template": ["A"], "n": 2}
    method, _path, headers, body = assay.asked[1]
    assert (method, body, headers["x-signed"], headers["content-length"]) == ("PUT", b"abc", "1", "3")
    assert "transfer-encoding" not in headers
    assert all("authorization" not in headers for _, path, headers, _ in assay.asked if path.startswith("/store"))


def test_run_that_is_answered_from_the_cache_sends_nothing(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=False)
    done = cli("run", sent, "--json", "--out", "there")
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert printed["cached"] is True
    assert printed["outputs"][0]["path"] == "there/out.csv"
    assert not [method for method, *_ in assay.asked if method == "PUT"]


def test_failed_job_prints_its_problem(assay: Assay, cli: Assayed, sent: Path) -> None:
    error = {"code": "no_header", "detail": "No header was found.", "suggestion": "Add one."}
    will_answer(assay, job("failed", error=error), put=True)
    done = cli("run", sent)
    assert done.exit_code == 1
    assert all(text in done.stderr for text in error.values())
    assert not Path("results").exists()


def test_job_that_needs_a_type_says_how_to_choose(assay: Assay, cli: Assayed, sent: Path) -> None:
    detection = {
        "dataset_type": None,
        "band": "unsure",
        "likeliest": "station_measurements",
        "confidence": 0.4,
        "decision": "A person must choose.",
        "runners_up": [
            {"dataset_type": "station_measurements", "confidence": 0.4},
            {"dataset_type": "table", "confidence": 0.0},
        ],
    }
    will_answer(assay, job("needs_type", detection=detection), put=True)
    done = cli("run", sent)
    assert done.exit_code == 1
    assert "Detected: station_measurements (0.40)." in done.stderr
    assert f"assay choose {JOB} station_measurements" in done.stderr


@pytest.mark.parametrize("band", ["sure", "likely", "review"])
def test_what_is_not_sure_is_told(assay: Assay, cli: Assayed, sent: Path, band: str) -> None:
    detection = {"dataset_type": "table", "band": band, "likeliest": "transactions", "decision": "Please review."}
    will_answer(assay, job(detection=detection), put=True)
    assert ("Please review." in cli("run", sent).stdout) == (band != "sure")
    assert "Please review." in cli("show", JOB).stdout


@pytest.mark.parametrize("as_json", [True, False])
def test_problem_of_the_service_is_printed(assay: Assay, cli: Assayed, sent: Path, as_json: bool) -> None:
    problem = {"title": "T", "status": 422, "detail": "Too odd.", "code": "too_odd", "suggestion": "Be even."}
    assay.answers["POST", "/uploads"] = (422, problem)
    done = cli("run", sent, *(["--json"] if as_json else []))
    assert done.exit_code == 1
    assert "Too odd." in done.stderr
    assert "Be even." in done.stderr
    if as_json:
        assert json.loads(done.stdout)["problem"]["code"] == "too_odd"


def test_answer_that_is_not_assay_s_is_told_as_it_is(cli: Assayed) -> None:
    done = cli("jobs")
    assert done.exit_code == 1
    assert "Not Found" in done.stderr


def test_service_that_cannot_be_reached(sent: Path) -> None:
    done = CliRunner().invoke(app, ["jobs", "--url", "http://127.0.0.1:1", "--token", "T"])
    assert done.exit_code == 1
    assert "cannot be reached" in done.stderr


def test_output_with_a_wrong_hash_is_not_kept(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), content=b"forged", put=True)
    done = cli("run", sent)
    assert done.exit_code == 1
    assert "wrong_hash" in done.stderr
    assert list(Path("results", JOB).iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.csv", "/tmp/evil.csv", ".hidden", "a/b"])
def test_output_with_an_unsafe_name_is_not_saved(assay: Assay, cli: Assayed, sent: Path, name: str) -> None:
    will_answer(assay, job(), name=name, put=True)
    done = cli("run", sent)
    assert done.exit_code == 1
    assert "unsafe_output_name" in done.stderr
    assert list(Path("results", JOB).iterdir()) == []


def test_store_that_refuses_the_bytes(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=True)
    assay.answers["PUT", "/store/in"] = (400, b"<Error><Code>BadDigest</Code></Error>")
    done = cli("run", sent)
    assert done.exit_code == 1
    assert "BadDigest" in done.stderr


def test_jobs_follows_the_cursor_up_to_the_limit(assay: Assay, cli: Assayed) -> None:
    assay.answers["GET", "/jobs"] = (200, {"jobs": [job(), job()], "next_cursor": "more"})
    done = cli("jobs", "--limit", "4", "--status", "done", "--json")
    assert len(json.loads(done.stdout)["jobs"]) == 4
    assert [path for _, path, *_ in assay.asked] == [
        "/jobs?status=done&limit=4",
        "/jobs?status=done&cursor=more&limit=2",
    ]


def test_show_and_cancel(assay: Assay, cli: Assayed) -> None:
    will_answer(assay, job("running", stage="reading"), put=False)
    assay.answers["POST", f"/jobs/{JOB}/cancel"] = (202, job("running", cancel_requested=True))
    shown = cli("show", JOB)
    assert shown.exit_code == 0
    assert "50% reading" in shown.stdout
    cancelled = cli("cancel", JOB)
    assert cancelled.exit_code == 0
    assert "will stop" in cancelled.stdout


def test_show_tells_what_a_job_costs_if_that_is_known(assay: Assay, cli: Assayed) -> None:
    amounts = {"total": 0.000126, "compute": 0.000057, "requests": 0.000052, "storage_month": 0.000017}
    used = {"gb_seconds": 4.3, "request_count": 15, "stored_bytes": 800_000, "prices_as_of": "2026-11-21"}
    will_answer(assay, job("done", cost={"currency": "USD", **amounts, **used}), put=False)
    assert "about 0.000126 USD on AWS at list prices of 2026-11-21" in cli("show", JOB).stdout
    will_answer(assay, job("done"), put=False)
    assert "USD" not in cli("show", JOB).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "no-such-file.csv"],
        ["run", "a.csv", "--param", "aggregate"],
        ["run", "a.csv", "--param", "=mean"],
        ["run", "a.csv", "--param", "a=1", "--param", "a=2"],
        ["run", "a.csv", "--on-duplicate", "perhaps"],
        ["run", "a.csv", "--url", "https://assay.example"],
        ["run", "a.csv", "--url", "assay.example", "--token", "T"],
        ["run"],
        ["show", "not-a-uuid"],
        ["jobs", "--status", "lost"],
        ["analyse", "a.csv"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("sent")
def test_usage_errors_end_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_down_with_no_stack(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["down"])
    assert done.exit_code == 0
    assert "No stack is running" in done.stderr


def test_analyse_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    done = CliRunner().invoke(app, ["analyse", "empty.csv", "--out", "there", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problem"]["code"] in done.stderr
    assert list((tmp_path / "there").iterdir()) == []


def test_analyse_writes_what_it_lists(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Station_ID,Date_Time,PCode,Result\nCT,2024-01-01 10:00:00,Data 2,1.411\n")
    done = CliRunner().invoke(app, ["analyse", "a.csv", "--out", "there", "--param", "aggregate=max", "--json"])
    assert done.exit_code == 0, done.stderr
    listed = {output["name"]: output["sha256"] for output in json.loads(done.stdout)["outputs"]}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "there").iterdir()}
    assert found == listed
    assert "CT_Analysis.csv" in found


def test_outputs_that_cannot_be_saved(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=False)
    done = cli("run", sent, "--out", sent / "folder")
    assert done.exit_code == 1
    assert "Not a directory" in done.stderr


def test_run_ends_with_the_dashboard_to_open(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), name="dashboard.html", put=True)
    assert cli("run", sent).stdout.endswith(f"Saved in results/{JOB}\nopen results/{JOB}/dashboard.html\n")
    there = cli("run", sent, "--out", sent.parent / "with blank", "--links").stdout
    assert there.endswith("open 'with blank/dashboard.html'\n")
    assert f"{assay.url}/store/out" in there


def test_names_are_links_to_the_saved_files_on_a_terminal_alone(
    assay: Assay, cli: Assayed, sent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    will_answer(assay, job(), put=True)
    assert "\x1b" not in cli("run", sent).stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = cli("run", sent).stdout
    assert "\x1b]8;" in shown
    assert Path("results", JOB, "out.csv").resolve().as_uri() in shown


def test_no_color_is_heeded(assay: Assay, cli: Assayed, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = {"title": "T", "status": 404, "detail": "D", "code": "c", "suggestion": "S"}
    assay.answers["GET", "/jobs"] = (404, problem)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in cli("jobs").stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "31m" not in cli("jobs").stderr


def test_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"assay {version('assay')}\n")


@pytest.mark.parametrize(
    ("size_bytes", "told"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1048575, "1.0 MiB"), (2**41, "2.0 TiB")],
)
def test_sizes_are_told_in_binary_units(size_bytes: int, told: str) -> None:
    assert screen.size(size_bytes) == told
