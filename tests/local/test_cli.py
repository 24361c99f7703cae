"""The command line against a server of the test's own: exit codes, and what is printed where."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from local.cli import app

JOB = "0a7b7f1e-51b5-4f0e-9d0c-0c5a3f4d8a11"
OUTPUT = "5b1f6f7e-51b5-4f0e-9d0c-0c5a3f4d8a22"
NOW = "2026-01-01T00:00:00Z"

Json = dict[str, Any]


def job(status: str = "done", **more: object) -> Json:
    names = (
        "requested_dataset_type dataset_type pipeline pipeline_version stage detection error summary manifest_sha256"
    )
    blank: Json = dict.fromkeys([*names.split(), "started_at", "finished_at"])
    known = {
        "job_id": JOB,
        "status": status,
        "filename": "a.csv",
        "sha256": "0" * 64,
        "size_bytes": 3,
        "parameters": {},
    }
    return {**blank, **known, "progress": 0.5, "cancel_requested": False, "created_at": NOW, "attempts": [], **more}


@dataclass
class Assay:
    """A server that gives fixed answers and keeps what it was asked."""

    answers: dict[tuple[str, str], tuple[int, Json | bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def assay() -> Iterator[Assay]:
    state = Assay()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            path = self.path.split("?")[0]
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.asked.append((self.command, self.path, headers, body))
            status, answer = state.answers.get((self.command, path), (404, {"message": "Not Found"}))
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    for name in ("ASSAY_URL", "ASSAY_TOKEN"):
        monkeypatch.delenv(name, raising=False)


Assayed = Callable[..., Result]


@pytest.fixture
def cli(assay: Assay) -> Assayed:
    def run(*arguments: object) -> Result:
        there = ["--url", assay.url, "--token", "T"]
        return CliRunner().invoke(app, [*there, *(str(argument) for argument in arguments)])

    return run


def will_answer(assay: Assay, found: Json, content: bytes = b"result", name: str = "out.csv", *, put: bool) -> None:
    link = {"url": f"{assay.url}/store/in", "method": "PUT", "headers": {"x-signed": "1"}, "expires_at": NOW}
    upload = {"sha256": "0" * 64, "size_bytes": 3, "filename": "a.csv", "first_seen": NOW, "last_used": NOW}
    output = {
        "output_id": OUTPUT,
        "name": name,
        "media_type": "text/csv",
        "size_bytes": len(content),
        "created_at": NOW,
    }
    assay.answers = {
        ("POST", "/uploads"): (
            201 if put else 200,
            {
                "cached": not put,
                "job": job("awaiting_upload") if put else found,
                "upload": {**upload, "times_used": 1, "jobs": []},
                "put": link if put else None,
            },
        ),
        ("PUT", "/store/in"): (200, b""),
        ("GET", f"/jobs/{JOB}"): (200, found),
        ("GET", f"/jobs/{JOB}/outputs"): (
            200,
            {"outputs": [{**output, "sha256": hashlib.sha256(b"result").hexdigest()}]},
        ),
        ("GET", f"/outputs/{OUTPUT}/download"): (200, {"url": f"{assay.url}/store/out", "expires_at": NOW}),
        ("GET", "/store/out"): (200, content),
    }


def test_run_sends_waits_and_saves(assay: Assay, cli: Assayed, sent: Path) -> None:
    will_answer(assay, job(), put=True)
    done = cli("run", sent, "--param", "aggregate=median", "--param", 'template=["A"]', "--param", "n=2")
    assert done.exit_code == 0, done.output
    assert Path("results", JOB, "out.csv").read_bytes() == b"result"
    assert [path.name for path in Path("results", JOB).iterdir()] == ["out.csv"]
    assert f"{assay.url}/store/out" in done.stdout
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
        "confidence": 0.4,
        "runners_up": [
            {"dataset_type": "station_measurements", "confidence": 0.4},
            {"dataset_type": "table", "confidence": 0.0},
        ],
    }
    will_answer(assay, job("needs_type", detection=detection), put=True)
    done = cli("run", sent)
    assert done.exit_code == 1
    assert "Detected: station_measurements (0.40)." in done.stderr
    assert "--dataset-type station_measurements" in done.stderr


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
    assert "asked to stop" in cancelled.stdout


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
    assert "No stack is up" in done.stderr


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
